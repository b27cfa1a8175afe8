// The page: sign in, upload straight to storage, follow runs live, open reports.
// Text from outside (file names, reasons) is only ever set as textContent.

const TEXT = {
  ru: {
    signIn: "Войти", signOut: "Выйти", email: "Почта", password: "Пароль",
    signInHint: "Логин и пароль администратора печатаются в терминале при первом запуске.",
    dropTitle: "Перетащите видео сюда или выберите файлы",
    dropHint: (l) => `${l.formats.join(", ").toUpperCase()} · до ${size(l.max_bytes)} и ${lasting(l.max_seconds)}${l.local ? " · файл не уходит с этого сервера" : ""}`,
    hours: ["часа", "часов"], minutes: ["минуты", "минут"],
    unknown: "Видео из ссылки не найдено: возможно, оно удалено или принадлежит другому пользователю.",
    videos: "Видео", empty: "Здесь появятся ваши видео. Загрузите первое, и через несколько минут будет отчёт.",
    more: "Показать ещё", openReport: "Открыть отчёт", retry: "Проверить ещё раз", cancel: "Отменить",
    uploading: "Загрузка", left: "осталось", of: "из", queued: "В очереди", extract: "Кадры и звук",
    analyse: "Анализ", judging: "Составляется отчёт",
    status: { AWAITING_UPLOAD: "Ожидает загрузки", UPLOADED: "Загружено", PROCESSING: "Проверяется", VERIFICATION: "Отчёт готов", COMPLETED: "Проверено", FAILED: "Не проверено", EXPIRED: "Не загружено" },
    verdict: { pass: "Рисков нет", review: "Нужна проверка человеком", fail: "Нарушения" },
    risks: (n) => `рисков: ${n}`,
    tasks: { speech: "речь", nudity: "нагота", violence: "насилие", objects: "предметы", text: "текст в кадре", context: "контекст" },
    lost: "Связь прервалась: загрузка продолжится, когда сеть вернётся.",
    away: "Сервер не отвечает. Страница откроется сама, когда он вернётся.",
    failed: "Не получилось: проверьте, запущен ли сервер, и повторите.",
  },
  en: {
    signIn: "Sign in", signOut: "Sign out", email: "Email", password: "Password",
    signInHint: "The administrator's login is printed in the terminal at the first start.",
    dropTitle: "Drop videos here or choose files",
    dropHint: (l) => `${l.formats.join(", ").toUpperCase()} · up to ${size(l.max_bytes)} and ${lasting(l.max_seconds)}${l.local ? " · the file does not leave this server" : ""}`,
    hours: ["hour", "hours"], minutes: ["minute", "minutes"],
    unknown: "The video of this link was not found: it may be deleted or belong to somebody else.",
    videos: "Videos", empty: "Your videos will be listed here. Upload the first one, and a report follows in a few minutes.",
    more: "Show more", openReport: "Open the report", retry: "Check again", cancel: "Cancel",
    uploading: "Uploading", left: "left", of: "of", queued: "Waiting for its turn", extract: "Frames and sound",
    analyse: "Analysis", judging: "Writing the report",
    status: { AWAITING_UPLOAD: "Awaiting upload", UPLOADED: "Uploaded", PROCESSING: "Checking", VERIFICATION: "Report ready", COMPLETED: "Verified", FAILED: "Not checked", EXPIRED: "Not uploaded" },
    verdict: { pass: "No risks", review: "Needs a human check", fail: "Breaches" },
    risks: (n) => (n === 1 ? "1 risk" : `${n} risks`),
    tasks: { speech: "speech", nudity: "nudity", violence: "violence", objects: "objects", text: "on-screen text", context: "context" },
    lost: "The connection broke: the upload goes on when the network is back.",
    away: "The server does not answer. The page opens by itself once it is back.",
    failed: "That did not work: see whether the server runs, and try again.",
  },
};

const $ = (id) => document.getElementById(id);
const cards = new Map();
const uploads = new Map();
let lang = localStorage.getItem("lang") || (navigator.language.startsWith("ru") ? "ru" : "en");
let nextPage = null;
let limits = null;
const t = () => TEXT[lang];

async function call(method, path, body, headers = {}) {
  const answer = await fetch(path, {
    method,
    headers: { "accept-language": lang, ...(body ? { "content-type": "application/json" } : {}), ...headers },
    body: body ? JSON.stringify(body) : undefined,
  });
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  const data = isJson ? await answer.json().catch(() => null) : null;
  if (!answer.ok) throw Object.assign(new Error(data?.detail || t().failed), { status: answer.status });
  return data;
}

function speak() {
  document.documentElement.lang = lang;
  for (const node of document.querySelectorAll("[data-t]")) {
    const text = t()[node.dataset.t];
    node.textContent = typeof text === "string" ? text : limits ? text(limits) : "";
  }
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", button.dataset.lang === lang);
  for (const card of cards.values()) card.draw();
}

// --- one video -------------------------------------------------------------------------------

class Card {
  constructor(video) {
    this.video = video;
    this.node = $("video").content.firstElementChild.cloneNode(true);
    this.node.dataset.id = video.id;
    this.part = (name) => this.node.querySelector(name);
  }

  update(video) {
    this.video = { ...this.video, ...video };
    this.draw();
  }

  draw() {
    const v = this.video;
    const over = v.status === "VERIFICATION" || v.status === "COMPLETED";
    this.part(".name").textContent = v.original_name;
    const badge = this.part(".badge");
    badge.className = `badge ${over ? v.verdict : v.status === "FAILED" ? "fail" : ""}`;
    badge.textContent = over && v.verdict ? verdict(v) : t().status[v.status];
    this.part(".facts").textContent = [size(v.file_size), v.duration && clock(v.duration), when(v.created_at)].filter(Boolean).join(" · ");
    this.drawProgress(v);
    const error = this.part(".error");
    error.textContent = v.status_message || this.trouble || "";
    error.hidden = !error.textContent;
    this.drawActions(v, over);
  }

  drawProgress(v) {
    const bar = this.part("progress"), stage = this.part(".stage"), tasks = this.part(".tasks");
    const upload = uploads.get(v.id);
    const running = runs(v);
    bar.hidden = !upload && !running;
    stage.hidden = bar.hidden;
    tasks.hidden = !running || !v.tasks?.length;
    bar.dataset.testid = upload ? "upload-progress" : "run-progress";
    if (upload) {
      bar.value = (100 * upload.sent) / upload.total;
      const rate = upload.rate > 0 ? ` · ${size(upload.rate)}/s · ${t().left} ${clock((upload.total - upload.sent) / upload.rate)}` : "";
      stage.textContent = `${t().uploading}: ${size(upload.sent)} ${t().of} ${size(upload.total)}${rate}`;
      return;
    }
    bar.value = v.progress || 0;
    const eta = v.eta_seconds > 0 ? ` · ${t().left} ${clock(v.eta_seconds)}` : "";
    const name = v.status === "UPLOADED" ? t().queued : v.tasks?.length ? t().analyse : t().extract;
    stage.textContent = `${name} · ${Math.round(v.progress || 0)} %${eta}`;
    tasks.replaceChildren(...(v.tasks || []).map((task) => {
      const item = document.createElement("li");
      item.className = task.done === task.planned ? "done" : "";
      item.textContent = `${t().tasks[task.task]} ${task.done}/${task.planned}`;
      return item;
    }));
  }

  drawActions(v, over) {
    const actions = [];
    if (over) {
      const link = document.createElement("a");
      Object.assign(link, { className: "button", href: `/api/videos/${v.id}/report.html?lang=${lang}`, target: "_blank", rel: "noopener", textContent: t().openReport });
      link.dataset.testid = "open-report";
      actions.push(link);
    }
    if (v.status === "FAILED") actions.push(button(t().retry, () => retry(this)));
    if (uploads.has(v.id)) actions.push(button(t().cancel, () => uploads.get(v.id).abort()));
    this.part(".actions").replaceChildren(...actions);
  }
}

function button(text, act) {
  const node = document.createElement("button");
  Object.assign(node, { type: "button", className: "quiet", textContent: text, onclick: act });
  return node;
}

function verdict(v) {
  const risks = v.total_triggers ? ` · ${t().risks(v.total_triggers)}` : "";
  return t().verdict[v.verdict] + risks;
}

function size(bytes) {
  const units = lang === "ru" ? ["Б", "КиБ", "МиБ", "ГиБ"] : ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < 3) { bytes /= 1024; unit += 1; }
  const digits = unit && !Number.isInteger(bytes) ? 1 : 0;
  return `${bytes.toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${units[unit]}`;
}

/** After "up to": whole hours, or minutes. */
function lasting(seconds) {
  const hours = seconds % 3600 === 0;
  const count = hours ? seconds / 3600 : Math.max(1, Math.floor(seconds / 60));
  const one = lang === "ru" ? count % 10 === 1 && count % 100 !== 11 : count === 1;
  return `${count} ${(hours ? t().hours : t().minutes)[one ? 0 : 1]}`;
}

function clock(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const two = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const when = (text) => text && new Date(text).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });

function show(video, first) {
  let card = cards.get(video.id);
  if (!card) {
    card = new Card(video);
    cards.set(video.id, card);
    $("videos")[first ? "prepend" : "append"](card.node);
  }
  card.update(video);
  $("empty").hidden = true;
  return card;
}

const runs = (video) => video.status === "UPLOADED" || video.status === "PROCESSING";

/** One question a second for all that runs: a stream each would use up the browser's connections. */
async function follow() {
  const ids = [...cards.values()].map((card) => card.video).filter(runs).map((video) => video.id);
  try {
    for (let at = 0; at < ids.length; at += 50) {
      const page = await call("GET", `/api/videos/?ids=${ids.slice(at, at + 50).join(",")}`);
      for (const video of page.results) cards.get(video.id)?.update(video);
    }
  } catch (error) {
    // A server that is away for a moment is asked again; a session that is over is opened anew.
    if (error.status === 401) await enter();
  }
  setTimeout(follow, 1000);
}

/** The video that a mail links to: shown wherever it stands in the list. */
async function openLinked() {
  const id = new URLSearchParams(location.search).get("video");
  if (!id) return;
  try {
    const card = show(await call("GET", `/api/videos/${encodeURIComponent(id)}/`), true);
    card.node.classList.add("linked");
    card.node.scrollIntoView({ block: "center" });
  } catch (error) {
    $("unknown").hidden = false;
  }
}

async function retry(card) {
  try {
    show(await call("POST", `/api/videos/${card.video.id}/retry_processing/`));
  } catch (error) {
    card.trouble = error.message;
    card.draw();
  }
}

// --- uploads ---------------------------------------------------------------------------------

function put(url, headers, blob, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) {
      if (!["content-length", "host"].includes(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(Object.assign(new Error(t().failed), { status: request.status })));
    request.onerror = () => reject(new Error(t().lost));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(blob);
  });
}

async function again(work, card, signal) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
    try {
      const done = await work();
      card.trouble = "";
      return done;
    } catch (error) {
      if (error.name === "AbortError" || (error.status >= 400 && error.status < 500)) throw error;
      card.trouble = t().lost;
      card.draw();
      await new Promise((resolve) => setTimeout(resolve, wait));
      signal.throwIfAborted();
    }
  }
}

async function send(file, project) {
  // A header holds no Russian letters.
  const key = encodeURIComponent(`${file.name.toWellFormed?.() ?? file.name}:${file.size}:${file.lastModified}`);
  let created;
  try {
    const body = { project_id: project, original_name: file.name, size_bytes: file.size, content_type: file.type };
    created = await call("POST", "/functions/upload-signed-url", body, { "idempotency-key": key });
  } catch (error) {
    const card = show({ id: crypto.randomUUID(), original_name: file.name, file_size: file.size, status: "FAILED", status_message: error.message }, true);
    card.part(".actions").replaceChildren();
    return;
  }
  const stop = new AbortController();
  const state = { sent: 0, total: file.size, rate: 0, began: performance.now(), abort: () => stop.abort() };
  uploads.set(created.video_id, state);
  const card = show({ id: created.video_id, original_name: file.name, file_size: file.size, status: "AWAITING_UPLOAD", created_at: new Date().toISOString() }, true);
  try {
    await transfer(file, created, state, card, stop.signal);
    uploads.delete(created.video_id);
    await again(() => call("POST", `/functions/on-upload/${created.video_id}/complete`), card, stop.signal);
    show(await call("GET", `/api/videos/${created.video_id}/`));
  } catch (error) {
    uploads.delete(created.video_id);
    if (error.name === "AbortError") {
      await call("DELETE", `/functions/upload-signed-url/${created.video_id}`).catch(() => {});
      cards.delete(created.video_id);
      card.node.remove();
      return;
    }
    card.trouble = error.message;
    card.draw();
  }
}

async function transfer(file, created, state, card, signal) {
  const { upload } = created;
  const progress = (before) => (loaded) => {
    state.sent = before + loaded;
    state.rate = (1000 * (state.sent - state.skipped)) / (performance.now() - state.began);
    card.draw();
  };
  state.skipped = 0;
  if (upload.kind === "single") {
    await again(() => put(upload.url, upload.headers, file, progress(0), signal), card, signal);
    return;
  }
  const here = await again(() => call("GET", upload.more_parts_url), card, signal);
  const arrived = new Map(here.parts.map((part) => [part.number, part.size]));
  let done = [...arrived.values()].reduce((sum, bytes) => sum + bytes, 0);
  state.skipped = done;
  for (let number = 1; (number - 1) * upload.part_size < file.size; number += 1) {
    if (arrived.has(number)) continue;
    const blob = file.slice((number - 1) * upload.part_size, number * upload.part_size);
    await again(async () => {
      const { parts } = await call("POST", upload.more_parts_url, { numbers: [number] });
      await put(parts[0].url, parts[0].headers, blob, progress(done), signal);
    }, card, signal);
    done += blob.size;
  }
  await again(() => call("POST", upload.complete_url), card, signal);
}

// --- the page --------------------------------------------------------------------------------

async function list(path) {
  const page = await call("GET", path);
  for (const video of page.results) show(video, false);
  nextPage = page.next;
  $("more").hidden = !nextPage;
  $("empty").hidden = cards.size > 0;
}

async function open() {
  speak();
  let me;
  try {
    me = await call("GET", "/api/users/me/");
  } catch (error) {
    // A server that is away for a moment says nothing about who is signed in.
    if (error.status !== 401) throw error;
    $("login").hidden = false;
    $("app").hidden = true;
    $("logout").hidden = true;
    return;
  }
  if (!localStorage.getItem("lang")) lang = me.language;
  limits = await call("GET", "/api/limits/");
  $("file").accept = [...limits.formats.map((format) => `.${format}`), "video/*"].join(",");
  const projects = await call("GET", "/api/projects/");
  const own = projects.results.find((project) => project.own) || projects.results[0];
  const start = (files) => { for (const file of files) send(file, own.id); };
  $("file").onchange = () => { start($("file").files); $("file").value = ""; };
  $("drop").ondrop = (event) => { event.preventDefault(); $("drop").classList.remove("over"); start(event.dataTransfer.files); };
  // Shown last: what can be seen can be used.
  $("login").hidden = true;
  $("app").hidden = false;
  $("logout").hidden = false;
  speak();
  await list("/api/videos/?page_size=20");
  await openLinked();
}

$("drop").ondragover = (event) => { event.preventDefault(); $("drop").classList.add("over"); };
$("drop").ondragleave = () => $("drop").classList.remove("over");
$("more").onclick = () => list(nextPage);
$("logout").onclick = async () => { await call("POST", "/api/auth/logout/"); location.reload(); };
for (const choice of document.querySelectorAll("[data-lang]")) {
  choice.onclick = () => { lang = choice.dataset.lang; localStorage.setItem("lang", lang); speak(); };
}
$("login-form").onsubmit = async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    await call("POST", "/api/auth/login/", { email: form.get("email"), password: form.get("password") });
    $("login-error").textContent = "";
    await enter();
  } catch (error) {
    $("login-error").textContent = error.message;
  }
};
/** Opens the page; while the server does not answer, says so and asks again. */
async function enter() {
  for (;;) {
    try {
      await open();
      $("away").textContent = "";
      return;
    } catch (error) {
      $("away").textContent = t().away;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

addEventListener("beforeunload", (event) => { if (uploads.size) event.preventDefault(); });
enter().finally(follow);

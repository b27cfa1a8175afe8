// Uses the page as a person does: signs in, uploads a file, follows the run, reads the report.
//
//   node upload.mjs URL EMAIL PASSWORD FILE OUTDIR
//
// Writes screenshots into OUTDIR and prints one JSON object: what was seen on the way. Ends with 1
// and one sentence when a step does not come about in time. `WAIT_SECONDS` (900) bounds the run
// itself, `CHROMIUM` names the browser.

import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { chromium } from "playwright-core";

const [url, email, password, file, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node upload.mjs URL EMAIL PASSWORD FILE OUTDIR");
  process.exit(2);
}

const STEP = 60_000;
const RUN = Number(process.env.WAIT_SECONDS ?? 900) * 1000;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const seen = { file: basename(file), uploadProgress: [], runProgress: [], stages: [], badge: "", risks: 0, screenshots: [], errors: [] };
const id = (page, name) => page.getByTestId(name);

async function shot(page, name, fullPage = false) {
  const path = join(out, `${name}.png`);
  await page.screenshot({ path, fullPage });
  seen.screenshots.push(path);
}

/** A fresh page in the given language; whatever its console complains about is kept. */
async function open(browser, locale, cookies = [], path = "/") {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 }, storageState: { cookies, origins: [] } });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP);
  // Being signed out is asked of the server and answered with 401, which the browser also logs.
  page.on("console", (line) => { if (line.type() === "error" && !line.text().includes("401")) seen.errors.push(line.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  await page.goto(new URL(path, url).href);
  return page;
}

async function signIn(page) {
  for (const lang of ["ru", "en"]) {
    await id(page, `lang-${lang}`).click();
    await id(page, "login-email").waitFor();
    await shot(page, `login-${lang}`);
  }
  await id(page, "login-email").fill(email);
  await id(page, "login-password").fill(password);
  await id(page, "login-submit").click();
  await id(page, "logout").waitFor();
}

/** Loopback is too quick to see an upload: this slows the browser to 2 MiB a second, and back. */
async function throttle(page, bytesPerSecond) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
  return session;
}

async function upload(page) {
  const slow = await throttle(page, 2 << 20);
  await id(page, "file-input").setInputFiles(file);
  const card = id(page, "videos").locator("li").filter({ hasText: basename(file) }).first();
  const bar = card.getByTestId("upload-progress");
  await bar.waitFor();
  await page.waitForFunction((node) => node.value > 0 && node.value < 100, await bar.elementHandle());
  seen.uploadProgress.push(await bar.evaluate((node) => Math.round(node.value)));
  await shot(page, "upload");
  await card.getByTestId("upload-progress").waitFor({ state: "hidden", timeout: STEP * 4 });
  await slow.detach();
  return card;
}

/** Notes every change of the run's progress until the report can be opened or the video is refused. */
async function follow(page, card) {
  const deadline = Date.now() + RUN;
  let pictured = false;
  while (Date.now() < deadline) {
    const now = await card.evaluate((node) => ({
      value: Math.round(node.querySelector("progress")?.value ?? 0),
      running: Boolean(node.querySelector("[data-testid=run-progress]:not([hidden])")),
      stage: node.querySelector(".stage")?.textContent.split(" · ")[0] ?? "",
      done: Boolean(node.querySelector("[data-testid=open-report]")),
      refused: node.querySelector(".error:not([hidden])")?.textContent ?? "",
      badge: node.querySelector(".badge")?.textContent ?? "",
    }));
    if (now.running && seen.runProgress.at(-1) !== now.value) seen.runProgress.push(now.value);
    if (now.running && now.stage && seen.stages.at(-1) !== now.stage) seen.stages.push(now.stage);
    if (now.running && now.value >= 20 && !pictured) {
      pictured = true;
      await shot(page, "run");
    }
    seen.badge = now.badge;
    if (now.done) return;
    if (now.refused) throw new Error(`refused: ${now.refused}`);
    await page.waitForTimeout(250);
  }
  throw new Error(`no report after ${RUN / 1000} seconds; last seen: ${seen.badge}`);
}

async function readReport(page, lang) {
  await shot(page, `videos-${lang}`);
  const opened = page.context().waitForEvent("page", { timeout: STEP });
  await id(page, "open-report").first().click();
  const report = await opened;
  await report.waitForLoadState("load");
  seen.risks = Math.max(seen.risks, await report.locator("[data-testid=risk]").count());
  await shot(report, `report-${lang}`, true);
}

/** What the open pages say is wrong, to the user and to the console. */
async function complaints(browser) {
  const pages = browser.contexts().flatMap((context) => context.pages());
  const texts = await Promise.all(pages.map((page) => page.locator(".error:visible").allInnerTexts().catch(() => [])));
  const said = [...texts.flat().filter(Boolean), ...seen.errors];
  return said.length > 0 ? `; the page says: ${said.join("; ")}` : "";
}

await mkdir(out, { recursive: true });
const CHROMIUM = process.platform === "darwin" ? "/Applications/Chromium.app/Contents/MacOS/Chromium" : "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? CHROMIUM, args: FLAGS });
let failure = "";
try {
  const page = await open(browser, "en-US");
  await signIn(page);
  await follow(page, await upload(page));
  await readReport(page, "en");
  const video = await id(page, "videos").locator("li").first().getAttribute("data-id");
  const russian = await open(browser, "ru-RU", await page.context().cookies(), `/?video=${video}`);
  await id(russian, "lang-ru").click();
  await russian.locator("li.linked .name", { hasText: basename(file) }).waitFor();
  await readReport(russian, "ru");
  if (seen.errors.length > 0) failure = `the page complained: ${seen.errors[0]}`;
} catch (error) {
  // The second line of interest says which element did not come.
  failure = error.message.split("\n").filter((line) => /^\S|waiting for/.test(line)).slice(0, 3).join(" ");
  failure += await complaints(browser);
} finally {
  await browser.close();
}
console.log(JSON.stringify({ ...seen, failure }));
if (failure) {
  console.error(`upload.mjs: ${failure}`);
  process.exit(1);
}

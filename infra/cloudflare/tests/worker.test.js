// The bundle that `wrangler deploy` would upload, in workerd, in front of a B2 that checks signatures.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { request as send } from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { Miniflare, Response } from "miniflare";

import { BUCKET, HOST, KEY, KEY_ID, startB2 } from "./b2.js";

const SECRET = "correct-horse-battery-staple-0001";
const OLD_SECRET = "correct-horse-battery-staple-0000";
const APP = "https://compliance.example.com";
const VIDEO = "videos/0195c2f0-7b1a-7c3e-9a56-0b1c2d3e4f50";
const PLAYLIST = `${VIDEO}/hls/index.m3u8`;
const SEGMENT = `${VIDEO}/hls/00001.ts`;
const FILM = Buffer.from(Array.from({ length: 4000 }, (_, index) => index % 251));

let b2;
let worker;
let asked;

function bindings(changes = {}) {
  return {
    B2_ENDPOINT: `https://${HOST}`,
    B2_BUCKET: BUCKET,
    B2_APPLICATION_KEY_ID: KEY_ID,
    B2_APPLICATION_KEY: KEY,
    PLAYBACK_SECRET: SECRET,
    ALLOWED_ORIGINS: APP,
    MAX_LIFETIME_SECONDS: "86400",
    ...changes,
  };
}

/** The Worker's fetches, carried to the fake over the wire under the host they were meant for. */
function outbound(request) {
  const { host, pathname, search } = new URL(request.url);
  asked.push({ url: request.url, cf: request.cf });
  const headers = { ...Object.fromEntries(request.headers), host };
  return new Promise((resolve, reject) => {
    const going = send({ port: b2.port, method: request.method, path: pathname + search, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const body = [204, 304].includes(answer.statusCode) ? null : Buffer.concat(chunks);
        resolve(new Response(body, { status: answer.statusCode, headers: answer.headers }));
      });
    });
    going.on("error", reject);
    going.end();
  });
}

function start(changes) {
  return new Miniflare({
    modules: true,
    scriptPath: fileURLToPath(new URL("../build/worker.js", import.meta.url)),
    compatibilityDate: "2026-02-01",
    bindings: bindings(changes),
    outboundService: outbound,
    // What the Worker logs of a deliberate fault is no news.
    handleRuntimeStdio: (stdout, stderr) => { stdout.resume(); stderr.resume(); },
  });
}

function link(key, { scope = key, depth = 0, seconds = 600, secret = SECRET } = {}) {
  const expires = Math.floor(Date.now() / 1000) + seconds;
  const signature = createHmac("sha256", secret).update(`playback-v1\n${expires}\n${scope}`).digest("hex");
  return `/${expires}.${depth}.${signature}/${key}`;
}

const folder = (key, changes) => link(key, { scope: `${VIDEO}/hls/`, depth: 3, ...changes });
const get = (path, init) => worker.dispatchFetch(`https://cdn.example.com${path}`, init);

async function status(path, init) {
  const answer = await get(path, init);
  await answer.arrayBuffer();
  return answer.status;
}

before(async () => {
  b2 = await startB2();
  worker = start();
  await worker.ready;
});

after(async () => {
  await worker.dispose();
  await b2.stop();
});

beforeEach(() => {
  asked = [];
  b2.requests.length = 0;
  b2.faults.length = 0;
  b2.objects.clear();
  b2.objects.set(`/${BUCKET}/${SEGMENT}`, { type: "video/mp2t", bytes: FILM });
  b2.objects.set(`/${BUCKET}/${PLAYLIST}`, { type: "application/vnd.apple.mpegurl", bytes: Buffer.from("#EXTM3U\n00001.ts\n") });
});

describe("a signed link", () => {
  it("plays the whole file", async () => {
    const answer = await get(link(SEGMENT));
    assert.equal(answer.status, 200);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), FILM);
    assert.equal(answer.headers.get("content-type"), "video/mp2t");
    assert.equal(answer.headers.get("content-length"), "4000");
    assert.equal(answer.headers.get("etag"), '"e1"');
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  });

  it("agrees with the known answer that other programs are written against", () => {
    const signature = createHmac("sha256", SECRET).update(`playback-v1\n1700000000\n${VIDEO}/hls/`).digest("hex");
    assert.equal(signature, "1e8483a35efb0c2ead3ec0afa0d27af382fb0d607d1ee5c0cca83a75b6b3f5ea");
  });

  it("of a folder plays the playlist and what it names, relative to its own address", async () => {
    const playlist = new URL(`https://cdn.example.com${folder(PLAYLIST)}`);
    const names = await (await get(playlist.pathname)).text();
    const segment = new URL(names.split("\n")[1], playlist);
    assert.equal(await status(segment.pathname), 200);
  });

  it("of a folder opens no other folder", async () => {
    const other = `${VIDEO}/frames/000000000.jpg`;
    b2.objects.set(`/${BUCKET}/${other}`, { type: "image/jpeg", bytes: FILM });
    assert.equal(await status(folder(SEGMENT).replace(SEGMENT, other)), 403);
    assert.equal(await status(folder(SEGMENT).replace(SEGMENT, `${VIDEO}/hls`)), 403);
    assert.equal(await status(link(other)), 200);
  });

  it("of the whole of videos/ is none", async () => {
    assert.equal(await status(link(SEGMENT, { scope: "videos/", depth: 1 })), 403);
  });

  it("ends with its time, and the browser keeps nothing longer", async () => {
    assert.equal(await status(link(SEGMENT, { seconds: 0 })), 410);
    assert.equal(await status(link(SEGMENT, { seconds: -5 })), 410);
    const kept = (await get(link(SEGMENT, { seconds: 60 }))).headers.get("cache-control");
    assert.match(kept, /^private, max-age=(5[0-9]|60)$/);
  });

  it("for longer than is allowed is none", async () => {
    assert.equal(await status(link(SEGMENT, { seconds: 86_000 })), 200);
    assert.equal(await status(link(SEGMENT, { seconds: 90_000 })), 403);
  });

  it("with any of its characters changed is none, and storage is not asked", async () => {
    const path = link(SEGMENT);
    const [expires, , signature] = path.slice(1).split("/")[0].split(".");
    for (let index = 0; index < signature.length; index += 1) {
      const digit = signature[index] === "0" ? "1" : "0";
      const changed = signature.slice(0, index) + digit + signature.slice(index + 1);
      assert.equal(await status(path.replace(signature, changed)), 403, `digit ${index}`);
    }
    assert.equal(await status(path.replace(expires, String(Number(expires) + 1))), 403);
    assert.equal(await status(path.replace(SEGMENT, SEGMENT.replace("00001", "00002"))), 403);
    assert.equal(await status(path.replace(".0.", ".3.")), 403);
    assert.equal(await status(link(SEGMENT, { secret: "another-secret-of-the-same-length" })), 403);
    assert.equal(b2.requests.length, 0);
  });

  it("of the secret before the last one still plays while both are set", async () => {
    assert.equal(await status(link(SEGMENT, { secret: OLD_SECRET })), 403);
    const rotating = start({ PLAYBACK_SECRET_PREVIOUS: OLD_SECRET });
    try {
      for (const secret of [SECRET, OLD_SECRET]) {
        const answer = await rotating.dispatchFetch(`https://cdn.example.com${link(SEGMENT, { secret })}`);
        await answer.arrayBuffer();
        assert.equal(answer.status, 200);
      }
    } finally {
      await rotating.dispose();
    }
  });
});

describe("what no link opens", () => {
  it("lists nothing and leaves neither bucket nor prefix", async () => {
    const keys = [
      "", "videos/", "videos", `${VIDEO}/`, "secrets/key.txt", "videosecret/a.ts", "videos/raw/p/film.mp4",
      `${VIDEO}/../../other-bucket/a.ts`, `${VIDEO}/%2e%2e/%2e%2e/a.ts`, `${VIDEO}/%2E%2E%2Fa.ts`,
      `${VIDEO}//a.ts`, `${VIDEO}/a%00.ts`, `${VIDEO}/a%0a.ts`, `${VIDEO}\\a.ts`, `${VIDEO}/.hidden`, `${VIDEO}/été.ts`,
      `${VIDEO}/a.ts%3Flist-type=2`, `${VIDEO}/${"a".repeat(1024)}`,
    ];
    for (const key of keys) assert.equal(await status(link(key)), 403, key);
    assert.equal(await status("/"), 403);
    assert.equal(await status(`/${SEGMENT}`), 403);
    assert.equal(b2.requests.length, 0);
  });

  it("takes no method that changes anything", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await get(link(SEGMENT), { method });
      await answer.arrayBuffer();
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("allow"), "GET, HEAD, OPTIONS");
    }
    assert.equal(b2.requests.length, 0);
  });
});

describe("the cache", () => {
  it("is asked for one address, whoever watches and with whichever link", async () => {
    await status(link(SEGMENT), { headers: { origin: APP, cookie: "session=1", "user-agent": "a" } });
    await status(`${link(SEGMENT, { seconds: 500 })}?list-type=2&x=1`, { headers: { origin: "https://other.example.com" } });
    await status(folder(SEGMENT));
    const urls = new Set(asked.map(({ url }) => url));
    assert.deepEqual([...urls], [`https://${HOST}/${BUCKET}/${SEGMENT}`]);
    for (const { headers } of b2.requests) {
      assert.equal(headers.origin, undefined);
      assert.equal(headers.cookie, undefined);
    }
  });

  it("keeps what is there and no error", async () => {
    await status(link(SEGMENT));
    assert.equal(asked[0].cf.cacheEverything, true);
    assert.deepEqual(asked[0].cf.cacheTtlByStatus, { "200-299": 86_400, "300-599": -1 });
  });
});

describe("ranges and conditions", () => {
  it("are passed through, unsigned", async () => {
    const answer = await get(link(SEGMENT), { headers: { range: "bytes=100-199" } });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers.get("content-range"), "bytes 100-199/4000");
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), FILM.subarray(100, 200));
    const open = await get(link(SEGMENT), { headers: { range: "bytes=3990-" } });
    assert.deepEqual(Buffer.from(await open.arrayBuffer()), FILM.subarray(3990));
  });

  it("that cannot be had are told with the size", async () => {
    const answer = await get(link(SEGMENT), { headers: { range: "bytes=9000-" } });
    assert.equal(answer.status, 416);
    assert.equal(answer.headers.get("content-range"), "bytes */4000");
    assert.doesNotMatch(await answer.text(), /Error|ai-compliance/);
  });

  it("that get lost on the way are asked for again, three times at most", async () => {
    b2.faults.push({ whole: true }, { whole: true });
    assert.equal(await status(link(SEGMENT), { headers: { range: "bytes=0-9" } }), 206);
    assert.equal(b2.requests.length, 3);
    b2.faults.push({ whole: true }, { whole: true }, { whole: true }, { whole: true });
    assert.equal(await status(link(SEGMENT), { headers: { range: "bytes=0-9" } }), 200);
    assert.equal(b2.requests.length, 6);
  });

  it("of a file that has not changed are answered without it", async () => {
    const answer = await get(link(SEGMENT), { headers: { "if-none-match": '"e1"' } });
    assert.equal(answer.status, 304);
    assert.equal((await answer.arrayBuffer()).byteLength, 0);
  });

  it("HEAD is asked as GET, and has the headers alone", async () => {
    const answer = await get(link(SEGMENT), { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-length"), "4000");
    assert.equal((await answer.arrayBuffer()).byteLength, 0);
    assert.equal(b2.requests[0].method, "GET");
    assert.equal(await status(link(SEGMENT, { secret: OLD_SECRET }), { method: "HEAD" }), 403);
  });
});

describe("other pages", () => {
  it("of the list may read, and no others", async () => {
    const ours = await get(link(SEGMENT), { headers: { origin: APP } });
    await ours.arrayBuffer();
    assert.equal(ours.headers.get("access-control-allow-origin"), APP);
    assert.match(ours.headers.get("access-control-expose-headers"), /content-range/);
    assert.match(ours.headers.get("vary"), /Origin/);
    const theirs = await get(link(SEGMENT), { headers: { origin: "https://evil.example.com" } });
    await theirs.arrayBuffer();
    assert.equal(theirs.headers.get("access-control-allow-origin"), null);
    assert.match(theirs.headers.get("vary"), /Origin/);
  });

  it("are told of a refusal too, so that the player can say why", async () => {
    const late = await get(link(SEGMENT, { seconds: -1 }), { headers: { origin: APP } });
    assert.equal(late.status, 410);
    assert.equal(late.headers.get("access-control-allow-origin"), APP);
    await late.arrayBuffer();
  });

  it("ask first without a question to storage", async () => {
    const headers = { origin: APP, "access-control-request-method": "GET", "access-control-request-headers": "range" };
    const answer = await get(link(SEGMENT), { method: "OPTIONS", headers });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.get("access-control-allow-headers"), /range/);
    const theirs = await get(link(SEGMENT), { method: "OPTIONS", headers: { ...headers, origin: "https://evil.example.com" } });
    assert.equal(theirs.headers.get("access-control-allow-origin"), null);
    assert.equal(theirs.headers.get("access-control-allow-methods"), null);
    assert.equal(b2.requests.length, 0);
  });
});

describe("storage that fails", () => {
  it("never speaks to the visitor itself, and nothing of it is kept", async () => {
    const cases = [
      [{ status: 404, code: "NoSuchKey" }, 404],
      [{ status: 403, code: "AccessDenied" }, 502],
      [{ status: 401, code: "Unauthorized" }, 502],
      [{ status: 500 }, 502],
      [{ status: 503, code: "SlowDown", headers: { "retry-after": "7" } }, 503],
      [{ status: 301, code: "PermanentRedirect", headers: { location: "https://elsewhere.example.com/" } }, 502],
      [{ drop: true }, 502],
    ];
    for (const [fault, expected] of cases) {
      b2.faults.push(fault);
      const answer = await get(link(SEGMENT));
      assert.equal(answer.status, expected, JSON.stringify(fault));
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(answer.headers.get("retry-after"), expected === 503 ? "7" : null);
      assert.doesNotMatch(await answer.text(), /Error|Code|ai-compliance/);
    }
  });

  it("refuses a wrong key, which is our fault and not the visitor's", async () => {
    const wrong = start({ B2_APPLICATION_KEY: "K003wrong" });
    try {
      const answer = await wrong.dispatchFetch(`https://cdn.example.com${link(SEGMENT)}`);
      await answer.arrayBuffer();
      assert.equal(answer.status, 502);
    } finally {
      await wrong.dispose();
    }
  });
});

describe("a Worker that is not set up", () => {
  it("plays nothing and gives no secret away", async () => {
    const bad = [
      { PLAYBACK_SECRET: "" }, { PLAYBACK_SECRET: "short" }, { PLAYBACK_SECRET_PREVIOUS: "short" },
      { B2_BUCKET: "a/b" }, { B2_ENDPOINT: "http://s3.eu-central-003.backblazeb2.com" },
      { B2_ENDPOINT: "https://evil.example.com" }, { B2_APPLICATION_KEY: "" }, { B2_APPLICATION_KEY_ID: "" },
      { ALLOWED_ORIGINS: "*" }, { ALLOWED_ORIGINS: "https://app.example.com/" }, { MAX_LIFETIME_SECONDS: "soon" },
    ];
    for (const changes of bad) {
      const broken = start(changes);
      try {
        const answer = await broken.dispatchFetch(`https://cdn.example.com${link(SEGMENT)}`);
        assert.equal(answer.status, 500, JSON.stringify(changes));
        assert.equal(await answer.text(), "Playback is not set up.\n");
      } finally {
        await broken.dispose();
      }
    }
    assert.equal(b2.requests.length, 0);
  });
});

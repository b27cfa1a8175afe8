// Playback from a private bucket: checks the signed path before the cache is asked, then fetches the
// object under its bare name. See ../README.md.

import { ask } from "./origin.js";
import { readSettings } from "./settings.js";
import { isSigned, parsePath } from "./token.js";

const METHODS = "GET, HEAD, OPTIONS";
const PASSED_ON = [
  "accept-ranges", "content-length", "content-range", "content-type", "etag", "last-modified",
];

export default {
  async fetch(request, env) {
    const { settings, faults } = readSettings(env);
    if (faults) {
      console.error(`playback is not set up: ${faults.join("; ")}`);
      return refusal(500, "Playback is not set up.");
    }
    const answer = await respond(request, settings);
    return withCors(answer, request, settings.origins);
  },
};

async function respond(request, settings) {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow: METHODS } });
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refusal(405, "Only GET and HEAD.", { allow: METHODS });
  }
  const link = parsePath(new URL(request.url).pathname);
  if (link === null || !(await isSigned(link, settings.secrets))) {
    return refusal(403, "This link is not valid.");
  }
  const left = link.expires - Math.floor(Date.now() / 1000);
  if (left <= 0) return refusal(410, "This link has expired.");
  if (left > settings.longest) return refusal(403, "This link is not valid.");
  let answer;
  try {
    answer = await ask(settings, link.key, request.headers);
  } catch (error) {
    console.error(`storage cannot be reached: ${error.message}`);
    return refusal(502, "Storage cannot be reached.");
  }
  return played(answer, request.method, left);
}

/** What the visitor gets of storage's answer: never its own words, which name the bucket. */
async function played(answer, method, left) {
  const { status } = answer;
  if ([200, 206, 304].includes(status)) {
    const headers = new Headers({ "cache-control": `private, max-age=${left}` });
    for (const name of PASSED_ON) {
      const value = answer.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    headers.set("x-content-type-options", "nosniff");
    // A page or a drawing in the bucket may be looked at and may run nothing.
    headers.set("content-security-policy", "default-src 'none'; sandbox");
    if (method === "GET" && status !== 304) return new Response(answer.body, { status, headers });
    await answer.body?.cancel();
    return new Response(null, { status, headers });
  }
  await answer.body?.cancel();
  if (status === 404) return refusal(404, "There is no such file.");
  if (status === 416) {
    const size = answer.headers.get("content-range");
    return refusal(416, "The file has no such range.", size === null ? {} : { "content-range": size });
  }
  console.error(`storage answered ${status}`);
  if (status === 429 || status === 503) {
    const pause = answer.headers.get("retry-after");
    return refusal(503, "Storage is busy.", { "retry-after": /^[0-9]{1,4}$/.test(pause) ? pause : "5" });
  }
  return refusal(502, "Storage did not answer as it should.");
}

function refusal(status, text, headers = {}) {
  return new Response(`${text}\n`, {
    status,
    headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

function withCors(answer, request, origins) {
  if (origins.length === 0) return answer;
  answer.headers.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (!origins.includes(origin)) return answer;
  answer.headers.set("access-control-allow-origin", origin);
  answer.headers.set("access-control-expose-headers", "accept-ranges, content-length, content-range, etag");
  if (request.method === "OPTIONS") {
    answer.headers.set("access-control-allow-methods", METHODS);
    answer.headers.set("access-control-allow-headers", "range, if-range, if-none-match, if-modified-since");
    answer.headers.set("access-control-max-age", "86400");
  }
  return answer;
}

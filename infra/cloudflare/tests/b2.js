// A small B2: the S3 calls that playback makes, over HTTP, with B2's own rules and words. It checks
// SigV4 from the specification, with nothing of the library that the Worker signs with.

import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";

export const REGION = "eu-central-003";
export const HOST = `s3.${REGION}.backblazeb2.com`;
export const BUCKET = "ai-compliance-agent";
export const KEY_ID = "003a1b2c3d4e5f60000000001";
export const KEY = "K003abcdefghijklmnopqrstuvwxyz01";
// What Cloudflare changes on the way must not be signed.
const NOT_SIGNED = /^(range|if-.*|cf-.*|accept-encoding|x-real-ip|x-forwarded-proto)$/;

const hash = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

/** Why a request is refused, or null. */
function refusal(request) {
  const header = request.headers.authorization ?? "";
  const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(header);
  if (!found) return "AccessDenied";
  const [, id, day, region, names, signature] = found;
  if (id !== KEY_ID) return "InvalidAccessKeyId";
  if (region !== REGION || request.headers.host !== HOST) return "SignatureDoesNotMatch";
  const date = request.headers["x-amz-date"] ?? "";
  const time = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(Date.now() - time) < 900_000) || !date.startsWith(day)) return "RequestTimeTooSkewed";
  const signed = names.split(";");
  if (!signed.includes("host") || signed.some((name) => NOT_SIGNED.test(name))) return "SignatureDoesNotMatch";
  const [path, query = ""] = request.url.split("?");
  const lines = signed.map((name) => `${name}:${request.headers[name]}\n`).join("");
  const payload = request.headers["x-amz-content-sha256"];
  const canonical = [request.method, path, query, lines, names, payload].join("\n");
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
  const key = [day, REGION, "s3", "aws4_request"].reduce(hmac, `AWS4${KEY}`);
  return createHmac("sha256", key).update(text).digest("hex") === signature ? null : "SignatureDoesNotMatch";
}

function fail(response, status, code, headers = {}) {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><BucketName>${BUCKET}</BucketName></Error>`);
}

/** The server; `objects` is what it holds, `requests` what it was asked, `faults` what it does next. */
export async function startB2() {
  const b2 = { objects: new Map(), requests: [], faults: [] };
  const server = createServer((request, response) => {
    b2.requests.push({ method: request.method, url: request.url, headers: request.headers });
    const fault = b2.faults.shift();
    if (fault?.drop) return request.socket.destroy();
    if (fault?.status) return fail(response, fault.status, fault.code ?? "InternalError", fault.headers);
    const refused = refusal(request);
    if (refused) return fail(response, 403, refused);
    if (request.method !== "GET") return fail(response, 405, "MethodNotAllowed");
    const object = b2.objects.get(request.url);
    if (!object) return fail(response, 404, "NoSuchKey");
    const headers = {
      "content-type": object.type,
      etag: '"e1"',
      "accept-ranges": "bytes",
      "x-amz-version-id": "4_z1",
      "last-modified": "Fri, 13 Nov 2026 08:00:00 GMT",
    };
    if (request.headers["if-none-match"] === '"e1"') return response.writeHead(304, headers).end();
    const size = object.bytes.length;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    if (!range || fault?.whole) return response.writeHead(200, { ...headers, "content-length": size }).end(object.bytes);
    const first = Number(range[1]);
    if (first >= size) return fail(response, 416, "InvalidRange", { "content-range": `bytes */${size}` });
    const last = Math.min(range[2] === "" ? size - 1 : Number(range[2]), size - 1);
    const part = object.bytes.subarray(first, last + 1);
    const told = { "content-range": `bytes ${first}-${last}/${size}`, "content-length": part.length };
    return response.writeHead(206, { ...headers, ...told }).end(part);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  b2.port = server.address().port;
  b2.stop = () => new Promise((closed) => server.close(closed).closeAllConnections());
  return b2;
}

// A playback path is /EXPIRES.DEPTH.SIGNATURE/KEY.
//
// The signature stands in the path and not in a query, so that the relative names in an HLS playlist
// keep it. DEPTH 0 opens KEY alone; DEPTH n opens everything below the first n parts of KEY, which is
// how one signature serves a playlist and its segments.
//
//   SIGNATURE = hex(HMAC-SHA256(secret, "playback-v1\n" + EXPIRES + "\n" + SCOPE))
//   SCOPE     = KEY, or its first n parts, each followed by "/"

const PATH = /^\/([1-9][0-9]{9})\.([0-9])\.([0-9a-f]{64})\/(.+)$/;
// What the product's own keys are made of; an escape, a backslash or an empty part is no key.
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
/** The only part of the bucket that is ever shown. */
const PREFIX = "videos/";
// Uploads as they came are none of the CDN's business: they are over its size limit, and not checked.
const HIDDEN = "videos/raw/";

/** Takes a path apart; `null` for one that this product does not write. */
export function parsePath(path) {
  const [, expires, depth, signature, key] = PATH.exec(path) ?? [];
  if (key === undefined || key.length > 1024 || !KEY.test(key)) return null;
  if (!key.startsWith(PREFIX) || key.startsWith(HIDDEN)) return null;
  const scope = scopeOf(key, Number(depth));
  return scope === null ? null : { expires: Number(expires), signature, key, scope };
}

function scopeOf(key, depth) {
  if (depth === 0) return key;
  // One part would be the whole of `videos/`: a signature is never for more than one video.
  if (depth === 1) return null;
  const parts = key.split("/");
  return parts.length > depth ? `${parts.slice(0, depth).join("/")}/` : null;
}

/** Whether one of the secrets wrote this signature; `verify` compares in constant time. */
export async function isSigned({ expires, signature, scope }, secrets) {
  const text = new TextEncoder();
  const message = text.encode(`playback-v1\n${expires}\n${scope}`);
  const claimed = Uint8Array.from(signature.match(/../g), (pair) => Number.parseInt(pair, 16));
  let signed = false;
  for (const secret of secrets) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", text.encode(secret), algorithm, false, ["verify"]);
    // Every secret is tried, so that the time does not tell which one it was.
    signed = (await crypto.subtle.verify("HMAC", key, claimed, message)) || signed;
  }
  return signed;
}

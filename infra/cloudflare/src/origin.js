// The private bucket, asked with SigV4 in a header.

import { AwsClient } from "aws4fetch";

const ATTEMPTS = 3;
const CACHED_SECONDS = 86_400;
// Handed on as they came and never signed: Cloudflare drops or changes them on the way.
const CONDITIONS = ["range", "if-range", "if-none-match", "if-modified-since"];

/**
 * Asks for one object. The address has no query and no trace of the visitor, so that all viewers of
 * an object share one cache entry; errors are never kept, or a link that was opened too early would
 * stay broken.
 */
export async function ask(settings, key, visitor) {
  const client = new AwsClient({
    accessKeyId: settings.keyId,
    secretAccessKey: settings.key,
    service: "s3",
    region: settings.region,
  });
  const address = `${settings.endpoint}/${settings.bucket}/${key}`;
  // HEAD may reach the bucket as GET, which would break its signature: GET is what is signed.
  const signed = await client.sign(address, { method: "GET" });
  const headers = new Headers(signed.headers);
  for (const name of CONDITIONS) {
    const value = visitor.get(name);
    if (value !== null) headers.set(name, value);
  }
  const cf = {
    cacheEverything: true,
    cacheTtlByStatus: { "200-299": CACHED_SECONDS, "300-599": -1 },
  };
  const wantsRange = headers.has("range");
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(address, { method: "GET", headers, redirect: "manual", cf });
    // On a large file the runtime now and then drops the range; an answer to the next try has it.
    const isWhole = answer.status === 200 && !answer.headers.has("content-range");
    if (!wantsRange || !isWhole || headers.has("if-range") || attempt === ATTEMPTS) return answer;
    await answer.body?.cancel();
  }
}

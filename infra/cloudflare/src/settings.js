// Bindings of the Worker, checked together: whoever sets it up learns of all faults at once, in the log.

const SHORTEST_SECRET = 32;
const DAY = 86_400;

/** Reads the bindings; `{ settings }` or `{ faults }`, which name settings and never their values. */
export function readSettings(env) {
  const faults = [];
  const required = (name) => {
    const value = typeof env[name] === "string" ? env[name].trim() : "";
    if (value === "") faults.push(`${name} is not set`);
    return value;
  };
  const secret = (name, value) => {
    if (value !== "" && value.length < SHORTEST_SECRET) {
      faults.push(`${name} is shorter than ${SHORTEST_SECRET} characters`);
    }
    return value;
  };

  const endpoint = required("B2_ENDPOINT").replace(/\/+$/, "");
  // B2 takes no region but the one in the endpoint's own name.
  const region = /^https:\/\/s3\.([a-z0-9-]+)\.backblazeb2\.com$/.exec(endpoint)?.[1];
  if (endpoint !== "" && region === undefined) {
    faults.push("B2_ENDPOINT is no https://s3.REGION.backblazeb2.com");
  }
  const bucket = required("B2_BUCKET");
  if (bucket !== "" && !/^[A-Za-z0-9][A-Za-z0-9-]{4,61}[A-Za-z0-9]$/.test(bucket)) {
    faults.push("B2_BUCKET is no bucket name");
  }
  const keyId = required("B2_APPLICATION_KEY_ID");
  const key = required("B2_APPLICATION_KEY");
  const secrets = [
    secret("PLAYBACK_SECRET", required("PLAYBACK_SECRET")),
    secret("PLAYBACK_SECRET_PREVIOUS", (env.PLAYBACK_SECRET_PREVIOUS ?? "").trim()),
  ].filter((value) => value !== "");
  const longest = Number(env.MAX_LIFETIME_SECONDS ?? DAY);
  if (!Number.isInteger(longest) || longest < 1 || longest > 7 * DAY) {
    faults.push(`MAX_LIFETIME_SECONDS is no whole number from 1 to ${7 * DAY}`);
  }
  const origins = (env.ALLOWED_ORIGINS ?? "").split(",").map((text) => text.trim()).filter(Boolean);
  for (const origin of origins) {
    if (!isOrigin(origin)) faults.push(`ALLOWED_ORIGINS: ${origin} is no origin such as https://app.example.com`);
  }
  if (faults.length > 0) return { faults };
  return { settings: { endpoint, region, bucket, keyId, key, secrets, longest, origins } };
}

function isOrigin(text) {
  return URL.canParse(text) && new URL(text).origin === text;
}

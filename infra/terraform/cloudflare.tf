# The playback Worker at its own name. `npm run bundle --prefix infra/cloudflare` writes the bundle first; who deploys with
# wrangler instead leaves this file out, so that not two hands hold one Worker.

locals {
  bundle = "${path.module}/../cloudflare/build/worker.js"
}

resource "cloudflare_workers_script" "playback" {
  account_id         = var.cloudflare_account_id
  script_name        = "ai-compliance-playback"
  main_module        = "worker.js"
  content_file       = local.bundle
  content_sha256     = filesha256(local.bundle)
  compatibility_date = "2026-02-01"
  bindings = [
    { name = "B2_ENDPOINT", type = "plain_text", text = var.b2_endpoint },
    { name = "B2_BUCKET", type = "plain_text", text = b2_bucket.media.bucket_name },
    { name = "ALLOWED_ORIGINS", type = "plain_text", text = var.public_url },
    { name = "MAX_LIFETIME_SECONDS", type = "plain_text", text = "86400" },
    { name = "B2_APPLICATION_KEY_ID", type = "secret_text", text = b2_application_key.part["playback"].application_key_id },
    { name = "B2_APPLICATION_KEY", type = "secret_text", text = b2_application_key.part["playback"].application_key },
    { name = "PLAYBACK_SECRET", type = "secret_text", text = var.playback_secret },
  ]
  observability = {
    enabled = true
  }
}

# Brings the DNS record and the certificate of the name along.
resource "cloudflare_workers_custom_domain" "playback" {
  account_id = var.cloudflare_account_id
  zone_id    = var.cloudflare_zone_id
  hostname   = var.cdn_hostname
  service    = cloudflare_workers_script.playback.script_name
}

output "settings" {
  description = "Settings of the program."
  sensitive   = true
  value = {
    BACKBLAZE_ENDPOINT_URL       = var.b2_endpoint
    BACKBLAZE_BUCKET_NAME        = b2_bucket.media.bucket_name
    BACKBLAZE_APPLICATION_KEY_ID = b2_application_key.part["program"].application_key_id
    BACKBLAZE_APPLICATION_KEY    = b2_application_key.part["program"].application_key
    CLOUDFLARE_CDN_URL           = "https://${cloudflare_workers_custom_domain.playback.hostname}"
    CLOUDFLARE_ZONE_ID           = var.cloudflare_zone_id
    PLAYBACK_SECRET              = var.playback_secret
  }
}

variable "bucket_name" {
  description = "The one bucket: uploads, frames, reports. Unique across all of B2."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{4,61}[A-Za-z0-9]$", var.bucket_name)) && !startswith(lower(var.bucket_name), "b2-")
    error_message = "6 to 63 letters, digits and hyphens, not beginning with b2-."
  }
}

variable "b2_endpoint" {
  description = "The bucket's S3 endpoint, as its page shows it."
  type        = string
  validation {
    condition     = can(regex("^https://s3\\.[a-z0-9-]+\\.backblazeb2\\.com$", var.b2_endpoint))
    error_message = "An address such as https://s3.eu-central-003.backblazeb2.com, without a slash at its end."
  }
}

variable "public_url" {
  description = "Where the page stands: its browser uploads to the bucket, and B2 reports uploads to it."
  type        = string
  validation {
    condition     = can(regex("^https://[^/]+$", var.public_url))
    error_message = "An https address without a path and without a slash at its end."
  }
}

variable "notification_secret" {
  description = "B2_NOTIFICATION_SECRET of the program."
  type        = string
  sensitive   = true
  validation {
    condition     = can(regex("^[A-Za-z0-9]{32}$", var.notification_secret))
    error_message = "Exactly 32 letters and digits."
  }
}

variable "notifications_enabled" {
  description = "True once Backblaze's support has enabled Event Notifications; without them uploads are found by asking."
  type        = bool
  default     = false
}

variable "cloudflare_account_id" {
  description = "Account id, 32 hexadecimal digits."
  type        = string
}

variable "cloudflare_zone_id" {
  description = "Zone id (not its name), 32 hexadecimal digits."
  type        = string
}

variable "cdn_hostname" {
  description = "The name of playback, within the zone: cdn.example.com."
  type        = string
}

variable "playback_secret" {
  description = "Signs playback paths, 32 characters or more."
  type        = string
  sensitive   = true
  validation {
    condition     = length(var.playback_secret) >= 32
    error_message = "32 characters or more."
  }
}

# The private bucket, its rules (the same files that are sent through the native API) and one key per task.

locals {
  # The secret is not among them: what is made with it could not say how many rules there are.
  names = {
    B2_ACCOUNT_ID          = ""
    B2_BUCKET_ID           = ""
    PUBLIC_URL             = var.public_url
    B2_NOTIFICATION_SECRET = ""
  }
  cors          = jsondecode(templatefile("${path.module}/../b2/cors.json", local.names)).corsRules
  lifecycle     = jsondecode(templatefile("${path.module}/../b2/lifecycle.json", local.names)).lifecycleRules
  notifications = jsondecode(templatefile("${path.module}/../b2/notifications.json", local.names)).eventNotificationRules

  # Least privilege: what each part calls and nothing more; none may make keys or change the bucket.
  keys = {
    # Everything in one: `.do/app.yaml`, where all functions share their settings.
    program = ["deleteFiles", "listAllBucketNames", "listBuckets", "listFiles", "readFiles", "writeFiles"]
    # The same, part by part, for a deployment with one component per function.
    # upload-signed-url: presigned uploads, and the parts of one that goes on.
    upload = ["listAllBucketNames", "listBuckets", "listFiles", "writeFiles"]
    # on-upload, frame-extract, report-finalize.
    analysis = ["listFiles", "readFiles", "writeFiles"]
    # cleanup: looks for uploads, deletes version by version.
    eraser = ["deleteFiles", "listFiles", "readFiles", "writeFiles"]
    # The Worker at the edge.
    playback = ["readFiles"]
  }
}

resource "b2_bucket" "media" {
  bucket_name = var.bucket_name
  bucket_type = "allPrivate"
  # What is fetched with an Authorization header is kept by a cache only when it says `public`; who may fetch is decided before.
  bucket_info = { "Cache-Control" = "public, max-age=86400" }

  default_server_side_encryption {
    algorithm = "AES256"
    mode      = "SSE-B2"
  }

  dynamic "cors_rules" {
    for_each = local.cors
    content {
      cors_rule_name     = cors_rules.value.corsRuleName
      allowed_origins    = cors_rules.value.allowedOrigins
      allowed_operations = cors_rules.value.allowedOperations
      allowed_headers    = cors_rules.value.allowedHeaders
      expose_headers     = cors_rules.value.exposeHeaders
      max_age_seconds    = cors_rules.value.maxAgeSeconds
    }
  }

  dynamic "lifecycle_rules" {
    for_each = local.lifecycle
    content {
      file_name_prefix                                       = lifecycle_rules.value.fileNamePrefix
      days_from_uploading_to_hiding                          = lifecycle_rules.value.daysFromUploadingToHiding
      days_from_hiding_to_deleting                           = lifecycle_rules.value.daysFromHidingToDeleting
      days_from_starting_to_canceling_unfinished_large_files = lifecycle_rules.value.daysFromStartingToCancelingUnfinishedLargeFiles
    }
  }

  # Videos and reports are in it.
  lifecycle {
    prevent_destroy = true
  }
}

resource "b2_bucket_notification_rules" "uploads" {
  count     = var.notifications_enabled ? 1 : 0
  bucket_id = b2_bucket.media.bucket_id

  dynamic "notification_rules" {
    for_each = local.notifications
    content {
      name               = notification_rules.value.name
      event_types        = notification_rules.value.eventTypes
      is_enabled         = notification_rules.value.isEnabled
      object_name_prefix = notification_rules.value.objectNamePrefix
      target_configuration {
        target_type                = notification_rules.value.targetConfiguration.targetType
        url                        = notification_rules.value.targetConfiguration.url
        hmac_sha256_signing_secret = var.notification_secret
      }
    }
  }
}

resource "b2_application_key" "part" {
  for_each     = local.keys
  key_name     = "ai-compliance-${each.key}"
  bucket_ids   = [b2_bucket.media.bucket_id]
  capabilities = each.value
  # The edge shows what was made of a video; the program reaches everything.
  name_prefix = each.key == "playback" ? "videos/" : null
}

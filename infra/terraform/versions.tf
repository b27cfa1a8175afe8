# Exact versions: what was reviewed is what is applied.
terraform {
  required_version = ">= 1.9.0"
  required_providers {
    b2 = {
      source  = "Backblaze/b2"
      version = "0.14.0"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "5.14.0"
    }
  }
}

# Both read their credentials from the environment, never from a file: B2_APPLICATION_KEY_ID and
# B2_APPLICATION_KEY of a one-off administrator's key, CLOUDFLARE_API_TOKEN.
provider "b2" {}

provider "cloudflare" {}

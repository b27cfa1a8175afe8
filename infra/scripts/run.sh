#!/usr/bin/env bash
# Set-up, build, weights, server: `./justw run`.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
program=$(build_compliance)
"$program" models fetch
exec "$program" serve "$@"

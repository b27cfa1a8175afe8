#!/usr/bin/env bash
# Set-up, build, weights, then the check itself, started where the caller stands: `./justw check FILE…`.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
program=$(build_compliance)
"$program" models fetch
# `just` itself changes into the project's folder; paths given on the command line mean the caller's.
# What has been checked is remembered in the project, wherever the caller stands.
export DATA_DIR=${DATA_DIR:-$root/data}
cd "${INVOCATION_DIRECTORY:-$root}"
exec "$program" check "$@"

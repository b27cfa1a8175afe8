#!/usr/bin/env bash
# Builds the long clips once and measures a check of each: `./justw bench [NAME…]`.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
infra/scripts/setup-test.sh
program=$(PROFILE=release build_compliance)
"$program" models fetch
if [ $# -eq 0 ]; then set -- ten-minutes two-hours; fi
folder=$(python3 tests/fixtures/build.py "$@")
for name in "$@"; do
    python3 infra/scripts/bench.py "$program" "$folder/$name.mp4"
done

#!/usr/bin/env bash
# Builds the long clips once and measures a check of each: `./justw bench [NAME…]`; a NAME with a
# slash is a file of your own.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
infra/scripts/setup-test.sh
export PROFILE=${PROFILE:-release}
program=$(build_compliance)
cargo build --locked --profile "$PROFILE" -p inference
"$program" models fetch
if [ $# -eq 0 ]; then set -- ten-minutes two-hours; fi
for name in "$@"; do
    case $name in
        */*) file=$name ;;
        *) file=$(python3 tests/fixtures/build.py "$name")/$name.mp4 ;;
    esac
    python3 infra/scripts/bench.py "$(dirname "$program")" "$file"
done

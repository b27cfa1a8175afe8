#!/usr/bin/env bash
# Builds the long clips once and measures a check of each: `./justw bench [NAME…]`; a NAME with a
# slash is a file of your own. `./justw bench hosts [FUNCTION…]` measures the starts of the functions instead,
# `./justw bench rescore [VIDEOS]` how long stored evidence takes to be judged again,
# `./justw bench accuracy [--write]` how right the findings are.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
if [ "${1:-}" = hosts ]; then
    shift
    if [ $# -eq 0 ]; then
        set -- upload-signed-url on-upload frame-extract replicate-webhook report-finalize send-email cleanup console
    fi
    binaries=()
    for name in "$@"; do binaries+=("$(build_static "$name")"); done
    exec python3 infra/scripts/bench_hosts.py "$(PROFILE=dev build_compliance)" "${binaries[@]}"
fi
if [ "${1:-}" = rescore ]; then
    exec python3 infra/scripts/bench_rescore.py "$(PROFILE=release build_compliance)" "${@:2}"
fi
infra/scripts/setup-test.sh
if [ "${1:-}" = accuracy ]; then
    shift
    need 'have flite' flite flite
    need 'ls /usr/share/pocketsphinx/test/data/librivox' pocketsphinx-testdata -
    need 'ls /usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf' fonts-liberation -
    install_missing
    if [ ! -d "$cache/segno-1.6.6" ]; then
        say "Installing segno, which draws QR codes"
        python3 -m pip install --quiet --no-deps --target "$cache/segno-1.6.6.part" segno==1.6.6 >&2
        mv "$cache/segno-1.6.6.part" "$cache/segno-1.6.6"
    fi
    # As the tests build it: what is found does not depend on the profile.
    cargo build --locked --workspace --bins
    "$target/debug/compliance" models fetch
    export PYTHONPATH=$cache/segno-1.6.6${PYTHONPATH:+:$PYTHONPATH}
    exec python3 infra/scripts/bench_accuracy.py "$target/debug/judge" "$target/debug/compliance" "$@"
fi
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

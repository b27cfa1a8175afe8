#!/usr/bin/env bash
# Builds the doors as static ELF files and lays each where `doctl serverless deploy` looks for it.
source "$(dirname "$0")/../scripts/lib.sh"

need_rust
need_intel
doors=infra/functions/packages/functions
for folder in "$doors"/*/; do
    binary=$(build_static "$(basename "$folder")" "$intel")
    install -m 755 "$binary" "$folder/exec"
done
# A built function may have 48 MB at most.
find "$doors" -name exec -size +48M -print | { ! grep . || fail "These are too large for the host."; }

#!/usr/bin/env bash
# Builds the doors as static ELF files and lays each where `doctl serverless deploy` looks for it.
source "$(dirname "$0")/../scripts/lib.sh"

machine=x86_64-unknown-linux-musl
need_rust
need 'have musl-gcc' musl-tools -
install_missing
rustup target add "$machine"
doors=infra/functions/packages/functions
for folder in "$doors"/*/; do
    name=$(basename "$folder")
    say "Building $name"
    cargo build --locked --release --target "$machine" -p "$name"
    install -m 755 "$target/$machine/release/$name" "$folder/exec"
done
# A built function may have 48 MB at most.
find "$doors" -name exec -size +48M -print | { ! grep . || fail "These are too large for the host."; }

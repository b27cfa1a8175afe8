#!/usr/bin/env bash
# Builds each function of the template as a static ELF named `bootstrap`, where its CodeUri points to.
source "$(dirname "$0")/../scripts/lib.sh"

machine=x86_64-unknown-linux-musl
need_rust
need 'have musl-gcc' musl-tools -
install_missing
rustup target add "$machine"
for name in $(sed -n 's|^ *CodeUri: build/\(.*\)/$|\1|p' infra/lambda/template.yaml); do
    say "Building $name"
    cargo build --locked --release --target "$machine" -p "$name"
    install -D -m 755 "$target/$machine/release/$name" "infra/lambda/build/$name/bootstrap"
done

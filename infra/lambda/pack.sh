#!/usr/bin/env bash
# Builds each function of the template as a static ELF named `bootstrap`, where its CodeUri points to.
source "$(dirname "$0")/../scripts/lib.sh"

need_rust
need_intel
for name in $(sed -n 's|^ *CodeUri: build/\(.*\)/$|\1|p' infra/lambda/template.yaml); do
    binary=$(build_static "$name" "$intel")
    install -D -m 755 "$binary" "infra/lambda/build/$name/bootstrap"
done

#!/usr/bin/env bash
# Builds one binary for release and says where it lies: `./justw package frame-extract`.
source "$(dirname "$0")/lib.sh"

name=${1:-compliance}
[ -d "functions/$name" ] || fail "There is no functions/$name; there are: $(ls functions | xargs)"
cargo build --locked --release -p "$name"
ls -lh "$target/release/$name"

#!/usr/bin/env bash
# Builds one binary for release and packs it for its hosts: `./justw package frame-extract`.
# A function lands in FOLDER/NAME as `bootstrap` and in NAME-lambda.zip (AWS Lambda), and as `exec` and in
# NAME-actionloop.zip (DigitalOcean Functions, OpenWhisk): one and the same file.
source "$(dirname "$0")/lib.sh"

name=${1:-compliance}
[ -d "functions/$name" ] || fail "There is no functions/$name; there are: $(ls functions | xargs)"
binary=$(build_static "$name")
ls -lh "$binary"
if [ "$name" != compliance ]; then
    python3 infra/scripts/package.py "$binary" "$target/package/$name"
fi

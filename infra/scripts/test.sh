#!/usr/bin/env bash
# Set-up, fixtures, then every test on SQLite and what touches a database again on PostgreSQL: `./justw test`.
# A filter given here is handed to nextest: `./justw test -p shared-store`.
source "$(dirname "$0")/lib.sh"

infra/scripts/setup.sh
infra/scripts/setup-test.sh
say "Building the tests"
second=() everything=
if [ $# -eq 0 ]; then set -- --workspace; everything=yes; else second=(--no-tests=pass); fi
# Tests and binaries in one go, so that features are unified once and nothing is compiled twice.
cargo build --locked --workspace --bins --tests
"$target/debug/compliance" models fetch
python3 tests/fixtures/build.py >&2

say "Tests on SQLite"
cargo nextest run --locked "$@"
say "Tests on PostgreSQL"
TEST_DATABASE=postgres cargo nextest run --locked "$@" ${second[@]+"${second[@]}"} \
    -E 'rdeps(shared-testing) and (not package(it) or test(/^(browser|hosts)::/))'
# The store's own suite once more through PgBouncer, which needs no setting.
say "The store behind PgBouncer"
TEST_DATABASE=pgbouncer cargo nextest run --locked "$@" ${second[@]+"${second[@]}"} \
    -E 'package(shared-store)'
if [ -n "$everything" ]; then
    say "The playback Worker in its own runtime"
    npm test --silent --prefix infra/cloudflare
fi

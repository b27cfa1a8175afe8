#!/usr/bin/env bash
# What must be true of the sources without running the product: `./justw lint`.
source "$(dirname "$0")/lib.sh"

need_rust
say "Format"
cargo fmt --all --check
say "Clippy"
cargo clippy --locked --workspace --all-targets -- -D warnings
say "Documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --workspace --no-deps
say "Scripts"
for script in infra/scripts/*.sh .ci/run; do bash -n "$script"; done
sh -n justw
python3 -m py_compile tests/fixtures/*.py infra/scripts/*.py
if cargo deny --version >/dev/null 2>&1; then
    say "Dependencies"
    cargo deny --offline --locked check --config .cargo/deny.toml bans licenses sources
else
    say "Dependencies: not checked, cargo-deny is not installed (cargo install --locked cargo-deny)"
fi
say "Structure"
# The whole workspace is named so that features are those of `just test` and its build is reused.
cargo test --locked --quiet --workspace --test it -- layering:: sizes:: leftovers:: migrations:: deployment:: settings::

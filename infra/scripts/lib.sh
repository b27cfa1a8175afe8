# shellcheck shell=bash
# Shared by the scripts of this folder: what is missing is noted by `need`, then installed at once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$root/$target ;; esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/compliance
missing_deb=()
missing_brew=()

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

# need "TEST" DEBIAN-PACKAGE BREW-FORMULA: notes the package when the test fails; `-` is "none there".
need() {
    if eval "$1" >/dev/null 2>&1; then return 0; fi
    if [ "$2" != - ]; then missing_deb+=("$2"); fi
    if [ "$3" != - ]; then missing_brew+=("$3"); fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else fail "Root or sudo is needed to run: $*"
    fi
}

# Installs everything noted so far with the system's own package manager.
install_missing() {
    if have apt-get; then
        [ ${#missing_deb[@]} -gt 0 ] || return 0
        say "Installing with apt-get: ${missing_deb[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing_deb[@]}" >&2
    elif have brew; then
        [ ${#missing_brew[@]} -gt 0 ] || return 0
        say "Installing with brew: ${missing_brew[*]}"
        brew install --quiet "${missing_brew[@]}" >&2
    elif [ ${#missing_deb[@]} -gt 0 ]; then
        fail "Neither apt-get nor brew is here; install these yourself: ${missing_deb[*]}"
    fi
    missing_deb=()
    missing_brew=()
}

need_rust() {
    have cargo || fail "Rust is missing: install rustup (rust-version in Cargo.toml says which release)."
    have python3 || fail "Python 3 is missing: install python3 and python3-pip."
}

# Builds the binary and prints its path. One profile for run, check and test: see infra/README.md.
build_compliance() {
    local folder=debug
    if [ "${PROFILE:-dev}" != dev ]; then folder=$PROFILE; fi
    say "Building compliance (${PROFILE:-dev} profile)"
    # In `$(…)` a failure ends nothing by itself: the program of an earlier build would be run.
    cargo build --locked --profile "${PROFILE:-dev}" -p compliance >&2 || return
    echo "$target/$folder/compliance"
}

# A program that needs no library of its host, where this machine can build one; prints nothing otherwise.
static_triple() {
    local triple=$(uname -m)-unknown-linux-musl
    if [ "$(uname)" = Linux ] && have musl-gcc && rustc_has "$triple"; then echo "$triple"; fi
}

# What the hosts that call functions run, and what this machine needs to build for them, installed.
intel=x86_64-unknown-linux-musl
need_intel() {
    need 'have musl-gcc' musl-tools -
    install_missing
    rustc_has "$intel" || rustup target add "$intel" >&2
}

rustc_has() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1" ]; }

# build_static NAME [TRIPLE]: builds one binary for release, static where that is possible, and prints its path.
build_static() {
    local triple=${2:-}
    [ -n "$triple" ] || triple=$(static_triple)
    if [ -n "$triple" ]; then
        say "Building $1 for $triple"
        cargo build --locked --release --target "$triple" -p "$1" >&2 || return
        echo "$target/$triple/release/$1"
    else
        say "Building $1 against this machine's libraries: a static one needs rustup target add $(uname -m)-unknown-linux-musl and musl-tools"
        cargo build --locked --release -p "$1" >&2 || return
        echo "$target/release/$1"
    fi
}

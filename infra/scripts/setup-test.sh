#!/usr/bin/env bash
# Installs what the tests need and this machine lacks.
source "$(dirname "$0")/lib.sh"

has_postgres() { have initdb || ls /usr/lib/postgresql/*/bin/initdb; }
has_chromium() { [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || [ -d "/Applications/Chromium.app" ]; }
has_russian_voice() { have text2wave && ls -d /usr/share/festival/voices/russian/msu_ru_nsh_clunits; }

need has_postgres postgresql postgresql@17
need 'have pgbouncer || [ -x /usr/sbin/pgbouncer ]' pgbouncer pgbouncer
need 'have redis-server' redis-server redis
need 'have openssl' openssl openssl
need has_chromium chromium chromium
need 'have espeak-ng' espeak-ng espeak-ng
need 'have text2wave' festival -
need has_russian_voice festvox-ru -
need 'have sox' sox sox
need '[ "$(uname)" = Darwin ] || ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' fonts-dejavu-core -
install_missing

# The mail server of the tests; shared/testing looks for this folder.
if [ ! -d "$cache/aiosmtpd-1.4.6" ]; then
    say "Installing aiosmtpd"
    python3 -m pip install --quiet --no-deps --target "$cache/aiosmtpd-1.4.6.part" \
        aiosmtpd==1.4.6 atpublic==9.0.0 attrs==26.1.0 >&2
    mv "$cache/aiosmtpd-1.4.6.part" "$cache/aiosmtpd-1.4.6"
fi
# The readers that open exported files; the tests of shared/exports look for this folder.
if [ ! -d "$cache/export-readers-1" ]; then
    say "Installing readers of exported files"
    python3 -m pip install --quiet --no-deps --target "$cache/export-readers-1.part" \
        opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0 otio-fcp-adapter==1.0.0 \
        otio-fcpx-xml-adapter==1.0.0 pypdf==7.1.1 srt==3.5.3 webvtt-py==0.6.0 >&2
    mv "$cache/export-readers-1.part" "$cache/export-readers-1"
fi
if ! cargo nextest --version >/dev/null 2>&1; then
    say "Installing cargo-nextest (compiled once, several minutes)"
    cargo install --locked --no-default-features --features default-no-update cargo-nextest >&2
fi
if [ ! -d tests/browser/node_modules/playwright-core ]; then
    say "Installing the browser test's driver with npm"
    npm ci --silent --no-fund --no-audit --prefix tests/browser >&2
fi
if [ ! -d infra/cloudflare/node_modules/wrangler ]; then
    say "Installing the playback Worker's runtime with npm"
    npm ci --silent --no-fund --no-audit --prefix infra/cloudflare >&2
fi
# Lambda's emulator comes built; without its dependencies, which are a compiler that it does not need here.
if ! PATH=$PATH:$cache/cargo-lambda/bin have cargo-lambda; then
    say "Installing cargo-lambda"
    python3 -m pip install --quiet --no-deps --target "$cache/cargo-lambda" cargo-lambda==1.9.2 >&2 ||
        fail "cargo-lambda cannot be installed: cargo install --locked cargo-lambda"
fi

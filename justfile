# The only entry point: `./justw RECIPE` (or `just RECIPE`). Each recipe is one line; the work is in infra/scripts/.

set positional-arguments

# Lists the recipes.
default:
    @"{{just_executable()}}" --justfile "{{justfile()}}" --list --unsorted

# Installs what is missing and serves everything at http://127.0.0.1:8000.
run *args:
    @infra/scripts/run.sh "$@"

# Checks video files in the terminal: upload, analysis, report. Ends with 1 when risks are found.
[no-exit-message]
check +files:
    @INVOCATION_DIRECTORY="{{invocation_directory()}}" infra/scripts/check.sh "$@"

# Installs what is missing and passes every test.
test *filters:
    @infra/scripts/test.sh "$@"

# Format, clippy, documentation, dependencies, structure.
lint:
    @infra/scripts/lint.sh

# Measures a ten-minute and a two-hour video; `hosts` the starts of the functions; `rescore` judging again; `accuracy` the findings.
bench *names:
    @infra/scripts/bench.sh "$@"

# Installs what a run needs: ffmpeg, tesseract, a C compiler.
setup:
    @infra/scripts/setup.sh

# Installs what the tests need besides: PostgreSQL, PgBouncer, a mail server, Redis, Chromium, voices.
setup-test: setup
    @infra/scripts/setup-test.sh

# Builds one function (or `compliance`) for release, static where possible, and packs it for Lambda and ActionLoop.
package function="compliance":
    @infra/scripts/package.sh "$@"

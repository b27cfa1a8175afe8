#!/usr/bin/env bash
# Holds the deployment files against their own validators; those come from the package index, pinned, into the cache.
source "$(dirname "$0")/lib.sh"

list=infra/scripts/validators.txt
validators=$cache/validators-$(cksum <"$list" | cut -d' ' -f1)
if [ ! -d "$validators" ]; then
    say "Installing the validators of deployment files"
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/validators.XXXXXX")
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$fresh" -r "$list" >&2 || { rm -rf "$fresh"; fail "They cannot be installed: see $list"; }
    # Whole or not at all: a folder that is there is complete.
    mv "$fresh" "$validators" 2>/dev/null || rm -rf "$fresh"
fi
export PYTHONPATH=$validators

python3 -m yamllint --strict .yamllint.yaml .do infra/docker/compose.yaml infra/functions/project.yml infra/lambda/template.yaml
"$validators/bin/hadolint" infra/docker/Dockerfile
python3 -m check_jsonschema --quiet --builtin-schema vendor.compose-spec infra/docker/compose.yaml
python3 "$validators/bin/cfn-lint" --non-zero-exit-code informational infra/lambda/template.yaml
python3 infra/scripts/terraform.py infra/terraform

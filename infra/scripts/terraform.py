#!/usr/bin/env python3
"""Reads the Terraform files of a folder and says what is wrong with them: `terraform.py FOLDER`.

The parser is that of HCL, so that what does not parse is found; references, pinned providers and the
rights of keys are looked at here. Types and arguments are the providers' business (`terraform validate`).
"""

import re
import sys
from pathlib import Path

import hcl2

# What each part may do; a right that is not here is one too many.
RIGHTS = {
    "program": {"deleteFiles", "listAllBucketNames", "listBuckets", "listFiles", "readFiles", "writeFiles"},
    "upload": {"listAllBucketNames", "listBuckets", "listFiles", "writeFiles"},
    "analysis": {"listFiles", "readFiles", "writeFiles"},
    "eraser": {"deleteFiles", "listFiles", "readFiles", "writeFiles"},
    "playback": {"readFiles"},
}


def plain(value):
    """Strings without the quotes of the source, and mappings without the parser's own marks."""
    if isinstance(value, str):
        return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if not key.startswith("__")}
    return [plain(item) for item in value] if isinstance(value, list) else value


def blocks(parsed, kind):
    return [block for file in parsed for block in file.get(kind, [])]


def faults(texts):
    """Sentences, one per fault; `texts` are the files' contents by name."""
    found, parsed = [], []
    for name, text in texts.items():
        try:
            parsed.append(plain(hcl2.loads(text)))
        except Exception as error:  # the parser has no class of its own for this
            found.append(f"{name}: does not parse: {str(error).splitlines()[0]}")
    declared = {f"var.{name}" for block in blocks(parsed, "variable") for name in block}
    local = {key: value for block in blocks(parsed, "locals") for key, value in block.items()}
    declared |= {f"local.{name}" for name in local}
    for block in blocks(parsed, "resource"):
        declared |= {f"{kind}.{name}" for kind, names in block.items() for name in names}
    for name, text in texts.items():
        code = re.sub(r"(?m)#.*$", "", text)
        used = set(re.findall(r"\b(?:var|local|b2_\w+|cloudflare_\w+)\.[a-z]\w*", code))
        found += [f"{name}: nothing is called {reference}" for reference in sorted(used - declared)]
    everything = "\n".join(texts.values())
    for name in sorted(declared):
        if name.startswith("var.") and name not in everything.replace(f"variable \"{name[4:]}\"", ""):
            found.append(f"{name} is never used")
    for block in blocks(parsed, "variable"):
        for name, body in block.items():
            if not body.get("description") or not body.get("type"):
                found.append(f"var.{name} needs a description and a type")
            if "secret" in name and str(body.get("sensitive")).lower() != "true":
                found.append(f"var.{name} is a secret and not marked sensitive")
    for block in blocks(parsed, "output"):
        found += [f"output {name} holds keys and is not marked sensitive" for name, body in block.items()
                  if "application_key" in str(body) and str(body.get("sensitive")).lower() != "true"]
    for terraform in blocks(parsed, "terraform"):
        for providers in terraform.get("required_providers", []):
            found += [f"provider {name} is not pinned to one version" for name, body in providers.items()
                      if not re.fullmatch(r"\d+\.\d+\.\d+", body["version"])]
    for block in blocks(parsed, "resource"):
        for name, body in block.get("b2_bucket", {}).items():
            if body.get("bucket_type") != "allPrivate":
                found.append(f"b2_bucket.{name} is not private")
    for name, rights in local.get("keys", {}).items():
        over = set(rights) - RIGHTS.get(name, set())
        found += [f"key {name} must not have {right}" for right in sorted(over)]
    found += [f"there is no key {name}" for name in RIGHTS if name not in local.get("keys", {})]
    return found


# What a check lets through it does not check: each pair is a change that must be found.
BAD = [
    ('bucket_type = "allPrivate"', 'bucket_type = "allPublic"'),
    ('playback = ["readFiles"]', 'playback = ["readFiles", "writeKeys"]'),
    ('version = "0.14.0"', 'version = "~> 0.14"'),
    ("var.cdn_hostname", "var.cdn_host"),
    ("b2_bucket.media.bucket_id", "b2_bucket.video.bucket_id"),
    ("sensitive   = true", "sensitive   = false"),
    ('resource "b2_bucket" "media" {', 'resource "b2_bucket" "media" {{'),
]


def main():
    texts = {path.name: path.read_text() for path in sorted(Path(sys.argv[1]).glob("*.tf"))}
    found = faults(texts) if texts else ["no Terraform files there"]
    if not found:
        for good, bad in BAD:
            changed = {name: text.replace(good, bad) for name, text in texts.items()}
            if changed == texts or not faults(changed):
                found.append(f"the check does not see {bad!r}")
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/bin/sh
# Writes requirements/run.txt and dev.txt from pyproject.toml: every version and hash, for every platform, and no
# registry's address. Versions stay as they are where they fit; `--upgrade` (or `--upgrade-package NAME`) moves them.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile -q pyproject.toml --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@"
}

compile --output-file requirements/run.txt "$@"
compile --output-file requirements/dev.txt --extra dev --extra sftp --constraint requirements/run.txt "$@"

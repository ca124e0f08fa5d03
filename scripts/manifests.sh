#!/bin/sh
# Looks at all that k8s/ makes with checkov: no finding, but for those of k8s/checkov.yaml. In an environment of its own,
# made once; what a cluster would say of it, and what we hold it to, is asked by tests/integration/test_manifests.py.
set -eu
cd "$(dirname "$0")/.."

room=build/checkov
lock=requirements/checkov.txt
if ! cmp -s "$lock" "$room/lock.txt"; then
    rm -rf "$room"
    "${PYTHON:-python3}" -m venv "$room"
    "$room/bin/pip" install -qq --require-hashes --only-binary :all: -r "$lock"
    cp "$lock" "$room/lock.txt"
fi

made=build/manifests
rm -rf "$made"
mkdir -p "$made"
.venv/bin/python -P -m tests.lab.manifests "$made"
"$room/bin/checkov" --directory "$made" --config-file k8s/checkov.yaml --skip-download --compact --quiet

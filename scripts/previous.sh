#!/bin/bash
# Keeps the code of a landed release for tests/upgrade: `scripts/previous.sh COMMIT`, once for each release that is out.
# It is kept as a file, since not every clone has the history. Files that only browsers load are left out.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse --verify "$1^{commit}")
git archive "$commit" encoder ':!encoder/dashboard/static/vendor' | xz -9e >tests/upgrade/previous.tar.xz
echo "$commit" >tests/upgrade/previous.txt

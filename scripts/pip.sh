#!/usr/bin/env bash
# Installs the lock file $2 into the virtual environment $1: every file by its hash, or not at all. The lock names all that
# is needed, so pip resolves nothing: left to itself it looks for newer releases of what another asks for with an extra.
set -euo pipefail
. "$(dirname "$0")/common.sh"

venv=$1 lock=$2

say "Python packages of $lock"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --requirement "$lock" ||
  fail "the packages of $lock could not be installed." \
    "Look at pip's own words above: no network, a full disk, or a file whose hash is not the locked one. Then run make again."

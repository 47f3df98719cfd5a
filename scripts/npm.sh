#!/usr/bin/env bash
# Installs the locked packages of the folder $1, each by its hash.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cd "$1"
say "web packages of $1/package-lock.json"
npm ci --loglevel=error --no-fund --no-audit ||
  fail "the packages of $1 could not be installed." \
    "Look at npm's own words above: no network, a full disk, or a lock that does not fit package.json (then: make lock)."

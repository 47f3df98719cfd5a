#!/usr/bin/env bash
# Makes the virtual environment in $1 with the first Python that is new enough.
set -euo pipefail
. "$(dirname "$0")/common.sh"

venv=$1

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if new_enough "$candidate"; then python=$candidate && break; fi
done
[ -n "$python" ] || fail "no Python 3.11 or later was found." \
  "Debian 12 and Ubuntu 24.04 have it: apt-get install python3 python3-venv. Elsewhere: make PYTHON=/path/to/python3"

"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python cannot make virtual environments." \
  "Install its other half: apt-get install python3-venv"

say "virtual environment with $("$python" --version)"
"$python" -m venv "$venv"

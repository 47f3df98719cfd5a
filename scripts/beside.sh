#!/usr/bin/env bash
# beside.sh CHECKS COMMAND...: the checks, a line of shell, run beside the command and give way to it: much of what tests
# do is to wait. What the checks say is told when they have ended, the command's own words as they come. Fails if either does.
set -uo pipefail
. "$(dirname "$0")/common.sh"

checks=$1
shift
said=$(mktemp)
trap 'kill -- -"$beside" 2>/dev/null; rm -f "$said"' EXIT

set -m # So that they can be ended with all that they have started.
(
  nice -n 10 bash -euo pipefail -c "$checks" >"$said" 2>&1
  ended=$?
  if [ "$ended" != 0 ]; then
    printf '\n' && say "the checks have failed:" && cat "$said"
  fi
  exit "$ended"
) &
beside=$!
set +m

"$@"
tests=$?
wait "$beside"
checked=$?
cat "$said"
[ "$checked" = 0 ] || say "the checks have failed: see above"
[ "$tests" = 0 ] && [ "$checked" = 0 ]

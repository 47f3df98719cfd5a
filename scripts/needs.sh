#!/usr/bin/env bash
# The programs that the tests need and that are not Python packages: installs what is missing where it may,
# says exactly what is missing where it may not. Under CI a program that is still missing is a failure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# Each line: Debian's package, then the names under which its program may already be here.
needs='chromium chromium chromium-browser google-chrome
mosquitto mosquitto /usr/sbin/mosquitto
mosquitto mosquitto_passwd
strace strace
curl curl'

here() {
  for name in "$@"; do command -v "$name" >/dev/null && return; done
  return 1
}

# Debian's packages whose program is not here, each once.
missing() {
  while read -r package names; do
    # shellcheck disable=SC2086 # names are several words
    here $names || echo "$package"
  done <<<"$needs" | sort -u | paste -sd' '
}

packages=$(missing)
[ -n "$packages" ] || exit 0

if sudo=$(may_install); then
  say "installing what the tests need: $packages"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # sudo may be no word, packages are several
  $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
  packages=$(missing)
  [ -n "$packages" ] || exit 0
fi

mend="apt-get update && apt-get install $packages"
[ "${CI:-}" != true ] || fail "missing, and CI leaves no test out: $packages" "$mend"
say "missing, so the tests that need it will be skipped: $packages"
say "to run them too: $mend"

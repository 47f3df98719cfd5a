# What the other scripts share. Sourced, never run.

say() { printf 'vigie: %s\n' "$*"; }

# fail WHAT MEND: one line for what went wrong, one for how to mend it.
fail() {
  printf 'vigie: %s\n       %s\n' "$1" "$2" >&2
  exit 1
}

# Prints the word that lets this user install packages: nothing for root, sudo where it asks no password.
# Fails where neither is so, or where the system has no apt.
may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] && return 0
  sudo -n true 2>/dev/null && echo sudo
}

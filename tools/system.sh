#!/bin/sh
# Debian packages the tests need: as root they are installed, else the command is said.
set -eu
missing=""
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || missing="$missing chromium"
have git-lfs || missing="$missing git-lfs"
have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
fc-list 2>/dev/null | grep -q "Noto Sans CJK\|NotoSansCJK" || missing="$missing fonts-noto-cjk"
[ "${1:-}" = bench ] && { have nginx || missing="$missing nginx-light"; have fcgiwrap || missing="$missing fcgiwrap"; }
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "The tests need:$missing" >&2
  echo "  sudo apt-get install -y$missing" >&2
  exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null

#!/bin/sh
# Make sure that Debian packages are installed: as root install what is missing, otherwise say how and fail.
set -eu

missing=""
for package in "$@"; do
    command -v "$package" >/dev/null 2>&1 && continue
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] && continue
    missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing the Debian packages that the tests need:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # the list is split on purpose
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
else
    echo "The tests need:$missing. Install with:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

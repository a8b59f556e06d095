#!/usr/bin/env bash
# install.sh run|products|check — installs what is missing on Debian 12: to build and run the server, for the products of
# examples/ beside it (which includes building sdk/dist), or to test all of it.
# Looks first and asks the network only for what is missing, so a second run is quick and works offline.
set -euo pipefail
cd "$(dirname "$0")/.."

for_run="gcc libc6-dev make cmake ninja-build pkg-config libuv1-dev libssl-dev libjansson-dev libsqlite3-dev libinih-dev"
for_check="binutils ca-certificates chromium clang clang-format clang-tidy coturn cppcheck curl git libc6-dbg libclang-rt-14-dev libcurl4-openssl-dev libmicrohttpd-dev libnss3-tools spin sqlite3 systemd valgrind"
node_least=18

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

has_node() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge "$node_least" ]
}

# Debian's packages that are not installed, one per line.
missing() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

install_packages() {
    local wanted=$1 log
    [ "$(id -u)" = 0 ] || die "these packages are missing and only root may install them. Run:
    apt-get update && apt-get install --no-install-recommends $wanted"
    log=$(mktemp)
    say "reading the package lists"
    apt-get -q update >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "apt-get update failed; is the network there?"; }
    say "installing: $wanted"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $wanted >"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; die "apt-get install failed; its last lines are above"; }
    rm -f "$log"
}

# The lock file's hash says whether a folder's node_modules is what it asks for.
install_npm() {
    local folder=$1 stamp=$1/node_modules/.lock-stamp want
    [ ! -L "$folder/node_modules" ] || return 0 # a link: npm ci would empty what it leads to
    want=$(sha256sum <"$folder/package-lock.json")
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
    say "installing the npm packages of $folder"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || die "npm ci failed in $folder/"
    printf '%s\n' "$want" >"$stamp"
}

# The proxies of docs/operating.md, for tests/interop/proxies.test.mjs: unpacked and not installed, so that none of them is
# started on this machine. Without a network the test says that they are not there.
unpack_proxies() {
    local folder=$PWD/build/proxies packages
    [ -x "$folder/usr/sbin/nginx" ] && [ -x "$folder/usr/bin/caddy" ] && return
    packages=$(mktemp -d)
    chmod 755 "$packages"
    say "unpacking nginx and caddy into build/proxies"
    if (cd "$packages" && { apt-get -q download nginx caddy || { apt-get -q update && apt-get -q download nginx caddy; }; }) >"$packages/log" 2>&1; then
        mkdir -p "$folder"
        for package in "$packages"/*.deb; do dpkg -x "$package" "$folder"; done
    else
        say "they cannot be fetched; the test of the proxies will be short"
    fi
    rm -rf "$packages"
}

# The browser package, if a source is newer than what the last build wrote last.
build_sdk() {
    local log
    [ -f sdk/dist/index.d.ts ] && [ -z "$(find sdk/src sdk/build.mjs sdk/package-lock.json -newer sdk/dist/index.d.ts -print -quit)" ] && return
    install_npm sdk
    log=$(mktemp)
    say "building the browser package"
    (cd sdk && node build.mjs --modules) >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "sdk/build.mjs failed; its last lines are above"; }
    rm -f "$log"
}

case "${1:-run}" in
run) wanted=$for_run ;;
products) wanted='' ;;
check) wanted="$for_run $for_check" ;;
*) die "usage: tools/install.sh [run|products|check]" ;;
esac
command -v dpkg-query >/dev/null || { [ "${1:-run}" = products ] && has_node; } || die "this script knows Debian 12 only. Elsewhere, install what these packages hold: $wanted (and Node >= $node_least)"
# shellcheck disable=SC2086
lacking=$(missing $wanted | tr '\n' ' ')
[ "${1:-run}" = run ] || has_node || lacking="${lacking}ca-certificates nodejs npm "
[ -z "$lacking" ] || install_packages "$lacking"
if [ "${1:-run}" != run ]; then
    has_node || die "Node $node_least or newer with npm is needed, and $(node --version 2>/dev/null || echo none) is what is here"
fi
case "${1:-run}" in
products)
    install_npm examples
    build_sdk
    ;;
check)
    install_npm tests
    install_npm sdk
    install_npm examples
    unpack_proxies
    ;;
esac

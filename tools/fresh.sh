#!/usr/bin/env bash
# fresh.sh [--install-only] [--keep] — proves that a fresh machine can do it: a minimal Debian 12 with git and make only,
# the committed tree cloned into it, then `make run` until server and products are there, then `make check`.
#
# Needs root, debootstrap and the network. Works in a folder of its own (FRESH_DIR, default a new temporary one), uses this
# machine's package sources, certificates and npm registry, and leaves the transcript in build/fresh.log.
# FRESH_BASE=FILE.tar keeps the minimal root between runs.
set -euo pipefail

# A mount namespace of our own: whatever is mounted below goes away with us, even when we are killed.
if [ -z "${FRESH_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "fresh: only root may make a root file system" >&2; exit 1; }
    command -v debootstrap >/dev/null || { echo "fresh: apt-get install debootstrap" >&2; exit 1; }
    FRESH_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
cd "$(dirname "$0")/.."
top=$PWD keep='' install_only=''
for arg in "$@"; do
    case $arg in
    --keep) keep=1 ;;
    --install-only) install_only=1 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
dir=${FRESH_DIR:-$(mktemp -d)} log=$top/build/fresh.log
root=$dir/root
[ -z "$(ls -A "$root" 2>/dev/null)" ] || { echo "fresh: $root is not empty" >&2; exit 1; }
mkdir -p "$root" "$top/build"
: >"$log"

say() { printf 'fresh: %s\n' "$*" | tee -a "$log" >&2; }
die() { say "$@"; exit 1; }

# pids [name]: the processes that live in our root, all or those that run the program of this name.
pids() {
    local proc
    for proc in /proc/[0-9]*; do
        [ "$(readlink "$proc/root" 2>/dev/null)" = "$root" ] || continue
        case "$(readlink "$proc/exe" 2>/dev/null)" in */"${1:-}"*) echo "${proc#/proc/}" ;; esac
    done
}

# Processes and mounts first, then the files: rm must never walk into /dev or /proc of the machine.
cleanup() {
    local at
    # shellcheck disable=SC2046 # a list of pids
    [ -z "$(pids)" ] || kill -KILL $(pids) 2>/dev/null || true
    for at in proc sys dev; do umount -l "$root/$at" 2>/dev/null || true; done
    [ -n "$keep" ] || rm -rf --one-file-system "$root"
    [ -n "$keep${FRESH_DIR:-}" ] || rm -rf --one-file-system "$dir"
}
trap cleanup EXIT

# The first archive named in this machine's sources, in the one-line or the deb822 form.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }'
}

make_root() {
    if [ -f "${FRESH_BASE:-}" ]; then
        say "unpacking the minimal root"
        tar -xpf "$FRESH_BASE" -C "$root"
        return
    fi
    say "making a minimal root (a few minutes)"
    debootstrap --variant=minbase --include=git,make bookworm "$root" "$(mirror)" >>"$log" 2>&1 ||
        die "debootstrap failed, see build/fresh.log"
    [ -z "${FRESH_BASE:-}" ] || tar -cpf "$FRESH_BASE" -C "$root" .
}

# What this machine needs to reach its package sources: sources, keys, proxy settings, certificates.
copy_network() {
    local name
    cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
    rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
    for name in sources.list sources.list.d apt.conf apt.conf.d trusted.gpg.d keyrings; do
        [ ! -e "/etc/apt/$name" ] || cp -rL "/etc/apt/$name" "$root/etc/apt/"
    done
    rm -f "$root"/etc/apt/apt.conf.d/docker-* # they strip what a real machine has
    mkdir -p "$root/usr/share/keyrings"
    cp -n /usr/share/keyrings/*.gpg "$root/usr/share/keyrings/" 2>/dev/null || true
    # Under names of their own: installing ca-certificates writes its bundle anew.
    mkdir -p "$root/usr/local/share/fresh"
    for name in $certificates; do
        [ ! -f "${!name:-}" ] || cp -L "${!name}" "$root/usr/local/share/fresh/$name.pem"
    done
}

# inside <command>: in the new root, with nothing of this machine's environment but how to reach the network.
inside() {
    local name keep_env=()
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || keep_env+=("$name=${!name}")
    done
    for name in $certificates; do
        [ ! -f "${!name:-}" ] || keep_env+=("$name=/usr/local/share/fresh/$name.pem")
    done
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb \
        ${registry:+npm_config_registry="$registry"} "${keep_env[@]}" chroot "$root" /bin/sh -c "cd /root/coatcheck && $1"
}

answers() { # answers <port>: one plain request over bash's own sockets; a fresh machine has no curl
    local line=''
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" >&3
    IFS= read -r -t 5 line <&3 || true
    exec 3>&-
    case $line in *' 200 '*) return 0 ;; *) return 1 ;; esac
}

try_run() {
    local out=$dir/run.json job port='' left=1800
    say "make run"
    : >"$out"
    inside "make run ARGS='--port 0 --json'" >"$out" 2>>"$log" &
    job=$!
    # The line comes when the server listens; until then packages are installed and the server is built.
    while [ -z "$port" ]; do
        port=$(sed -n 's/.*"url":"http:\/\/127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$out")
        kill -0 "$job" 2>/dev/null || die "make run ended before the server listened, see build/fresh.log"
        left=$((left - 1)); [ "$left" -gt 0 ] || die "no server after half an hour, see build/fresh.log"
        [ -n "$port" ] || sleep 1
    done
    answers "$port" || die "the server listens on $port and does not answer"
    say "the server answers; waiting for the products"
    until grep -q '^Call us .*http' "$log"; do
        ! grep -q 'without the example products' "$log" || die "no products, see build/fresh.log"
        kill -0 "$job" 2>/dev/null || die "make run ended before the products were there, see build/fresh.log"
        left=$((left - 1)); [ "$left" -gt 0 ] || die "no products after half an hour, see build/fresh.log"
        sleep 1
    done
    say "the products are there; asking the server to stop"
    # shellcheck disable=SC2046 # a list of pids
    kill -TERM $(pids coatcheck)
    wait "$job" || die "make run did not end with 0 after SIGTERM"
    say "make run: ok"
}

certificates="NODE_EXTRA_CA_CERTS SSL_CERT_FILE CURL_CA_BUNDLE"
registry=$(npm config get registry 2>/dev/null || true)
make_root
copy_network
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
say "cloning the committed tree"
git clone -q --no-hardlinks "$top" "$root/root/coatcheck"

if [ -n "$install_only" ]; then
    for what in run check; do
        say "tools/install.sh $what"
        inside "tools/install.sh $what" 2>&1 | tee -a "$log" >&2
    done
    say "a second time: nothing to do"
    inside "tools/install.sh check" 2>&1 | tee -a "$log" >&2
    exit 0
fi
try_run
say "make check"
inside "make check" 2>&1 | tee -a "$log" >&2 || die "make check failed"
say "ok"

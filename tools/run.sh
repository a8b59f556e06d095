#!/usr/bin/env bash
# run.sh [options of coatcheck dev] — the server, and beside it the products of examples/, which come and go with it.
#
# The server takes this shell's place, so signals and exit codes are its own. What it prints passes through a second shell,
# unchanged: the first line says where it listens, the end of them that it has ended. stdout is the server's alone.
set -uo pipefail
cd "$(dirname "$0")/.."

say() { printf 'run: %s\n' "$*" >&2; }

# Installs what the products need, while the server runs already, and becomes the program that starts them. An installation
# is never cut short: if the server ends meanwhile, it is finished and nothing is started.
products() {
    local url=$1 ports='' over=''
    trap 'over=1' TERM
    if ! tools/install.sh products; then
        say "the server runs without the example products: the line above says why; then run tools/install.sh products and make run again"
        return
    fi
    [ -z "$over" ] || return
    case $url in *:8787) ;; *) ports='--ports 0,0,0' ;; esac # a second server's products stand back
    # shellcheck disable=SC2086 # two words or none
    exec node examples/start.mjs --server "$url" $ports
}

beside() {
    local line url='' products=''
    while [ -z "$url" ] && IFS= read -r line; do
        printf '%s\n' "$line"
        url=$(sed -nE 's/.*("url":"|Open )(http:\/\/[^"\/ ]+).*/\2/p' <<<"$line")
    done
    if [ -n "$url" ]; then
        setsid "$0" --products "$url" </dev/null >&2 & # in a session of its own: Ctrl-C is not for it
        products=$!
    fi
    cat
    [ -z "$products" ] || { kill -TERM "$products" && wait "$products"; } 2>/dev/null
    return 0
}

case "${1:-}" in
--products) products "$2" ;;
*) exec "${COATCHECK_BIN:-build/release/coatcheck}" dev "$@" > >(beside) ;;
esac

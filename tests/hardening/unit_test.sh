#!/usr/bin/env bash
# unit_test.sh — the service file: what systemd itself says of it, that it allows what the server asks of the kernel, and
# that the server starts with the settings packed beside it. COATCHECK_BIN names the binary.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
bin=${COATCHECK_BIN:-build/release/coatcheck}
unit=packaging/coatcheck.service
exposure_most=1.5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# it <what> <command...>: passes if the command does
it() {
    local what=$1
    shift
    if "$@" >"$tmp/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $what"
    else
        failed=$((failed + 1))
        echo "FAIL $what"
        tail -n 20 "$tmp/said" | sed 's/^/     /'
    fi
}

# Wherever the program will be installed: here it is ours, so that only the unit is judged.
is_well_formed() {
    sed "s|^ExecStart=/usr/bin/coatcheck|ExecStart=$(realpath "$bin")|" $unit >"$tmp/coatcheck.service"
    systemd-analyze verify "$tmp/coatcheck.service" >"$tmp/verified" 2>&1
    cat "$tmp/verified"
    ! grep -q 'coatcheck.service' "$tmp/verified"
}

is_little_exposed() {
    local exposure
    systemd-analyze security --offline=yes --no-pager $unit >"$tmp/exposure" || return 1
    grep '✗' "$tmp/exposure"
    exposure=$(sed -nE 's/.*Overall exposure level for .*: ([0-9.]+) .*/\1/p' "$tmp/exposure")
    echo "exposure $exposure, at most $exposure_most"
    awk -v got="$exposure" -v most="$exposure_most" 'BEGIN { exit !(got != "" && got <= most) }'
}

# calls_of <group>: the names in one of systemd's groups, and in the groups inside it
calls_of() {
    systemd-analyze syscall-filter --no-pager "$1" | sed -nE 's/^ +([@a-z0-9_-]+)$/\1/p' | while read -r name; do
        case $name in @*) calls_of "$name" ;; *) echo "$name" ;; esac
    done
}

# SQLite's fchown is for root alone, whom the unit rules out.
allows_what_the_sandbox_does() {
    local words word
    : >"$tmp/allowed"
    while read -r words; do
        for word in ${words#\~}; do
            case $word in @*) calls_of "$word" ;; *) echo "$word" ;; esac
        done | sort -u >"$tmp/words"
        case $words in
        \~*) comm -23 "$tmp/allowed" "$tmp/words" >"$tmp/next" ;;
        *) sort -u "$tmp/allowed" "$tmp/words" >"$tmp/next" ;;
        esac
        mv "$tmp/next" "$tmp/allowed"
    done < <(sed -n 's/^SystemCallFilter=//p' $unit)
    grep -oE 'ALLOW(_IF)?\([a-z0-9_]+' src/cli/sandbox.c | sed 's/.*(//' | grep -vE '^(name|fchown)$' | sort -u >"$tmp/asked"
    [ "$(wc -l <"$tmp/asked")" -gt 50 ] && [ "$(wc -l <"$tmp/allowed")" -gt 100 ] || return 1
    comm -23 "$tmp/asked" "$tmp/allowed" | tee "$tmp/missing"
    [ ! -s "$tmp/missing" ]
}

starts_with_the_packed_settings() {
    local pid code
    "$bin" serve --config packaging/coatcheck.conf --data "$tmp/data" --port 0 --admin-port 0 2>"$tmp/log" &
    pid=$!
    for _ in $(seq 300); do
        grep -q ' listening ' "$tmp/log" && break
        kill -0 $pid 2>/dev/null || break
        read -r -t 0.1 <> <(:) || true
    done
    kill -TERM $pid
    wait $pid
    code=$?
    cat "$tmp/log"
    [ $code = 0 ] && grep -q ' listening ' "$tmp/log"
}

it "the unit is well formed" is_well_formed
it "systemd's own count of its exposure is at most $exposure_most" is_little_exposed
it "it allows every call that the server keeps for itself" allows_what_the_sandbox_does
it "the server starts with the packed settings" starts_with_the_packed_settings

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

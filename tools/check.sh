#!/usr/bin/env bash
# check.sh [unit|coverage|check] — builds and runs the tests tier by tier, saying what it does, and ends with one line:
# "N passed, N failed", counted in test cases over all tiers. A build that breaks or a program that dies counts as one
# failure. Logs are in build/check/. JOBS=N sets how much runs at once (default: the number of cores).
set -uo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
logs=build/check
mkdir -p "$logs"
totals=$PWD/$logs/totals
: >"$totals"
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1
# The thread sanitizer of this compiler does not know address layouts as random as newer kernels make them.
steady=
setarch "$(uname -m)" -R true 2>/dev/null && steady="setarch $(uname -m) -R"

tier() { printf '\n== %s (%d s since the start)\n' "$*" "$SECONDS"; }
count() { echo "$1 $2" >>"$totals"; }

# build <preset> [target...]: quiet while all is well; every target that can be built is.
build() {
    local preset=$1 log=$logs/build-$1.log
    shift
    if cmake --preset "$preset" -DCOATCHECK_WERROR="$([ "$preset" = release ] && echo OFF || echo ON)" >"$log" 2>&1 &&
        cmake --build "build/$preset" -j "$jobs" ${1:+--target "$@"} -- -k 0 >>"$log" 2>&1; then
        echo "  ok   build $preset"
        return 0
    fi
    echo "  FAIL build $preset (the log: $log)"
    grep -E -A 5 'error:|Error|FAILED|undefined reference|ninja: error' "$log" | head -n 40 | sed 's/^/       /'
    return 1
}

# programs <preset> [ctest arguments...]; what stands in $before goes before the command.
programs() {
    local preset=$1
    shift
    # shellcheck disable=SC2086 # a command's words, or nothing
    ${before:-} ctest --test-dir "build/$preset" -V --no-tests=error -j "$jobs" "$@" 2>&1 |
        tee "$logs/ctest-$preset.log" | awk -v totals="$totals" -f tools/tally.awk
}

# program <name> <command...>: a script that counts its own cases, in our words or in those of `node --test`.
program() {
    local name=$1 log code last passed=0 failed=0 from=$SECONDS
    log=$logs/$(echo "$1" | tr / _).log
    shift
    timeout -k 10 "${PROGRAM_TIMEOUT_S:-900}" "$@" >"$log" 2>&1 </dev/null
    code=$?
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    if [ -n "$last" ]; then
        read -r passed _ failed _ <<<"$last"
    else
        passed=$(sed -nE 's/^(#|ℹ) pass ([0-9]+)$/\2/p' "$log" | tail -n 1)
        failed=$(sed -nE 's/^(#|ℹ) fail ([0-9]+)$/\2/p' "$log" | tail -n 1)
        passed=${passed:-0} failed=${failed:-0}
    fi
    [ "$failed" != 0 ] || { [ "$code" = 0 ] && [ "$passed" != 0 ]; } || failed=1
    count "$passed" "$failed"
    if [ "$failed" = 0 ]; then
        echo "  ok   $name ($passed of $passed, $((SECONDS - from)) s)"
    else
        echo "  FAIL $name ($passed of $((passed + failed)), $((SECONDS - from)) s), exit code $code"
        [ "$code" != 124 ] || echo "       stopped, for it took too long; the last it said: $(tail -n 1 "$log")"
        grep -vE '^ *(ok|✔) |^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n "${SHOW_LINES:-80}" | sed 's/^/       /'
    fi
}

lint() {
    tier "house rules"
    program lint tools/lint.sh
}

unit() {
    tier "unit tests and fuzz corpora, address and undefined-behaviour sanitizers"
    build asan || count 0 1
    programs asan
}

analyze() {
    tier "static analysis: clang-tidy, cppcheck"
    PROGRAM_TIMEOUT_S=2400 program analyze tools/analyze.sh
}

coverage() {
    local targets=() folder name
    tier "lines that unit tests and corpora run, in the folders without I/O"
    while IFS=/ read -r _ folder name; do targets+=("${folder}_$(basename "$name" .c)"); done < <(
        find src/base src/wire src/token src/engine src/dialect -name '*_test.c' | sort
        find src -name '*_fuzz.c' | sort)
    build coverage "${targets[@]}" || count 0 1
    program coverage tools/coverage.sh
    grep '%' "$logs/coverage.log"
}

second_compiler() {
    tier "warnings of the second compiler"
    if build clang; then count 1 0; else count 0 1; fi
}

# What threads touch: the folders with mailboxes, the store's writer, loops. Tests that let disk or memory fail at each place
# in turn run the same code on one thread a thousand times: the tier above has them.
threads() {
    local folder targets=() elsewhere='fault_test|memory_test|allocation_test'
    tier "tests of what threads share, thread sanitizer"
    for folder in base store service server cli; do
        while read -r name; do targets+=("${folder}_$(basename "$name" .c)"); done < <(
            find "src/$folder" -name '*_test.c' | grep -vE "_?($elsewhere)\\.c$" | sort)
    done
    build tsan "${targets[@]}" || count 0 1
    before=$steady programs tsan -R '^(base|store|service|server|cli)/' -E "$elsewhere"
}

# The whole server, its loops, store and mail together. A race ends it, and with it the script that met it.
raced() {
    local name
    tier "the built server, thread sanitizer"
    build tsan coatcheck || count 0 1
    for name in interop/standard e2e/mint e2e/clock e2e/why e2e/durable e2e/sessions e2e/calls e2e/budgets e2e/attacks_{a_tokens,b_proofs,e_secrets,g_http,h_socket,i_faults,j_leaks}; do
        # shellcheck disable=SC2086 # a command's words, or nothing
        program "tsan/$name" env COATCHECK_BIN="$PWD/build/tsan/coatcheck" TSAN_OPTIONS="$TSAN_OPTIONS:halt_on_error=1" \
            $steady node "tests/$name.test.mjs"
    done
}

# The same seeds as under the sanitizers and ten times as many more, as fast as they go.
simulated() {
    tier "the simulator: past failures, and seeds nobody has seen"
    build release sim sim_each_allocation sim_story || count 0 1
    programs release -R '^sim/'
}

# Scripts against the built server: each starts its own on a free port, found by COATCHECK_BIN.
scripts() {
    local file
    tier "the built server: shell, Node and Chromium"
    build release coatcheck wsecho verify_cli clinic_backend || count 0 1
    export COATCHECK_BIN=$PWD/build/release/coatcheck
    while read -r file; do
        case $file in
        *.sh) program "${file#tests/}" bash "$file" ;;
        *) program "${file#tests/}" node "$file" ;;
        esac
    done < <(find tests -name node_modules -prune -o \( -name '*_test.sh' -o -name '*_test.mjs' -o -name '*.test.mjs' -o \
        -name '*_test.js' -o -name '*.test.js' \) -print | sort)
}

case "${1:-check}" in
unit) unit ;;
coverage) coverage ;;
check)
    lint
    unit
    second_compiler
    analyze
    coverage
    threads
    raced
    simulated
    scripts
    ;;
*) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
echo
awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed || !passed }' "$totals"

#!/usr/bin/env bash
# fuzz.sh [name...] — runs each fuzzer (X for X_fuzz.c; default all) for FUZZ_S seconds (default 60) from the seeds in
# tests/corpus/X. What it finds stays in build/fuzz/corpus/X; an input that breaks a law is written to
# build/fuzz/crashes/ and the run goes on with the next fuzzer. With FUZZ_MERGE=1 the finds that reach new code are
# added to the seeds afterwards.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_S:-60}
top=$PWD/build/fuzz
mkdir -p "$top/corpus" "$top/crashes"
steady=
setarch "$(uname -m)" -R true 2>/dev/null && steady="setarch $(uname -m) -R"
cmake --preset fuzz >"$top/configure.log" 2>&1 || { cat "$top/configure.log"; exit 1; }
passed=0 failed=0

for source in $(find src -name '*_fuzz.c' | sort); do
    name=$(basename "$source" _fuzz.c)
    folder=$(echo "$source" | cut -d/ -f2)
    [ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    program=$top/${folder}_${name}_fuzz
    log=$top/$name.log
    mkdir -p "$top/corpus/$name" "tests/corpus/$name"
    echo "== $name: $seconds s"
    # shellcheck disable=SC2086
    if cmake --build build/fuzz --target "${folder}_${name}_fuzz" >"$log" 2>&1 &&
        $steady "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix="$top/crashes/$name-" "$top/corpus/$name" "tests/corpus/$name" >>"$log" 2>&1; then
        passed=$((passed + 1))
        echo "  ok   $(sed -n 's/^stat::number_of_executed_units: */runs: /p' "$log"), $(ls "$top/corpus/$name" | wc -l) finds"
        [ -z "${FUZZ_MERGE:-}" ] || $steady "$program" -merge=1 "tests/corpus/$name" "$top/corpus/$name" >>"$log" 2>&1
    else
        failed=$((failed + 1))
        echo "  FAIL (the log: ${log#"$PWD/"})"
        tail -n 40 "$log" | sed 's/^/       /'
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]

#!/usr/bin/env bash
# fuzz.sh [name...] — runs each fuzzer (X for X_fuzz.c; default all) from the seeds in tests/corpus/X until it has used
# FUZZ_S seconds of processor time (default 60; on a busy machine that takes longer by the clock). What it finds stays in
# build/fuzz/corpus/X; an input that breaks a law is written to build/fuzz/crashes/ and the run goes on with the next
# fuzzer. Each run adds a line to build/fuzz/log.tsv: name, processor seconds, executions, edges covered, inputs kept.
# With FUZZ_MERGE=1 the finds that reach new edges are added to the seeds afterwards; one a loop more often, not.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_S:-60}
hang_s=${FUZZ_HANG_S:-10} # by the clock: more where other work may keep a fuzzer waiting
slice_s=60 # libFuzzer can only be told wall-clock time: run in slices, count what each one really used
top=$PWD/build/fuzz
mkdir -p "$top/corpus" "$top/crashes"
steady=
setarch "$(uname -m)" -R true 2>/dev/null && steady="setarch $(uname -m) -R"
cmake --preset fuzz >"$top/configure.log" 2>&1 || { cat "$top/configure.log"; exit 1; }
passed=0 failed=0

# run PROGRAM NAME LOG: slices until the processor time is used; sets used_s and executions.
run() {
    local timing=$top/$2.time wall
    used_s=0 executions=0
    while [ "$used_s" -lt "$seconds" ]; do
        wall=$((seconds - used_s < slice_s ? seconds - used_s : slice_s))
        # shellcheck disable=SC2086
        { TIMEFORMAT='%U %S'; time $steady "$1" -max_total_time="$wall" -timeout="$hang_s" -rss_limit_mb=2048 \
            -print_final_stats=1 -artifact_prefix="$top/crashes/$2-" "$top/corpus/$2" "tests/corpus/$2" \
            >>"$3" 2>&1; } 2>"$timing" || return 1
        used_s=$(awk -v before="$used_s" '{ print int(before + $1 + $2 + 0.999) }' "$timing")
        executions=$((executions + $(sed -n 's/^stat::number_of_executed_units: *//p' "$3" | tail -n 1)))
    done
}

for source in $(find src tests -name '*_fuzz.c' | sort); do
    name=$(basename "$source" _fuzz.c)
    folder=$(basename "$(dirname "$source" | cut -d/ -f1-2)")
    [ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    program=$top/${folder}_${name}_fuzz
    log=$top/$name.log
    mkdir -p "$top/corpus/$name" "tests/corpus/$name"
    echo "== $name: $seconds s"
    if cmake --build build/fuzz --target "${folder}_${name}_fuzz" >"$log" 2>&1 && run "$program" "$name" "$log"; then
        passed=$((passed + 1))
        edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
        kept=$(ls "$top/corpus/$name" | wc -l)
        echo "  ok   $used_s s, $executions executions, $edges edges, $kept finds"
        printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$used_s" "$executions" "$edges" "$kept" >>"$top/log.tsv"
        # shellcheck disable=SC2086
        [ -z "${FUZZ_MERGE:-}" ] || $steady "$program" -use_counters=0 -merge=1 "tests/corpus/$name" "$top/corpus/$name" >>"$log" 2>&1
    else
        failed=$((failed + 1))
        echo "  FAIL (the log: ${log#"$PWD/"})"
        tail -n 40 "$log" | sed 's/^/       /'
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]

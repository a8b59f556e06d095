#!/usr/bin/env bash
# analyze.sh [file.c ...] — clang-tidy (what it looks for, and what not and why: .clang-tidy) and cppcheck over all C files,
# or over those that are named. No finding is the only good answer. Flags come from the clang preset.
set -uo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
jobs=${JOBS:-$(nproc)}
build=${ANALYZE_BUILD:-build/clang}
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

[ -f "$build/compile_commands.json" ] || cmake --preset clang >"$tmp/cmake" 2>&1 || { cat "$tmp/cmake"; exit 2; }
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else find src tests bench examples -name node_modules -prune -o -name '*.c' -print; fi | sort >"$tmp/files"

tell() { # tell <name> <findings>
    if [ ! -s "$2" ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        head -n "${LINT_LINES:-60}" "$2" | sed 's/^/    /'
    fi
}

# Each process reads a few files: starting one costs more than reading a short file.
xargs -P "$jobs" -n 4 clang-tidy -p "$build" --quiet <"$tmp/files" >"$tmp/tidy.all" 2>"$tmp/tidy.err" || touch "$tmp/tidy.failed"
grep -E ': (warning|error): ' "$tmp/tidy.all" | sed "s|$PWD/||" | sort -u >"$tmp/tidy"
[ ! -f "$tmp/tidy.failed" ] || [ -s "$tmp/tidy" ] || tail -n 20 "$tmp/tidy.err" >"$tmp/tidy"
tell clang-tidy "$tmp/tidy"

# CHECK(p) in a test is p, which cppcheck cannot see, so that it misses the return behind it; JSON's loops are macros of a
# library whose headers it does not read (and a semicolon would end a -D). Designated
# initialisers it reads as assignments in one expression.
cppcheck --std=c11 --enable=warning,performance,portability --inline-suppr --quiet -j "$jobs" -Isrc -Itests -D_GNU_SOURCE \
    '-Djson_array_foreach(list,index,value)=while(((index)=0,(value)=json_array_get(list,index))!=0)' \
    '-Djson_object_foreach(object,key,value)=while(((key)=0,(value)=json_object_get(object,key))!=0)' \
    --suppress='memleak:*_test.c' --suppress='resourceLeak:*_test.c' --suppress=unknownEvaluationOrder \
    --template='{file}:{line}: {severity}: {message} [{id}]' --file-list="$tmp/files" 2>"$tmp/cppcheck" >&2 ||
    [ -s "$tmp/cppcheck" ] || echo "cppcheck failed" >"$tmp/cppcheck"
sort -u -o "$tmp/cppcheck" "$tmp/cppcheck"
tell cppcheck "$tmp/cppcheck"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/usr/bin/env bash
# coverage.sh [-v] — which lines the unit tests and corpora of the pure folders run. Prints a table and fails when a folder
# has less than LEAST percent (95); -v also names the lines that nothing ran. Needs the coverage preset built, in
# build/coverage or where COVERAGE_BUILD says; counts are those of this run alone.
set -uo pipefail
cd "$(dirname "$0")/.."
folders="base wire token engine dialect"
least=${LEAST:-95}
build=$(realpath "${COVERAGE_BUILD:-build/coverage}") || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

find "$build" -name '*.gcda' -delete
ctest --test-dir "$build" --no-tests=error -j "${JOBS:-$(nproc)}" -R "^(${folders// /|}|corpus)/" -E "^corpus/sequence$" >"$tmp/ctest" 2>&1 ||
    { tail -n 30 "$tmp/ctest"; echo "0 passed, 1 failed"; exit 1; }

# One line per line of code that is compiled into a folder's library: folder, file, number, whether it ran. Read from the
# notes of the compiler, so that an object which no test links counts as well, as not run.
for folder in $folders; do find "$build/CMakeFiles/$folder.dir" -name '*.gcno'; done | sort >"$tmp/objects"
(cd "$tmp" && xargs gcov -t <objects 2>/dev/null) | awk -F: '
    { gsub(/ /, "", $1); gsub(/ /, "", $2) }
    $2 == "0" && $3 == "Source" { file = $4; sub(/.*\/src\//, "src/", file); split(file, part, "/") }
    $2 == "0" || $1 == "-" || file !~ /^src\/.*\.c$/ { next }
    { print part[2], file, $2, ($1 ~ /^[#=]/ ? 0 : 1) }' >"$tmp/lines"

[ "${1:-}" != -v ] || awk '$4 == 0 { print "  not run: " $2 ":" $3 }' "$tmp/lines"
awk -v least="$least" -v folders="$folders" '
    { all[$1]++; ran[$1] += $4 }
    END {
        printf "  %-10s %7s %7s %9s\n", "folder", "lines", "run", "percent"
        count = split(folders, name, " ")
        for (i = 1; i <= count; i++) {
            percent = all[name[i]] ? 100 * ran[name[i]] / all[name[i]] : 0
            if (percent >= least) passed++; else failed++
            printf "  %-10s %7d %7d %8.1f%%%s\n", name[i], all[name[i]], ran[name[i]], percent, (percent >= least ? "" : "  less than " least)
        }
        printf "%d passed, %d failed\n", passed + 0, failed + 0
        exit failed > 0
    }' "$tmp/lines"

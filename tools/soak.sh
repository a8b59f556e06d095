#!/usr/bin/env bash
# soak.sh — 100 000 new seeds of the simulator (SOAK_SEEDS), the crowds of bench/crowd.mjs (5000 slow clients, 10 000 connects,
# SOAK_PROOFS used proofs, default 1 000 000), 1 000 times kill -9 under load (SOAK_KILLS), a line of 100 000 refreshes
# (SOAK_DEPTH), then one server under steady load for SOAK_S seconds (default 3600), a line a round: its memory, descriptors
# and threads must be flat once it is warm, and it must still stop cleanly. The rounds stay in build/soak.log, the crowds in
# build/crowd.log.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SOAK_S:-3600} requests=${SOAK_REQUESTS:-20000}
warm_rounds=3           # caches, arenas and the SQLite page cache have their size by then
growth_kib_max=4096     # what may come on top: fragmentation, not a leak of 20 bytes a request
data=$(mktemp -d)
log=build/soak.log
pid=''
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$data"' EXIT

cmake --preset release >/dev/null
cmake --build build/release --target coatcheck bench_load sim >/dev/null
build/release/tests/sim/sim --fresh "${SOAK_SEEDS:-100000}"
node bench/crowd.mjs --proofs "${SOAK_PROOFS:-1000000}" | tee build/crowd.log
export COATCHECK_BIN=$PWD/build/release/coatcheck
COATCHECK_KILL_ROUNDS=${SOAK_KILLS:-1000} node tests/e2e/killed.test.mjs
COATCHECK_ONLY=C-58 COATCHECK_FAMILY_DEPTH=${SOAK_DEPTH:-100000} node tests/e2e/refresh.test.mjs
SECONDS=0
: >"$log"
mkfifo "$data/line"
build/release/coatcheck dev --port 0 --json --data "$data/node" >"$data/line" 2>"$data/log" &
pid=$!
exec 3<"$data/line"
IFS= read -r line <&3 || { cat "$data/log" >&2; exit 1; }
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$line"; }
port=$(member url); port=${port##*:}
BENCH_AUTHORIZATION="Basic $(printf '%s:%s' "$(member project_id)" "$(member api_token)" | base64 -w 0)"
export BENCH_AUTHORIZATION

rss_kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }
descriptors() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }
threads() { find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l; }

round=0 base_kib=0 base_fds=0 base_threads=0 worst=ok
while [ "$SECONDS" -lt "$seconds" ]; do
    build/release/bench/bench_load --port "$port" --requests "$requests" --connections 16 --references 100 \
        --path /api/fabric/subscribers/tokens >"$data/load" || { echo "the load was refused"; tail -n 5 "$data/log"; exit 1; }
    round=$((round + 1)) kib=$(rss_kib) fds=$(descriptors) count=$(threads)
    [ "$round" -gt "$warm_rounds" ] || { base_kib=$kib base_fds=$fds base_threads=$count; }
    [ $((kib - base_kib)) -le "$growth_kib_max" ] && [ "$fds" -le $((base_fds + 16)) ] && [ "$count" = "$base_threads" ] || worst=grown
    echo "${SECONDS} s: round $round, $kib KiB resident, $fds descriptors, $count threads" | tee -a "$log"
done
kill -TERM "$pid"
wait "$pid" || { echo "the server did not stop cleanly"; exit 1; }
pid=''
echo "$((round * requests)) requests, $((kib - base_kib)) KiB grown since round $warm_rounds: $worst" | tee -a "$log"
[ "$worst" = ok ]

#!/usr/bin/env bash
# refresh_test.sh — refresh.pml in every order of its steps: an owner alone, and with a thief, bound to a key and not. Then
# the model broken on purpose, one line at a time: a model that nothing can break says nothing.
set -uo pipefail
cd "$(dirname "$0")"
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
passed=0 failed=0

# explores <options>...: builds the explorer of $room/refresh.pml and runs it; the number of errors is its answer.
explores() {
    (cd "$room" && rm -f pan* && spin "$@" -a refresh.pml >log && gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c &&
        ./pan -m200000 -n >log 2>&1 && ! grep -q 'search was not completed\|max search depth too small' log && sed -n 's/.*errors: \([0-9]*\).*/\1/p' log)
}

tell() { # <whether it is well> <what>
    if [ "$1" = 0 ]; then passed=$((passed + 1)); echo "ok   $2"; else failed=$((failed + 1)); echo "FAIL $2"; tail -n 20 "$room/log"; fi
}

holds() {
    local what=$1
    shift
    cp refresh.pml "$room/refresh.pml"
    [ "$(explores "$@")" = 0 ]
    tell $? "$what: $(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' "$room/log" | head -n 1) states"
}

# breaks <what> <old> <new> <options>...: with old read as new, a law is broken.
breaks() {
    local what=$1
    OLD=$2 NEW=$3 perl -0pe 'BEGIN { $n = 0 } $n += s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { exit($n != 1) }' refresh.pml >"$room/refresh.pml" || { tell 1 "$what: no such text"; return; }
    shift 3
    [ "$(explores "$@")" = 1 ]
    tell $? "is noticed: $what"
}

small="-DLAST=2"
# shellcheck disable=SC2086 # words
{
    holds "an owner who loses answers" -DHONEST $small
    holds "an owner bound to a key who loses answers" -DHONEST -DBOUND $small
    holds "an owner and a thief" $small -DCRASHES=0 -DRETRIES=1
    holds "an owner bound to a key and a thief" -DBOUND $small -DCRASHES=0 -DRETRIES=1
    breaks "any key may ask again within the grace time" 'row.holder == who && row.in_grace' 'row.in_grace' $small -DCRASHES=0 -DRETRIES=1
    breaks "a retry is a reuse" 'row.holder == who && row.in_grace' 'false' -DHONEST $small
    breaks "the successor is a function of now" 'granted = row.rotated_ms' 'clock++; granted = clock' -DHONEST $small
    breaks "a reuse is answered before every lane knows" 'knows[1] = true }' 'skip }' $small -DCRASHES=0 -DRETRIES=1
    breaks "signed before it is stored" 'row.generation = presented + 1;' 'row.generation = presented;' -DHONEST $small
}
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

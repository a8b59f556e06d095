# tally.awk — reads `ctest -V` and says one line per program while it runs. A program that failed is shown whole. Test
# cases are counted from each program's last "N passed, N failed" line; one that dies without it counts as one failure.
# Appends "passed failed" to the file named by -v totals=.
function lines_of(id,    i) { for (i = 1; i <= count[id]; i++) print "       " line[id, i] }

match($0, /^[0-9]+: /) {
    id = substr($0, 1, RLENGTH - 2)
    text = substr($0, RLENGTH + 1)
    if (text ~ /^(Test command|Working Directory|Test timeout computed to be|Environment variables):/) next
    if (text ~ /^[0-9]+ passed, [0-9]+ failed$/) {
        split(text, number, " ")
        ok[id] = number[1]; bad[id] = number[3]
        next
    }
    line[id, ++count[id]] = text
    next
}
match($0, /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /) {
    id = $0; sub(/^[^#]*#/, "", id); sub(/:.*/, "", id)
    name = substr($0, RLENGTH + 1); sub(/[ .*].*/, "", name)
    if ($0 !~ / Passed / && bad[id] == 0) bad[id] = 1
    if ($0 ~ / Passed / && ok[id] + bad[id] == 0) { line[id, ++count[id]] = "counted no test"; bad[id] = 1 }
    printf "  %s %s (%d of %d)\n", bad[id] ? "FAIL" : "ok  ", name, ok[id], ok[id] + bad[id]
    if (bad[id]) {
        lines_of(id)
        how = $0; sub(/^.*\*\*\*/, "", how); sub(/ +[0-9.]+ sec.*/, "", how)
        if (how != "Failed") print "       " how
    }
    passed += ok[id]; failed += bad[id]
    fflush()
    next
}
/^No tests were found/ { print "  FAIL " $0; failed++ }
END { print passed + 0, failed + 0 >>totals }

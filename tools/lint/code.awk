# code.awk — prints every line of C as "file:line:code" without its comments and without what stands in quotes, so that
# the rules read code only. Lines of #include keep their quotes: the name between them is what the rule wants.
FNR == 1 { in_comment = 0 }
{
    rest = $0
    code = ""
    if (!in_comment && rest ~ /^[ \t]*#[ \t]*include/) {
        sub(/[ \t]*\/[\/*].*/, "", rest)
        print FILENAME ":" FNR ":" rest
        next
    }
    while (rest != "") {
        if (in_comment) {
            at = index(rest, "*/")
            if (!at) break
            in_comment = 0
            rest = substr(rest, at + 2)
            continue
        }
        if (!match(rest, /\/\*|\/\/|"|'/)) {
            code = code rest
            break
        }
        mark = substr(rest, RSTART, 1)
        code = code substr(rest, 1, RSTART - 1)
        if (mark == "/") {
            if (substr(rest, RSTART, 2) == "//") break
            in_comment = 1
            rest = substr(rest, RSTART + 2)
            continue
        }
        rest = substr(rest, RSTART + 1)
        # The rest of the literal: plain characters or escapes up to the same quote.
        if (mark == "\"") found = match(rest, /^([^"\\]|\\.)*"/)
        else found = match(rest, /^([^'\\]|\\.)*'/)
        code = code mark mark
        rest = found ? substr(rest, RLENGTH + 1) : ""
    }
    print FILENAME ":" FNR ":" code
}

#!/usr/bin/env bash
# lint.sh — the house rules a machine can see, one function each. A rule prints what breaks it and where; silence is
# consent. The lists it reads stand beside it: layers, banned, headers, parsers, engine_symbols (.txt).
# tests/lint/lint_test.sh breaks each rule once and expects its name in the answer.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

sources() { find src bench tests examples -name node_modules -prune -o -name '*.[ch]' -print | sort; }
# src/a/b.c:12:code, without comments and the insides of quotes
find src bench tests examples -name node_modules -prune -o \( -name '*.[ch]' -o -name '*.def' \) -print | sort |
    xargs awk -f tools/lint/code.awk >"$tmp/code"

# Each include of ours, against the row of the including file's folder.
rule_layers() {
    awk '
        NR == FNR {
            sub(/#.*/, "")
            if (NF == 0) next
            room = $1; sub(/:$/, "", room)
            known[room] = 1
            for (i = 2; i <= NF; i++) may[room, $i] = 1
            next
        }
        {
            split($0, part, ":")
            file = part[1]
            if (file !~ /^src\// || !match($0, /#[ \t]*include[ \t]*"[^"]*"/)) next
            name = substr($0, RSTART, RLENGTH); gsub(/.*include[ \t]*"|"$/, "", name)
            split(file, dir, "/"); room = dir[2]
            if (!(room in known)) { print file ":" part[2] ": the folder " room " has no row in tools/layers.txt"; next }
            split(name, to, "/")
            if (name !~ /\// || to[1] == room) next
            if (file ~ /_(test|fuzz)\.c$/ && to[1] == "harness") next
            if ((room, to[1]) in may || (room, name) in may) next
            print file ":" part[2] ": " room " may not include " name
        }' tools/layers.txt "$tmp/code"
}

# Headers of libraries, for the files that may know them.
rule_headers() {
    awk '
        function glob(text) { gsub(/[.+]/, "[&]", text); gsub(/\*/, "[^/]*", text); return "^" text "$" }
        NR == FNR {
            sub(/#.*/, "")
            if (NF == 0) next
            rows++; header[rows] = glob($1); files[rows] = ""
            for (i = 2; i <= NF; i++) files[rows] = files[rows] (i > 2 ? "|" : "") glob("src/" $i)
            next
        }
        {
            split($0, part, ":")
            if (part[1] !~ /^src\// || part[1] ~ /_(test|fuzz)\.c$/ || !match($0, /#[ \t]*include[ \t]*[<"][^>"]*[>"]/)) next
            name = substr($0, RSTART, RLENGTH); gsub(/.*include[ \t]*[<"]|[>"]$/, "", name)
            for (i = 1; i <= rows; i++)
                if (name ~ header[i] && part[1] !~ files[i]) print part[1] ":" part[2] ": " name " is not for this file"
        }' tools/headers.txt "$tmp/code"
}

# Calls of functions that nobody, or only some files, may call. A call through a struct is another function.
rule_banned() {
    awk '
        function glob(text) { gsub(/[.+]/, "[&]", text); gsub(/\*/, "[^/]*", text); return "^src/" text "$" }
        NR == FNR {
            sub(/#.*/, "")
            if (NF == 0) next
            if (!($1 in banned)) files[$1] = "" # a word may take several lines
            banned[$1] = 1; owned[$1] = NF > 1
            for (i = 2; i <= NF; i++) files[$1] = files[$1] (files[$1] != "" ? "|" : "") glob($i)
            next
        }
        {
            split($0, part, ":")
            file = part[1]
            ours = file ~ /^src\// && file !~ /_(test|fuzz)\.c$/
            rest = substr($0, length(part[1]) + length(part[2]) + 3)
            while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
                name = substr(rest, RSTART, RLENGTH); sub(/[ \t]*\($/, "", name)
                before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
                rest = substr(rest, RSTART + RLENGTH)
                if (!(name in banned) || before == "." || before == ">") continue
                if (owned[name] && (!ours || file ~ files[name])) continue
                print file ":" part[2] ": " name "() is banned here (tools/banned.txt)"
            }
        }' tools/banned.txt "$tmp/code"
}

# Vendors are known to their dialects alone.
rule_vendors() {
    { grep -rnoiE 'signalwire|dialogue|tortus' src; find src -print | grep -iE 'signalwire|dialogue|tortus'; } |
        grep -v '^src/dialect/'
}

# The engine, compiled, asks nobody for anything that is not in the list.
rule_engine_symbols() {
    local objects=$tmp/engine
    mkdir "$objects"
    find src/engine -name '*.c' ! -name '*_test.c' ! -name '*_fuzz.c' | sort >"$tmp/engine.list"
    [ -s "$tmp/engine.list" ] || { echo "src/engine: nothing to compile"; return; }
    # shellcheck disable=SC2016 # expanded by the inner shell
    xargs -P 2 -I '{}' sh -c 'cc -std=c11 -O1 -w -D_GNU_SOURCE -Isrc -c "$1" -o "$2/$(echo "$1" | tr / _).o"' - '{}' "$objects" \
        <"$tmp/engine.list" 2>"$tmp/engine.errors" || { echo "src/engine: does not compile"; head -n 5 "$tmp/engine.errors"; return; }
    nm -A -u "$objects"/*.o | sed 's/.*src_engine_\(.*\)\.o: *U /\1 /' >"$tmp/undefined"
    nm --defined-only "$objects"/*.o | awk 'NF == 3 { print $3 }' >"$tmp/defined"
    awk '
        FILENAME == ARGV[1] { sub(/#.*/, ""); if (NF) { sub(/\*$/, "[A-Za-z0-9_]*", $1); allowed[$1] = 1 }; next }
        FILENAME == ARGV[2] { ours[$1] = 1; next }
        {
            if ($2 in ours) next
            for (name in allowed) if ($2 ~ "^" name "$") next
            print "src/engine/" $1 ": asks for " $2
        }' tools/engine_symbols.txt "$tmp/defined" "$tmp/undefined"
}

# What reads a stranger's bytes has a fuzz target and seeds; what looks like such a reader is in the list.
rule_parsers() {
    local path rest header
    while read -r path rest; do
        case $path in '' | '#'* | -) continue ;; esac
        [ -f "src/$path.c" ] || echo "tools/parsers.txt: src/$path.c does not exist"
        [ -f "src/${path}_fuzz.c" ] || echo "src/$path.c: a parser without ${path##*/}_fuzz.c"
        [ -n "$(ls "tests/corpus/${path##*/}" 2>/dev/null)" ] || echo "src/$path.c: no seeds in tests/corpus/${path##*/}/"
    done <tools/parsers.txt
    awk -F: '$1 ~ /^src\/.*\.h$/ && $3 ~ /[a-z0-9]_(read|feed|split|parse|decode)\(/ { print $1 }' "$tmp/code" | sort -u |
        while read -r header; do
            header=${header#src/}
            grep -qE "^(- )?${header%.h}( |$)" tools/parsers.txt || echo "src/$header: looks like a parser and is not in tools/parsers.txt"
        done
}

# A file is read in one sitting, a function fits one screen, a line stays within it: the formatter leaves comments as
# they are. Functions open and close at the first column.
rule_sizes() {
    awk '
        FNR == 1 { open = 0 }
        FNR == 601 { print FILENAME ": more than 600 lines" }
        { text = $0; gsub(/[\200-\277]/, "", text); if (length(text) > 120) print FILENAME ":" FNR ": more than 120 characters" }
        /^\{/ { open = FNR }
        /^\}/ { if (open && FNR - open + 1 > 70) print FILENAME ":" open ": a function of " FNR - open + 1 " lines"; open = 0 }
        ' $(sources)
}

rule_format() {
    sources | xargs -P 2 -n 40 clang-format --dry-run -Werror 2>&1 | sed -n 's/^ *\([^: ]*\) *:[0-9]*:.*clang-format-violations.*/\1/p' |
        sort | uniq -c | awk '{ print $2 ": " $1 " places are not formatted (make format)" }'
}

# No unfinished work, no skipped tests, no tests that wait for luck.
rule_honest() {
    local marks='\b(TO''DO|FIX''ME|X''XX)\b' skips='\b(it|test|describe)\.(skip|only|todo)\b|waitForTimeout\('
    grep -rnIE --exclude-dir=node_modules "$marks" src sdk examples tests tools bench cmake docs CMakeLists.txt Makefile .ci
    grep -rnIE --exclude-dir=node_modules --include='*.js' --include='*.mjs' --include='*.ts' --include='*.tsx' "$skips" tests sdk/src
}

# Exporting a key can hang Node (tests/harness/keys.mjs says how), and a test that hangs so tells nothing.
rule_key_pairs() {
    grep -rnE --exclude-dir=node_modules --include='*.mjs' 'generateKeyPairSync\("(ec|ed25519|rsa)"|\.export\(\{ format: "jwk"' tests
}

# The lock files say what, not where from.
rule_lockfile() {
    grep -n '"resolved": *"http' tests/package-lock.json sdk/package-lock.json examples/package-lock.json
}

# The browser SDK: what the strict compiler says; sizes; words that nobody, or only some files, may use
# (tools/sdk_words.txt); no run-time dependency; and its codes are the server's.
rule_sdk_types() {
    [ -x sdk/node_modules/.bin/tsc ] || { echo "sdk/node_modules: not installed (tools/install.sh check)"; return; }
    sdk/node_modules/.bin/tsc -p sdk/tsconfig.json --pretty false
    node sdk/tools/generate-codes.mjs --check
}

rule_sdk_sizes() {
    awk '
        FNR == 1 { open = 0 }
        FNR == 601 { print FILENAME ": more than 600 lines" }
        /^(    )?\{/ { open = FNR }
        /^(    )?\}/ { if (open && FNR - open + 1 > 70) print FILENAME ":" open ": a function of " FNR - open + 1 " lines"; open = 0 }
        ' $(find sdk/src -name '*.ts' -o -name '*.tsx')
}

rule_sdk_words() {
    local word files file
    while read -r word files; do
        case $word in '' | '#'*) continue ;; esac
        for file in $(find sdk/src \( -name '*.ts' -o -name '*.tsx' \) ! -name '*.test.*' ! -path '*/testing/*'); do
            case " $files " in *" ${file#sdk/src/} "*) continue ;; esac
            sed -E 's#//.*##; s#^ *(/[*]|[*]).*##' "$file" | grep -nE -- "$word" | while IFS=: read -r line _; do
                echo "$file:$line: $word is not for this file (tools/sdk_words.txt)"
            done
        done
    done <tools/sdk_words.txt
    grep -n '"dependencies"' sdk/package.json
}

passed=0 failed=0
rules=$(declare -F | sed -n 's/^declare -f rule_//p')
for rule in ${*:-$rules}; do
    found=$("rule_$rule" 2>&1)
    if [ -z "$found" ]; then
        passed=$((passed + 1))
        echo "ok   $rule"
    else
        failed=$((failed + 1))
        echo "FAIL $rule"
        printf '%s\n' "$found" | head -n "${LINT_LINES:-40}" | sed 's/^/    /'
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

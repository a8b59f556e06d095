#!/usr/bin/env bash
# lint_test.sh — shows that each rule of tools/lint.sh can fail: in a copy of the tree every rule is broken in turn and
# must name the place; and what only looks like a breach must be let through.
set -uo pipefail
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r src bench tools docs cmake CMakeLists.txt Makefile .ci .clang-format "$copy/"
mkdir "$copy/sdk"
find sdk -mindepth 1 -maxdepth 1 ! -name node_modules ! -name dist -exec cp -r '{}' "$copy/sdk/" ';'
ln -s "$PWD/sdk/node_modules" "$copy/sdk/node_modules"
mkdir "$copy/examples"
find examples -mindepth 1 -maxdepth 1 ! -name node_modules -exec cp -r '{}' "$copy/examples/" ';'
mkdir "$copy/tests"
find tests -mindepth 1 -maxdepth 1 ! -name node_modules -exec cp -r '{}' "$copy/tests/" ';'
cd "$copy" || exit 1
passed=0 failed=0
export LINT_LINES=100000

answer() { tools/lint.sh "$1" 2>&1; }

tell() { # tell <ok?> <what>
    if [ "$1" = 0 ]; then passed=$((passed + 1)); echo "ok   $2"; else failed=$((failed + 1)); echo "FAIL $2"; fi
}

# refuses <what> <rule> <file> <text, its last line> <expected in the answer>; the file is put back afterwards.
refuses() {
    local what=$1 rule=$2 file=$3 text=$4 expected=$5 said=1 out
    mkdir -p "$(dirname "$file")"
    [ ! -f "$file" ] || cp "$file" saved
    printf '%b\n' "$text" >>"$file"
    out=$(answer "$rule") || { grep -q "^FAIL $rule" <<<"$out" && grep -qF -- "$expected" <<<"$out" && said=0; }
    if [ -f saved ]; then mv saved "$file"; else rm "$file"; fi
    tell "$said" "$what"
}

# lets_through <what> <rule> <file> <text>: no finding names the file.
lets_through() {
    local what=$1 rule=$2 file=$3 text=$4 said=0
    mkdir -p "$(dirname "$file")"
    printf '%b\n' "$text" >"$file"
    answer "$rule" | grep -qF -- "$file" && said=1
    rm "$file"
    tell "$said" "$what"
}

refuses "the engine may not include the store" layers src/engine/a.c '#include "store/store.h"' 'src/engine/a.c:1: engine may not include store/store.h'
refuses "wire may not include the engine" layers src/wire/a.h '#include "engine/ask.h"' 'wire may not include engine/ask.h'
refuses "base includes nothing of ours" layers src/base/a.c '#include "wire/url.h"' 'base may not include wire/url.h'
refuses "a dialect sees no plans" layers src/dialect/x/a.c '#include "engine/decision.h"' 'dialect may not include engine/decision.h'
refuses "tokens see no more of wire than JSON" layers src/token/a.c '#include "wire/url.h"' 'token may not include wire/url.h'
refuses "product code includes no test harness" layers src/wire/a.c '#include "harness/check.h"' 'wire may not include harness/check.h'
refuses "a new folder needs a row" layers src/attic/a.c '#include "base/err.h"' 'has no row in tools/layers.txt'
lets_through "a test includes the harness and its own folder" layers src/wire/a_test.c '#include "harness/check.h"\n#include "url.h"\n#include "base/buf.h"'
lets_through "a commented include is none" layers src/wire/a.c '/*\n#include "engine/ask.h"\n*/'

refuses "libuv belongs to the loop" headers src/service/a.c '#include <uv.h>' 'src/service/a.c:1: uv.h is not for this file'
refuses "crypto belongs to token" headers src/wire/a.c '#include <openssl/evp.h>' 'openssl/evp.h is not for this file'
refuses "SQL belongs to the store" headers src/service/a.c '#include <sqlite3.h>' 'sqlite3.h is not for this file'
refuses "JSON's library belongs to its reader" headers src/dialect/a.c '#include <jansson.h>' 'jansson.h is not for this file'
lets_through "a test may look at a library" headers src/wire/a_test.c '#include <jansson.h>'

refuses "strcpy in the product" banned src/wire/a.c 'void f(void) { strcpy(a, b); }' 'src/wire/a.c:1: strcpy() is banned'
refuses "strcpy in a test" banned src/wire/a_test.c 'void f(void) { strcpy (a, b); }' 'src/wire/a_test.c:1: strcpy() is banned'
refuses "a test that sleeps" banned src/wire/a_test.c 'void f(void) { usleep(1); }' 'usleep() is banned'
refuses "malloc outside its owners" banned src/dialect/a.c 'void *p = malloc(1);' 'malloc() is banned'
refuses "a clock outside the host" banned src/service/a.c 'int t = time(NULL);' 'time() is banned'
refuses "randomness outside the host" banned src/engine/a.c 'void f(void) { getrandom(p, 1, 0); }' 'getrandom() is banned'
refuses "a socket outside the listener" banned src/store/a.c 'int fd = (socket)(1), b = socket(2, 1, 0);' 'socket() is banned'
lets_through "a banned name in a comment, a string, a longer name or a struct" banned src/engine/a.c \
    '/* time( */ // malloc(\nchar *s = "time(", c = 0x22; int n = uptime(1), m = x->time(2), o = x.malloc(3);'
lets_through "a test may take memory" banned src/engine/a_test.c 'void *p = malloc(1);'

refuses "a vendor's name in the engine" vendors src/engine/a.c '/* as Signal''Wire does */' 'src/engine/a.c:1:'
refuses "a vendor's name in an identifier" vendors src/server/a.h 'int is_tor''tus;' 'src/server/a.h:1:'
lets_through "a vendor's name in its dialect" vendors src/dialect/x/a.c '/* signal''wire */'

refuses "the engine asks for a process id" engine_symbols src/engine/a.c 'int getpid(void);\nint f(void);\nint f(void)\n{\n    return getpid();\n}' 'src/engine/a.c: asks for getpid'
refuses "the engine asks for a clock by another name" engine_symbols src/engine/a.c '#include <time.h>\nlong f(void);\nlong f(void)\n{\n    return clock();\n}' 'asks for clock'
refuses "the engine writes a log" engine_symbols src/engine/a.c '#include "base/log.h"\nvoid f(void);\nvoid f(void)\n{\n    log_set_level(LOG_INFO);\n}' 'asks for log_set_level'

refuses "a listed parser without a fuzz target" parsers tools/parsers.txt 'wire/nothing' 'a parser without nothing_fuzz.c'
refuses "a listed parser without seeds" parsers tools/parsers.txt 'wire/nothing' 'no seeds in tests/corpus/nothing/'
refuses "a reader that is in no list" parsers src/wire/a.h 'enum err a_read(struct a *out, struct bytes in);' 'src/wire/a.h: looks like a parser'
refuses "a feeder that is in no list" parsers src/service/a.h 'int a_feed(struct a *a, uint8_t *in, size_t len);' 'src/service/a.h: looks like a parser'

refuses "a file of 601 lines" sizes src/wire/a.c "$(yes 'int a;\n' | head -n 601 | tr -d '\n')" 'src/wire/a.c: more than 600 lines'
refuses "a function of 71 lines" sizes src/wire/a.c "void f(void)\n{\n$(yes '    a();\n' | head -n 69 | tr -d '\n')}" 'src/wire/a.c:2: a function of 71 lines'
lets_through "a function of 70 lines" sizes src/wire/a.c "void f(void)\n{\n$(yes '    a();\n' | head -n 68 | tr -d '\n')}"

refuses "a line of 121 characters" sizes src/wire/a.c "/* $(yes '…' | head -n 115 | tr -d '\n') */" 'src/wire/a.c:1: more than 120 characters'
lets_through "a line of 120 characters" sizes src/wire/a.c "/* $(yes '…' | head -n 114 | tr -d '\n') */"

refuses "a file that nobody formatted" format src/wire/a.c 'int  a( void ){return 1;}' 'src/wire/a.c: '
lets_through "a formatted file" format src/wire/a.c 'int a(void)\n{\n    return 1;\n}'

refuses "a mark of unfinished work" honest src/wire/a.c '/* TO''DO */' 'src/wire/a.c:1:'
refuses "a mark of unfinished work in a script" honest tools/a.sh '# FIX''ME' 'tools/a.sh:1:'
refuses "a skipped test" honest tests/e2e/a.test.mjs "test.sk""ip('x', () => {});" 'tests/e2e/a.test.mjs:1:'
refuses "a test that waits for luck" honest tests/e2e/a.test.mjs 'await page.waitForTime''out(500);' 'tests/e2e/a.test.mjs:1:'

refuses "a test that exports a key" key_pairs tests/e2e/a.test.mjs 'const jwk = key.ex''port({ format: "jwk" });' 'tests/e2e/a.test.mjs:1:'

refuses "a lock file with addresses" lockfile tests/package-lock.json '"resolved": "http''s://example/x.tgz"' '"resolved"'

rules=$(sed -n 's/^rule_\([a-z_]*\)().*/\1/p' tools/lint.sh)
for rule in $rules; do
    grep -qE "^refuses \"[^\"]*\" $rule " "$OLDPWD/tests/lint/lint_test.sh"
    tell $? "the rule $rule is broken above"
done
refuses "any in the SDK" sdk_words sdk/src/a.ts 'export const a = (b: any) => b;' 'sdk/src/a.ts:1: :\s*any\b'
refuses "a default export in the SDK" sdk_words sdk/src/a.ts 'export default 1;' 'sdk/src/a.ts:1: \bexport'
refuses "the wall clock in the SDK's step" sdk_words sdk/src/session-step.ts 'const now = Date.now();' 'sdk/src/session-step.ts:'
refuses "a timer outside the platform" sdk_words sdk/src/a.ts 'setTimeout(() => {}, 1);' 'sdk/src/a.ts:1: \bsetTimeout'
lets_through "a test of the SDK may have timers" sdk_words sdk/src/a.test.ts 'setTimeout(() => {}, 1);'
lets_through "a comment may speak of them" sdk_words sdk/src/a.ts '// setTimeout(); Date.now()'
refuses "a file of the SDK of 601 lines" sdk_sizes sdk/src/a.ts "$(printf '// line\\n%.0s' {1..601})" 'sdk/src/a.ts: more than 600 lines'
refuses "what the strict compiler refuses" sdk_types sdk/src/a.ts 'export const a: number = "b";' 'src/a.ts(1,14): error TS2322'
refuses "codes that are not the server's" sdk_types src/base/refusal.def 'REFUSAL_ROW(NEW, 401, 4401, "new_slug", "", "")' 'sdk/src/codes.ts is not'
refuses "a lock file of the SDK that names a host" lockfile sdk/package-lock.json '      "resolved": "https://example.com/a.tgz",' 'sdk/package-lock.json:'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

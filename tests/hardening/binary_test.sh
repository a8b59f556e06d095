#!/usr/bin/env bash
# binary_test.sh — what the compiler and linker made of the built server: each protection is looked up in the file itself,
# because a flag that a tool ignores protects nobody. COATCHECK_BIN names the binary.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
bin=${COATCHECK_BIN:-build/release/coatcheck}
headers=$(readelf -lW "$bin") dynamic=$(readelf -dW "$bin") about=$(readelf -hW "$bin") code=$(objdump -d --no-show-raw-insn "$bin")
wanted=$(nm -D --undefined-only "$bin")
passed=0 failed=0

# it <what> <command...>: passes if the command does
it() {
    local what=$1
    shift
    if "$@" >/dev/null; then
        passed=$((passed + 1))
        echo "ok   $what"
    else
        failed=$((failed + 1))
        echo "FAIL $what"
    fi
}
has() { grep -qE "$1" <<<"$2"; }
lacks() { ! grep -qE "$1" <<<"$2"; }

it "is loaded at an address nobody can know (PIE)" has 'Type: +DYN' "$about"
it "is marked as an executable, not as a library" has 'FLAGS_1.*\bPIE\b' "$dynamic"
it "resolves its symbols at start" has 'BIND_NOW|FLAGS_1.*\bNOW\b' "$dynamic"
it "has its tables read-only afterwards (RELRO)" has '^ *GNU_RELRO ' "$headers"
it "has a stack that cannot be run" has '^ *GNU_STACK .* RW +0x' "$headers"
it "has no segment that can be written and run" lacks '^ *LOAD .* RWE ' "$headers"
it "keeps code apart from data that is only read" has '^ *LOAD .* R +0x' "$headers"
it "needs no relocation inside its code" lacks 'TEXTREL' "$dynamic"
it "looks for libraries where the system keeps them, and nowhere else" lacks 'RPATH|RUNPATH' "$dynamic"
it "notices an overwritten stack" has ' __stack_chk_fail' "$wanted"
it "calls the checked forms of copying and printing" has ' __(memcpy|snprintf|vsnprintf|fprintf|read)_chk' "$wanted"
it "calls none of the unbounded forms" lacks ' (strcpy|strcat|sprintf|vsprintf|gets|scanf)(@|$)' "$wanted"
# The note that asks the processor to check is the linker's only if Debian's start files have it too; the marks are ours.
it "marks where an indirect jump may land" has '(endbr64|bti|paciasp)' "$(grep -A 1 '<main>:$' <<<"$code")"
# A frame larger than a page is touched page by page, so that none can jump over the guard below the stack.
it "takes large stack frames page by page" has 'orq? +\$0x0,(0x[0-9a-f]+)?\(%rsp\)|str[[:space:]]+xzr, \[sp' "$code"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

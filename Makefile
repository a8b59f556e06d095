# The build is CMake's (CMakePresets.json); these are the words people type.
.PHONY: help run unit check lint analyze coverage fuzz bench soak ws-echo format
MAKEFLAGS += --no-print-directory

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

# Progress goes to stderr: with ARGS=--json the one line on stdout is the server's.
run: ## install what is missing, build, start a test project and the example products (ARGS="--port 0 --json" ...)
	@tools/install.sh run
	@cmake --preset release >&2
	@cmake --build build/release --target coatcheck >&2
	@exec tools/run.sh $(ARGS)

unit: ## unit tests and fuzz corpora under sanitizers
	@tools/check.sh unit

check: ## every test there is; ends with "N passed, N failed"
	@tools/install.sh check
	@tools/check.sh check

lint: ## the house rules a machine can see
	@tools/lint.sh

analyze: ## clang-tidy and cppcheck over all C files: no finding is the only good answer
	@tools/install.sh check
	@tools/analyze.sh

coverage: ## lines that unit tests and corpora run, per pure folder; below 95 percent is a failure
	@tools/install.sh check
	@tools/check.sh coverage

fuzz: ## each fuzzer for FUZZ_S seconds of processor time (default 60), or only those of FUZZ="name ..."
	@tools/install.sh check
	@tools/fuzz.sh $(FUZZ)

bench: ## how fast, against bare prototypes: ratios, not verdicts
	@tools/install.sh check
	@cmake --preset release >&2
	@node bench/run.mjs $(ARGS)

soak: ## 100 000 simulated seeds, 1 000 kills under load, 100 000 refreshes in a line, then SOAK_S seconds of load (default 3600): memory and descriptors must stay flat
	@tools/install.sh check
	@tools/soak.sh

# Builds quietly, so that the one line on stdout is the echo's: its URL.
ws-echo: ## a WebSocket peer made of the server's own frames that echoes, on PORT (9001), for drivers of the protocol
	@tools/install.sh run
	@cmake --preset release >&2
	@cmake --build build/release --target wsecho >&2
	@exec build/release/tests/wsecho/wsecho $(or $(PORT),9001)

format: ## put the layout of all C files right
	@find src bench tests examples -name node_modules -prune -o -name '*.[ch]' -print | xargs clang-format -i

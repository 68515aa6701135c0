# What a person does here. Everything sets itself up: Rust and make are enough.
#
#   make dev     run the whole of Switchboard on this machine
#   make test    everything CI tests
#   make browser installs the browser that some of them use; SWITCHBOARD_NO_BROWSER=1 does without
#   make picture draws docs/phone.png anew
#   make docs    writes the pages anew that are made from plans, transcripts and code: docs/flows, docs/bad-plans.md
#   make crash   kills a board in the midst of fifty calls, a hundred times
#   make disorder  every scenario with its webhooks mishandled, a thousand times
#   make load    five hundred calls at once, and how fast they were answered
#   make check   formatting, lints, docs, licences: what CI checks besides
#   make explore every order of the queue protocol, of the larger cases too: minutes
#   make build   the functions, optimised as they are deployed
#   make rehearse  builds the stack, checks it, deploys it to an AWS on this machine and places calls
#   make deploy  the same to your account, and pushes the plan; PLAN=file STACK=name ARGS="sam's options"
#   make tools   installs what those two need, beside the build: nothing of yours is touched
#   make bench   how fast it is, beside a bare Lambda and Python; ARGS="cold claims" for parts
#   make cost    what calls cost on AWS, beside Vonage: docs/cost.md; INBOUND=price OUTBOUND=price of a minute
#   make fuzz    hostile input, for long: TIME=60 seconds a target, TARGET=plan for one alone,
#                INPUT=file to see one input again

CARGO ?= cargo
ARGS ?=
BUILD = $(or $(CARGO_TARGET_DIR),target)
SDK = $(BUILD)/sdk-python

TIME ?= 60
TARGET ?= address batch cue gateway job ncco plan token webhook
INPUT ?=

# What builds, checks and deploys the stack: each in an environment of its own, by their lock files.
TOOLS = $(abspath $(BUILD))/tools
ENVIRONMENTS = sam checkov ministack pipeline
STACK ?= $(or $(SWITCHBOARD_STACK),switchboard)
PLAN ?= switchboard.toml
# What this machine runs: a rehearsal starts the functions.
MACHINE = $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

.PHONY: dev test tools inspect rehearse deploy browser picture docs crash disorder load explore check lint fmt build bench cost fuzz

dev:
	$(CARGO) run --quiet --package switchboard-cli -- dev $(ARGS)

# The binaries first, since the tests start them as processes; the functions by themselves, with the
# features they are deployed with and none that the CLI asks for. Vonage's own SDK drives the double where
# it can be installed, and is left out elsewhere; so is the rehearsal, which deploys what was built here.
test: browser $(SDK)
	@$(MAKE) --no-print-directory tools || echo "no Python or no network: the rehearsal is left out"
	@! [ -d $(TOOLS)/pipeline ] || $(MAKE) --no-print-directory inspect
	$(CARGO) build --bins
	$(CARGO) build --package switchboard-cli
	@python=$(abspath $(SDK))/bin/python; \
	if [ -x $$python ]; then export SWITCHBOARD_SDK_PYTHON=$$python; fi; \
	if [ -d $(TOOLS)/ministack ] && [ -d $(TOOLS)/sam ]; then export SWITCHBOARD_TOOLS=$(TOOLS); fi; \
	set -x; $(CARGO) test --workspace $(ARGS)

$(SDK): phone/tests/sdk/python/requirements.txt
	@rm -rf $@
	@python3 -m venv $@ && \
	$@/bin/pip install --quiet --retries 1 --require-hashes --requirement $< && touch $@ || \
	{ rm -rf $@; echo "no Python or no network: the test of Vonage's SDK is left out"; }

tools: $(ENVIRONMENTS:%=$(TOOLS)/%)

$(TOOLS)/uv: infra/tools/uv.txt
	@rm -rf $@
	@python3 -m venv $@ && $@/bin/pip install --quiet --retries 1 --require-hashes --requirement $< && touch $@ \
		|| { rm -rf $@; exit 1; }

$(TOOLS)/%: infra/tools/%.txt | $(TOOLS)/uv
	@rm -rf $@
	@python3 -m venv --without-pip $@ \
		&& $(TOOLS)/uv/bin/uv pip install --quiet --python $@/bin/python --require-hashes --requirement $< \
		&& touch $@ || { rm -rf $@; exit 1; }

# Template and pipeline, by those who look for what is wrong or unsafe in them.
inspect: export SAM_CLI_TELEMETRY = 0
inspect: tools
	$(TOOLS)/sam/bin/sam validate --lint --region eu-west-1
	$(TOOLS)/sam/bin/cfn-lint template.yaml infra/oidc.yaml
	$(TOOLS)/checkov/bin/checkov --file template.yaml infra/oidc.yaml --config-file infra/checkov.yaml
	$(TOOLS)/pipeline/bin/zizmor --offline --quiet --persona=pedantic .github
	$(TOOLS)/pipeline/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(TOOLS)/pipeline/bin/check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(TOOLS)/pipeline/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

# SAM finds cargo-lambda in the path, and that finds Zig there.
rehearse deploy: export PATH := $(TOOLS)/sam/bin:$(PATH)
rehearse deploy: export SAM_CLI_TELEMETRY = 0

rehearse: inspect
	sam build --parameter-overrides Architecture=$(MACHINE)
	$(CARGO) build --package switchboard-cli
	SWITCHBOARD_TOOLS=$(TOOLS) SWITCHBOARD_BUILT=$(CURDIR)/.aws-sam/build/template.yaml \
		$(CARGO) test --package switchboard-tests --test rehearsal -- --nocapture

# SAM shows what would change and asks, unless ARGS has --no-confirm-changeset. Then the plan, which is
# the same in a moment where it was pushed before.
deploy: tools
	sam build
	sam deploy --stack-name $(STACK) $(ARGS)
	$(CARGO) run --quiet --package switchboard-cli -- --stack $(STACK) plan push $(PLAN)

browser:
	@test -n "$$SWITCHBOARD_NO_BROWSER" || { command -v chromium && command -v chromedriver; } >/dev/null || { \
		command -v apt-get >/dev/null || { \
			echo "the phone page is tested in Chromium: install chromium and chromedriver, or set SWITCHBOARD_NO_BROWSER=1" >&2; \
			exit 1; \
		}; \
		install="apt-get install -y --no-install-recommends chromium chromium-driver"; \
		root=$$(test "$$(id -u)" = 0 || echo sudo); \
		$$root $$install || { $$root apt-get update && $$root $$install; }; \
	}

# Made smaller where optipng is there to do so.
picture: browser
	$(CARGO) build --package switchboard-cli
	$(CARGO) test --package switchboard-tests --test browser -- --ignored picture_for_the_readme
	@! command -v optipng >/dev/null || optipng -quiet -strip all -o5 docs/phone.png

# Transcripts are what they are made of: SWITCHBOARD_TRANSCRIPTS=write writes those.
docs:
	$(CARGO) build --package switchboard-cli
	SWITCHBOARD_DOCS=write $(CARGO) test --package switchboard-tests --test docs $(ARGS)

# The same as in `make test`, ten times as often, and built to be fast.
crash:
	$(CARGO) build --profile tool --bins
	$(CARGO) build --profile tool --package switchboard-cli
	SWITCHBOARD_CRASH_SEEDS=100 $(CARGO) test --profile tool --package switchboard-tests --test crash $(ARGS)

# The same as in `make test`, in three hundred times as many disorders. SEEDS=n for others,
# SCENARIOS="held timer" for these alone. On a machine that does nothing else: time-outs are real.
disorder:
	SWITCHBOARD_DISORDER_SEEDS=$(or $(SEEDS),1000) SWITCHBOARD_DISORDER_SCENARIOS="$(SCENARIOS)" $(CARGO) test --profile tool --package switchboard-tests --test scenarios disorder -- --nocapture $(ARGS)

load:
	$(CARGO) run --quiet --profile tool --package switchboard-cli -- simulate --at 2026-11-23T10:00 --calls 500 --rate 20 --disorder 7 $(ARGS)

# The cases that `make test` has no time for, too.
explore:
	$(CARGO) test --package switchboard-tests --test explore -- --include-ignored --nocapture $(ARGS)

check: lint
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check

lint: fmt
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --package switchboard-fuzz --bins --features targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

fmt:
	$(CARGO) fmt --all --check

build:
	$(CARGO) build --release

# The functions and the bare Lambda are built apart from one another, so that neither is given
# features for the other's sake. Python is measured where it can be installed, and left out elsewhere.
bench: $(BUILD)/bench-python
	$(CARGO) build --release
	$(CARGO) build --release --package switchboard-hello
	$(CARGO) run --profile tool --package switchboard-tests --example bench -- $(BUILD)/release $(ARGS)

# INBOUND and OUTBOUND are Vonage's prices of a minute.
cost:
	$(CARGO) run --profile tool --package switchboard-tests --example bench -- $(BUILD)/release cost

$(BUILD)/bench-python: tests/bench/python/requirements.txt
	rm -rf $@
	python3 -m venv $@ && $@/bin/pip install --quiet --require-hashes --requirement $< && touch $@ || rm -rf $@

# libFuzzer on the stable toolchain: only its sanitizers need another, and there is no unsafe code of
# ours for them to watch. Built in a minute or five rather than in twenty. What it finds on its way is
# kept beside the build, so that the corpus in the repository stays small.
fuzz: export CARGO_PROFILE_RELEASE_LTO = off
fuzz: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS = 16
fuzz: export CARGO_PROFILE_RELEASE_OPT_LEVEL = 1
fuzz: export CARGO_PROFILE_RELEASE_STRIP = none
fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	@build=$${CARGO_TARGET_DIR:-target}/fuzz; \
	for target in $(TARGET); do \
		found=$$build/corpus/$$target; crashes=$$build/crashes/$$target; \
		mkdir -p $$found $$crashes; \
		echo "$$target: $(TIME) seconds"; \
		$(CARGO) fuzz run --fuzz-dir tests/fuzz --target-dir $$build --sanitizer none \
			--codegen-units 16 --features run $$target \
			$(or $(INPUT),$$found tests/fuzz/corpus/$$target) -- \
			-dict=tests/fuzz/dictionaries/$$target.dict -artifact_prefix=$$crashes/ \
			-max_total_time=$(TIME) -timeout=10 -rss_limit_mb=2048 -max_len=16384 && continue; \
		echo "again: make fuzz TARGET=$$target INPUT=$$(ls -t $$crashes/* | head -n 1)"; \
		exit 1; \
	done

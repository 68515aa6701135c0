# What a person does here. Everything sets itself up: Rust and make are enough.
#
#   make dev     run the whole of Switchboard on this machine
#   make test    everything CI tests
#   make check   formatting, lints, docs, licences: what CI checks besides
#   make build   the functions as they are deployed, one zip each
#   make bench   how fast the answer is, beside a bare Lambda

CARGO ?= cargo
ARGS ?=

.PHONY: dev test check fmt build bench tools

dev:
	$(CARGO) run --quiet --package switchboard-cli -- dev $(ARGS)

# The Lambda binaries first: the tests start them as processes.
test:
	$(CARGO) build --workspace --bins
	$(CARGO) test --workspace $(ARGS)

check: fmt
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check

fmt:
	$(CARGO) fmt --all --check

build:
	$(CARGO) build --release

bench:
	$(CARGO) build --release
	$(CARGO) build --release --package switchboard-tests --example hello
	$(CARGO) run --release --package switchboard-tests --example bench

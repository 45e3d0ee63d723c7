# Two commands do everything on a fresh machine: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DATA   ?= ../shared/data
STAMPS := .cache

SOURCES := $(shell find src python -name '*.rs' -o -name '*.py' -o -name '*.pyi' 2>/dev/null) Cargo.toml pyproject.toml

# Test-only dependencies, pinned: the oracles must not move under the tests.
TOOLS := maturin==1.16.0 numpy==2.4.6 pytest==9.2.0 hypothesis==6.170.17
ORACLES := albumentations==2.0.8 opencv-python-headless==5.0.0.93 pillow==13.0.0
CHECKERS := mypy==2.4.1

.PHONY: help demo test test-rust test-python test-integrations bench build lint fmt clean need-python need-rust

help:
	@echo "make demo   environment, release build, the main job on the sample set; names the picture to look at"
	@echo "make test   all tests"
	@echo "make bench  speed against NumPy, OpenCV, Albumentations and Pillow, as a Markdown table"
	@echo "make test-integrations  torch and other heavy packages, and their tests"
	@echo "make lint   formatting, clippy, types"

need-python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: install Python 3.10 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make: Python 3.10 or newer is needed, found $$($(PYTHON) -V)"; exit 1; }

need-rust:
	@command -v cargo >/dev/null || { echo "make: cargo is missing: install a Rust toolchain (1.89 or newer), https://rustup.rs"; exit 1; }

$(STAMPS)/venv: | need-python
	@mkdir -p $(STAMPS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TOOLS)
	@touch $@

$(STAMPS)/oracles: $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(ORACLES) $(CHECKERS)
	@touch $@

$(STAMPS)/build: $(SOURCES) $(STAMPS)/venv | need-rust
	$(BIN)/maturin develop --release --quiet
	@touch $@

build: $(STAMPS)/build

demo: $(STAMPS)/build
	@rm -rf demo-out
	$(BIN)/ferraug augment samples/pets-and-space --out demo-out -n 4
	@$(BIN)/ferraug augment samples/pets-and-space --preview --preview-out demo-out/contact-sheet.png
	@echo
	@echo "demo-out/ is the sample set with 4 new images for each photograph and the annotations recomputed."
	@echo "Look at: $(CURDIR)/demo-out/contact-sheet.png"

test: test-rust test-python

test-rust: | need-rust
	cargo test --quiet

test-python: $(STAMPS)/build $(STAMPS)/oracles
	FERRAUG_DATA=$(DATA) $(BIN)/python -m pytest -q tests

test-integrations: $(STAMPS)/build $(STAMPS)/oracles
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch torchvision pyyaml
	FERRAUG_DATA=$(DATA) $(BIN)/python -m pytest -q tests/integrations

bench: $(STAMPS)/build $(STAMPS)/oracles
	FERRAUG_DATA=$(DATA) $(BIN)/python benches/compare.py

lint: $(STAMPS)/oracles | need-rust
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --all-targets --features python -- -D warnings
	$(BIN)/python -m mypy

fmt:
	cargo fmt

clean:
	rm -rf target $(VENV) $(STAMPS) demo-out

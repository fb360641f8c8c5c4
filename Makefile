# The commands of this project.  `make` alone prints them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup verify verify-layers prove test mutants golden golden-check rtl lint format docs bench wheel clean

help:  ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv with pinned versions (verify and test do it themselves)

$(STAMP): constraints.txt pyproject.toml
	@scripts/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $@

verify: $(STAMP)  ## hold the quantizers against the vendor's headers; ARGS="--profile full"
	@$(BIN)/harness verify $(ARGS)

verify-layers: $(STAMP)  ## hold the typed layers against hls4ml's kernels; ARGS="--kernel lstm"
	@$(BIN)/harness verify-layers $(ARGS)

prove: $(STAMP)  ## prove casts for all inputs by a solver; ARGS="--profile full"
	@$(BIN)/harness prove $(ARGS)

test: $(STAMP)  ## run the tests; ARGS="-k name"
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

mutants: $(STAMP)  ## change the arithmetic a little, and see the checks fail; ARGS="--sample 40"
	@$(BIN)/python -m scripts.mutants $(ARGS)

golden: $(STAMP)  ## regenerate the golden vectors
	@$(BIN)/harness golden write

golden-check: $(STAMP)  ## regenerate them elsewhere and demand the same bytes
	@$(BIN)/harness golden check

rtl: $(STAMP)  ## replay them in RTL simulators; ARGS="--simulator ghdl"
	@$(BIN)/harness golden rtl $(ARGS)

lint: $(STAMP)  ## ruff, mypy --strict, clang-format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/clang-format --dry-run --Werror ap_types/*.h ap_types/*/*.h

format: $(STAMP)  ## rewrite the sources as lint wants them
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i ap_types/*.h ap_types/*/*.h

docs: $(STAMP)  ## build the documentation into site/; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

bench: $(STAMP)  ## measure the speed side by side with other libraries
	@$(BIN)/harness bench $(ARGS)

wheel: $(STAMP)  ## build dist/*.whl
	@$(BIN)/python -m pip wheel -q --no-deps -w dist .

clean:  ## remove .venv, dist and caches of the tools
	@rm -rf $(VENV) dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis

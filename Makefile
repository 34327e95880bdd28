# make demo    install, edit two samples, say where to open the result
# make test    lint, types, tests; those of training where torch's CPU build is at hand
# make install .venv with everything for use: .venv/bin/mapedit
# make test-train   the same tests with torch wherever it comes from (it can be gigabytes)
# make test-plugins   the plugins' tests with what npm must fetch: Adobe's types, TypeScript
# make plugins   build the panel for Premiere Pro again after a change
# make clean   remove what these made

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Two at a time: as many as a small CI machine has cores.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -rs --numprocesses $(WORKERS) --dist worksteal
PREMIERE := build/premiere
DESCRIBED := pyproject.toml constraints.txt

.PHONY: demo test test-train test-plugins plugins install clean
.DELETE_ON_ERROR:

demo: install
	@PATH="$(abspath $(BIN)):$$PATH" sh samples/demo.sh

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

test-train: $(VENV)/.test
	$(PIP) --editable ".[train,test]"
	$(PYTEST)

test-plugins: $(VENV)/.test $(PREMIERE)/.tools
	$(PYTEST) tests/test_premiere.py tests/test_resolve_lua.py tests/test_resolve_studio.py

plugins: $(PREMIERE)/.tools
	@cp -R plugins/premiere/src plugins/premiere/tsconfig.json $(PREMIERE)/
	cd $(PREMIERE) && node node_modules/typescript/bin/tsc --project .
	cp $(PREMIERE)/panel/*.js plugins/premiere/panel/

# Beside the plugin, not in it: what npm fetches must not travel in the wheel.
$(PREMIERE)/.tools: plugins/premiere/package.json plugins/premiere/package-lock.json
	@mkdir -p $(PREMIERE)
	@cp plugins/premiere/package.json plugins/premiere/package-lock.json $(PREMIERE)/
	@cd $(PREMIERE) && npm ci --silent --no-audit --no-fund
	@touch $@

install: $(VENV)/.install

$(VENV)/.install: $(DESCRIBED) | $(BIN)/python
	@echo "Installing otio-mapedit into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(DESCRIBED) | $(BIN)/python
	@echo "Installing otio-mapedit and its tests into $(VENV) ..."
	@$(PIP) --editable ".[test]"
	@$(PIP) "torch==2.13.0+cpu" onnx 2>/dev/null || \
		echo "No CPU build of torch at hand: the tests of training will be skipped; make test-train runs them."
	@touch $@ $(VENV)/.install

$(BIN)/python:
	@sh .ci/make_venv.sh $(VENV)

clean:
	rm -rf $(VENV) demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Every command of Helios. PYTHON=… chooses the interpreter, ARGS=… is passed on.

VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := python3.13 python3.12 python3.11 python3
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes
WITH_SERVERS := $(BIN)/python -m helios_site.runtime.servers run --
SCREENSHOTS := .browser-test
# What `check --deploy` judges: the settings of an installation behind TLS.
DEPLOYED := HELIOS_PUBLIC_BASE_URL=https://helios.example.org

# The suite starts some hundred processes of Helios: where this is set, each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install dev demo up test check chaos browser-test reproduce format
.DEFAULT_GOAL := install

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

# The interpreter is judged before anything is made; pip runs only when a lock has changed.
$(VENV)/.python:
	@python=; for name in $(or $(PYTHON),$(CANDIDATES)); do \
	    if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	    then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	    echo "Helios needs Python 3.11, 3.12 or 3.13; not found among: $(or $(PYTHON),$(CANDIDATES))." >&2; exit 1; fi; \
	$$python helios_site/runtime/supported.py || exit 1; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make a virtual environment; on Debian and Ubuntu, install the package python3-venv." >&2; exit 1; fi; \
	$$python -m venv $(VENV) && touch $@

$(VENV)/.installed: requirements.lock | $(VENV)/.python
	@echo "Installing what Helios needs into $(VENV); the first time takes a minute or two."
	@$(PIP) --requirement requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the tools of the tests into $(VENV)."
	@$(PIP) --requirement requirements-dev.lock
	@touch $@

# `exec` makes Ctrl-C and SIGTERM reach the supervisor itself.
demo: install
	@exec $(BIN)/python manage.py demo $(ARGS)

up: install
	@exec $(BIN)/python manage.py up $(ARGS)

test: dev
	$(WITH_SERVERS) $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not chaos and not browser" $(ARGS)

# Kills real processes, under 20 minutes.
chaos: dev
	$(BIN)/python -m pytest -m chaos tests/chaos $(ARGS)

# Leaves a trace and a screenshot of each step.
browser-test: dev
	@$(BIN)/python -m tests.browser.programs
	$(WITH_SERVERS) $(BIN)/python -m pytest -m browser tests/browser --basetemp $(SCREENSHOTS) $(ARGS)

check: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy apps helios_site tests benchmarks release clients/python/src
	$(BIN)/lint-imports
	$(WITH_SERVERS) $(BIN)/python manage.py makemigrations --check --dry-run
	$(DEPLOYED) $(WITH_SERVERS) $(BIN)/python manage.py check --deploy --fail-level WARNING

# The shipped model and its figures again from the raw data of HELIOS_TRAINING_DATA.
reproduce: install
	@made=$$(mktemp -d) && trap 'rm -r "$$made"' EXIT && \
	$(BIN)/python manage.py reproduce_wellness_model --output "$$made" \
	    --compare apps/model_runs/wellness/weights $(ARGS)

format: dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Three commands for a fresh machine. Each installs what it needs, and no more, into an
# environment of its own kind: demo and test share .venv, in two stages.
PYTHON ?= python3
BIN := .venv/bin
DOCS := .venv-docs/bin
# Exact versions. Bytecode is written when a module is first imported, not for all at once.
INSTALL := install --quiet --no-compile --disable-pip-version-check -c constraints.txt
# Small matrices: more threads than cores would only spin.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test docs lint types law fast slow mutants bare versions clean

demo: .venv/demo
	$(BIN)/python examples/breast_cancer.py

# Assertions are not rewritten, which takes half the time of reading the tests; what failed runs
# again, and tells the values.
test: lint types law bare
	$(BIN)/pytest -n 2 --dist worksteal --assert=plain --durations=10 \
		|| { $(BIN)/pytest --last-failed --last-failed-no-failures none; exit 1; }

# The site, in build/site: tutorials and gallery are run again where limbeck has changed.
docs: .venv-docs/ready
	NO_MKDOCS_2_WARNING=1 $(DOCS)/mkdocs build --strict

slow: .venv/dev
	$(BIN)/pytest -n 2 -m slow

# One change of the source at a time, of a sample: the tests should notice. Results are kept in
# build/mutants, and the same command goes on where it stopped.
SOURCE ?= limbeck/certificates limbeck/data limbeck/networks/losses limbeck/evaluation
SAMPLE ?= 100
mutants: .venv/dev
	for source in $(SOURCE); do $(BIN)/python tests/mutation $$source --sample $(SAMPLE); done

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

law: .venv/dev
	$(BIN)/lint-imports

# What needs no torch works without it: an environment without the optional parts.
bare: .venv-bare/ready
	.venv-bare/bin/python tests/without_torch.py

# The lowest declared versions on Python 3.11, and 3.12 and 3.13, where they are on this machine.
versions:
	$(PYTHON) tests/versions

.venv/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip $(INSTALL) -e ".[torch]"
	touch $@

.venv/dev: .venv/demo
	$(BIN)/pip $(INSTALL) -e ".[dev]"
	touch $@

.venv-docs/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-docs
	$(DOCS)/pip $(INSTALL) -e ".[docs]"
	touch $@

.venv-bare/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bare
	.venv-bare/bin/pip $(INSTALL) -e .
	touch $@

clean:
	rm -rf .venv .venv-bare .venv-docs build *.egg-info .mypy_cache .ruff_cache .pytest_cache

# Two commands for a fresh machine. Both make .venv when it is not there.
PYTHON ?= python3
BIN := .venv/bin
# Small matrices: more threads than cores would only spin.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint types law fast slow bare clean

demo: .venv/ready
	$(BIN)/python examples/breast_cancer.py

test: lint types law bare
	$(BIN)/pytest -n 2 --durations=10

slow: .venv/ready
	$(BIN)/pytest -n 2 -m slow

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

law: .venv/ready
	$(BIN)/lint-imports

# What needs no torch works without it: a second environment, without the optional parts.
bare: .venv-bare/ready
	.venv-bare/bin/python tests/without_torch.py

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade -c constraints.txt -e ".[dev]"
	touch $@

.venv-bare/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bare
	.venv-bare/bin/pip install --quiet --upgrade -c constraints.txt -e .
	touch $@

clean:
	rm -rf .venv .venv-bare build *.egg-info .mypy_cache .ruff_cache .pytest_cache

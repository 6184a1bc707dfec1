# The two commands of the README are `make demo` and `make test`; both install what they need.

.PHONY: demo test bench mutants variants docs screenshots pictures lint setup clean

export PYTHONUNBUFFERED = 1
# Many programs are started: none of them shall compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE
BIN = .venv/bin

setup:
	@tools/setup.sh

demo:
	@tools/setup.sh demo
	@$(BIN)/pilotbench demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports

# Many tests wait for devices and programs most of their time: one more than two processors have.
test: lint
	$(BIN)/pytest -n 3 --dist worksteal

bench: setup
	$(BIN)/python -m tests.benchmarks

mutants: setup
	$(BIN)/python -m tests.mutants

variants: setup
	$(BIN)/python -m tests.variants

docs: setup
	$(BIN)/python tools/reference.py

screenshots: setup
	$(BIN)/python tools/screenshots.py

pictures: setup
	$(BIN)/python -m tests.gui.pictures

clean:
	rm -rf .venv runs lab .pytest_cache .mypy_cache .ruff_cache *.egg-info

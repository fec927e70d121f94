# One line per command; the work is done by infra/local (see its README).
.DEFAULT_GOAL := help
.PHONY: help dev stack migrate migration test sim chaos fuzz-api check build deploy watch invoke bench bench-standalone status logs down
HEDDLE := python3 infra/local/heddle.py
ARCH ?= arm64
STAGE ?= dev
PROFILE ?= release
SEEDS ?= 1000
FROM ?= 0
RUNS ?= 200
KILLS ?= 30
REQUESTS ?= 2000
TARGET ?= stack

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## start Heddle as one process over Postgres and run the sample workflow
	@$(HEDDLE) dev

stack: ## the same on an emulated AWS: the functions as they are deployed
	@$(HEDDLE) stack

migrate: ## bring the local database, or the one that DATABASE_URL names, to the schema of this tree
	@$(HEDDLE) migrate

migration: ## start a migration: NAME=teams_get_a_colour
	@$(HEDDLE) migration --name "$(NAME)"

test: ## every test, on services of its own that end with it
	@$(HEDDLE) test

sim: ## the whole loop played by seed: SEEDS=1000 of them, FROM=0 on; or SEED=k alone, with its story
	@$(HEDDLE) sim --seeds "$(SEEDS)" --first "$(FROM)" --seed "$(SEED)"

chaos: ## workers killed at random under load, on a stack of its own: RUNS=200 KILLS=30; SEED=k as an earlier one
	@$(HEDDLE) chaos --seed "$(SEED)" --runs "$(RUNS)" --kills "$(KILLS)"

fuzz-api: ## requests made from the OpenAPI documents, on a stack of its own: REQUESTS=2000 ONLY=runs TARGET=standalone; SEED=k as an earlier one
	@$(HEDDLE) fuzz-api --seed "$(SEED)" --requests "$(REQUESTS)" --only "$(ONLY)" --target "$(TARGET)"

check: ## formatting, clippy, template, licences
	@$(HEDDLE) check

build: ## release build for AWS: ARCH=arm64 (default) or x86_64
	@$(HEDDLE) build --arch "$(ARCH)"

deploy: ## migrate and deploy what was built: STAGE=dev (default), stage or prod; ARCH as built
	@$(HEDDLE) deploy --stage "$(STAGE)" --arch "$(ARCH)"

watch: ## the functions under `cargo lambda watch`, against the running stack
	@$(HEDDLE) watch

invoke: ## send an event to a deployed function: F=runs E=events/http-health.json
	@$(HEDDLE) invoke --function "$(F)" --event "$(E)"

bench: ## what Heddle costs, against its bounds: SECONDS=3 each, ONLY=engine,functions,memory,stack
	@$(HEDDLE) bench --seconds "$(or $(SECONDS),3)" --only "$(ONLY)" --profile "$(PROFILE)"

bench-standalone: ## speed and CPU of heddle as one process, against its bounds: SECONDS=10 each
	@$(HEDDLE) bench-standalone --seconds "$(or $(SECONDS),10)"

status: ## what runs, and where
	@$(HEDDLE) status

logs: ## last lines of every service, or of one function: F=runs, and FOLLOW=1
	@$(HEDDLE) logs --function "$(F)" --follow "$(FOLLOW)"

down: ## stop everything that `make dev` and `make stack` started
	@$(HEDDLE) down

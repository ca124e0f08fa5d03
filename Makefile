.PHONY: help setup demo run test lint check bench chunked scale chaos rolling preempt manifests mutants drill calm docs site fresh lock image
.DEFAULT_GOAL := help

bin := .venv/bin
pytest := $(bin)/pytest -n 3 --dist loadgroup

help:   ## this list
	@sed -nE 's/^([a-z]+):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8
setup:  ## make .venv with all that development needs; the command is .venv/bin/encoder
	@scripts/setup.sh dev
demo:   ## encode a clip from POST to proven files: make demo [INPUT=path-or-url]
	@scripts/setup.sh run && $(bin)/python -P scripts/demo.py $(if $(INPUT),"$(INPUT)")
run:    ## serve on 127.0.0.1:8080 until Ctrl-C
	@scripts/setup.sh run && exec $(bin)/encoder up
test: setup  ## run all tests: make test [ARGS="tests/unit -k words"]
	@$(pytest) $(ARGS)
lint: setup  ## what can be said without running: ruff, format, mypy, import contracts
	@$(bin)/ruff check && $(bin)/ruff format --check && $(bin)/mypy && $(bin)/lint-imports --no-cache
check: lint test  ## all that CI asks for
bench: setup  ## print measurements, as ratios: make bench [ARGS=names]
	@$(bin)/python -m tests.bench $(ARGS)
chunked: setup  ## every public clip whole and in chunks of two seconds, and what differs: make chunked [ARGS="--only city h264"]
	@$(bin)/python -m tests.chunked $(ARGS)
scale: setup  ## simulate fleets of 1 to 1,000 workers from what encodes cost here: make scale [ARGS="measure | check --write"]
	@$(bin)/python -m tests.scale $(ARGS)
chaos: setup  ## kill, freeze and cut off workers at random, and count lost jobs: make chaos [ARGS="--seconds 1800 --seed 7 --write"]
	@$(bin)/python -m tests.chaos $(ARGS)
preempt: setup  ## kill the workers of a job in chunks, again and again, and count what was made twice: make preempt [ARGS="--database mariadb"]
	@$(bin)/python -m tests.chaos.preempt $(ARGS)
rolling: setup  ## restart roles one after the other under load: make rolling [ARGS="--database mariadb --terms 500 --write"]
	@$(bin)/python -m tests.chaos.rolling $(ARGS)
manifests: setup  ## what checkov says of all that k8s/ makes
	@scripts/manifests.sh
mutants: setup  ## break each guarantee on purpose, and see that its test notices: make mutants [ARGS="G3 G11"]
	@$(bin)/python -m tests.chaos.mutants $(ARGS)
calm: setup  ## work for a while under a real Prometheus, and tell which alerts fired: make calm [ARGS="--minutes 20"]
	@$(bin)/python -m tests.lab.calm $(ARGS)
drill: setup  ## lose a database, bring it back to a moment before, and see that nobody is fooled: make drill [ARGS="--after 50"]
	@$(bin)/python -m tests.chaos.restore $(ARGS)
docs: setup  ## write the pages of docs/ that come from the code's own tables
	@$(bin)/python -P scripts/pages.py
site: setup  ## make a site of docs/ in build/site; a link that leads nowhere stops it
	@$(bin)/zensical build --strict
fresh:  ## demo and tests inside clean Debian roots, as root and as a plain user (needs root)
	@scripts/fresh.sh
lock: setup  ## write requirements/*.txt anew from pyproject.toml: make lock [ARGS=--upgrade]
	@scripts/lock.sh $(ARGS)
image: setup  ## build the container image from a base made here, and try each role in it (needs root)
	@scripts/image.sh

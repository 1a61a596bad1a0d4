# make demo: the whole job on simulated participants.   make test: everything that CI checks.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MPLBACKEND := Agg
STEP := .ci/step
# a window needs a screen: where there is none, a virtual one
SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),,xvfb-run -a -s "-screen 0 1280x720x24 +extension GLX +render -noreset")

.PHONY: help setup demo recipe demo-small test lint unit live faults bench docs clean
help:
	@echo "make demo   install what is missing, then record, export, report and train on simulated participants (about 15 minutes)"
	@echo "make test   install what is missing, then lint, types, import rules and every test"
	@echo "make setup  install what is missing"
	@echo "make faults every fault as often as the promise says, results in docs/faults.md (hours; ONLY=drops: one topic)"
	@echo "make bench  measure, results in docs/benchmarks.md (TOPIC=recorder: one topic)"

setup:
	@.ci/setup

# ---- the demo: read here how the tool is used --------------------------------------------------------------------------------
DEMO := demo
STUDY_OPTIONS :=
PARTICIPANTS := 15
BELOW := 8
TRAIN_OPTIONS := --features seeded,pool96 --windows central --splits window-random,leave-one-subject-out

demo: setup
	@$(MAKE) recipe
	$(STEP) emo-train $(DEMO)/bids --features pool96 --windows central --splits leave-subject-and-stimulus-out --out $(DEMO)/headline

recipe:
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(STEP) emo-study new $(DEMO)/study --preset demo $(STUDY_OPTIONS)
	$(STEP) emo-study check $(DEMO)/study
	$(STEP) $(SCREEN) emo-run $(DEMO)/study --participant 01 --data $(DEMO)/live --twin --no-page
	$(STEP) emo-report $(DEMO)/live/sub-01/ses-01/run-01
	$(STEP) emo-export $(DEMO)/live $(DEMO)/live-bids --simulated
	$(STEP) emo-twin cohort $(DEMO)/study --out $(DEMO)/data --participants $(PARTICIPANTS) --below $(BELOW) --seed 1
	$(STEP) emo-export $(DEMO)/data $(DEMO)/bids --simulated
	$(STEP) emo-report $(DEMO)/bids $(DEMO)/bids/derivatives/emolab-report participant --data $(DEMO)/data
	$(STEP) emo-train $(DEMO)/bids $(TRAIN_OPTIONS)
	$(STEP) emo-report $(DEMO)/bids $(DEMO)/bids/derivatives/emolab-report group

demo-small:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT
	$(MAKE) recipe DEMO="$$folder/demo" PARTICIPANTS=4 BELOW=1 TRAIN_OPTIONS="--features pool96 --windows all" \
	  STUDY_OPTIONS="--clips-per-emotion 1 --clip-duration 3 --clip-size 320x240 --camera-size 320x240 --camera-fps 15"

# ---- checks ------------------------------------------------------------------------------------------------------------------
test: setup lint unit live demo-small

lint:
	@$(STEP) ruff check .
	$(STEP) ruff format --check .
	$(STEP) mypy
	$(STEP) lint-imports

# one thread each: two tests at once on two cores must not fight for them
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 LP_NUM_THREADS=1

unit:
	@$(STEP) env $(ONE_THREAD) pytest -q -n 2 --dist worksteal -m "not live"

# most wait for streams: two at a time, a file's tests one after the other; those that count frames and samples by themselves
live:
	@$(STEP) env $(ONE_THREAD) pytest -q -n 2 --dist loadfile -m "live and not alone"
	$(STEP) env $(ONE_THREAD) pytest -q -m "live and alone"

# crashes, full disks, cut cables, lying clocks: as often as the promise says, results into docs/faults.md; ONLY=drops: one topic
faults:
	@rows=$$(mktemp); trap 'rm -f "$$rows"' EXIT; status=0
	$(STEP) env $(ONE_THREAD) EMO_FAULTS=full EMO_FAULTS_ROWS="$$rows" pytest -q --timeout=7200 \
	  $(if $(ONLY),tests/faults/test_$(ONLY).py,tests/faults) || status=$$?
	python tests/faults/table.py $(if $(ONLY),--merge) "$$rows"
	exit $$status

# processor time, memory, losses against peers, results into docs/benchmarks.md
bench:
	@$(STEP) env $(ONE_THREAD) python tests/benchmarks/run.py $(TOPIC)

# pages and pictures that are generated; docs/pictures/record.py makes those that need a window or recordings
docs:
	@emo-study keys > docs/study-file.md
	python docs/networks.py
	python docs/pictures/make.py

clean:
	@rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

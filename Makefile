# Each target is a script in scripts/, so that it can be read and run by itself.
.PHONY: help setup lab hub test lint unit ui properties soak screenshots openapi benchmark build clean

help:            ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

setup:           ## Virtual environment in .venv, browser, built extension
	@bash scripts/setup.sh

lab: setup       ## JupyterLab with the extension on this machine's loopback
	@bash scripts/lab.sh

hub: setup       ## A real JupyterHub with the extension, for trying things by hand
	@.venv/bin/python scripts/hub.py

test: setup      ## Everything: lint, types, unit, API, hub, browser
	@bash scripts/test.sh

lint: setup      ## Only style and types
	@bash scripts/test.sh lint

unit: setup      ## Only what needs neither hub nor browser
	@bash scripts/test.sh unit

ui: setup        ## Only the browser tests; screenshots go to test-results/
	@bash scripts/test.sh ui

properties: setup ## Property tests with new random examples, thousands where each is quick
	@.venv/bin/pytest -q -n 2 -m hypothesis --hypothesis-profile=search --ignore tests/hub --ignore tests/ui

soak: setup      ## Only idleness, with pages that nobody touches for five minutes each
	@bash scripts/soak.sh

screenshots: ui  ## Refresh the README's pictures from the browser tests
	@cp test-results/status-bar-light.png docs/status-bar.png
	@cp test-results/panel-tab.png docs/panel.png
	@cp test-results/idle-day-light.png docs/idle.png
	@cp test-results/activity-back-light.png docs/welcome.png
	@cp test-results/vscode-in-lab.png docs/vscode.png
	@cp test-results/desktop-in-lab.png docs/desktop.png
	@cp test-results/apps-failed.png docs/launch.png

openapi:         ## After `make setup`: refresh openapi.json and the browser's types after a change of models
	@.venv/bin/python -m jupyter_einfra.openapi > openapi.json.new && mv openapi.json.new openapi.json
	@.venv/bin/jlpm schema

benchmark: setup ## Measure beside the peers; prints ratios
	@bash scripts/benchmark.sh

build: setup     ## Wheel and source archive in dist/
	@.venv/bin/python -m build --outdir dist

clean:           ## Remove everything that setup and tests made
	@rm -rf .venv node_modules .yarn dist test-results .cache jupyter_einfra/labextension labextension/lib
	@rm -f jupyter_einfra/apps/pages/*.js jupyter_einfra/apps/pages/*.css
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

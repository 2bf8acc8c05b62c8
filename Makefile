# Commandes du projet. « make run » pour essayer, « make test » pour les tests.
SHELL := /bin/bash
PYTHON := .venv/bin/python
MANAGE := $(PYTHON) manage.py

.PHONY: run demo setup test check lint hooks format fuzz bench bench-portal bench-staff bench-proxy bench-import screenshots readme-pictures contract requirements clean

run: setup ## tout installer, charger la démonstration, puis servir http://127.0.0.1:8000
	@$(MANAGE) demo --with-platform
	@echo && echo "Le portail répond sur http://127.0.0.1:8000, la plateforme simulée sur http://127.0.0.1:8642 (Ctrl-C pour arrêter)."
	@$(PYTHON) -m honcho -f demo/Procfile start

demo: setup ## la même chose sans servir
	@$(MANAGE) demo

setup: .venv/.ready ## l'environnement seul (.venv/)

.venv/.ready: requirements-dev.txt bin/setup
	@bin/setup

test: setup ## les tests (SQLite, ou la base de DATABASE_URL)
	@bin/test

check: lint ## tout ce que vérifie l'intégration continue : règles, puis tests sur SQLite et PostgreSQL
	@bin/check

lint: setup ## les règles seules : ruff, djade, mypy, import-linter, deptry, migrations, check --deploy
	@bin/lint

hooks: ## faire passer bin/lint avant chaque commit
	@bin/install-hooks

format: setup ## remettre en forme
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

fuzz: setup ## chaque lecteur de fichiers sur 10 000 fichiers abîmés
	@FUZZ_CASES=10000 $(PYTHON) -m pytest tests/fuzz -n auto

bench: setup ## mesures de la chaîne d'export, puis de l'import
	@bin/with-postgresql $(PYTHON) -m tests.benchmarks.export
	@$(MAKE) --no-print-directory bench-import

bench-portal: setup ## mesures de l'espace client sur 1 000 000 de factures
	@bin/with-postgresql $(PYTHON) -m tests.benchmarks.portal

bench-staff: setup ## mesures du back-office sur 1 000 000 de factures et autant de mails
	@bin/with-postgresql $(PYTHON) -m tests.benchmarks.staff

bench-proxy: setup ## page de connexion derrière nginx, avec 1 000 connexions lentes puis 1 000 archives à la fois
	@bin/with-postgresql $(PYTHON) -m tests.benchmarks.proxy

bench-import: setup ## mesures de l'import de 100 000 factures, sur PostgreSQL et sur SQLite
	@bin/with-postgresql $(PYTHON) -m tests.benchmarks.import_speed
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && \
	    DATABASE_URL=sqlite:///$$folder/db.sqlite3 $(PYTHON) -m tests.benchmarks.import_speed

screenshots: setup ## captures de chaque écran sous var/screenshots/
	@$(PYTHON) -m pytest tests/browser -m screenshots -n 0

readme-pictures: demo screenshots ## refaire les images du README (docs/images/)
	@$(PYTHON) -m tests.support.readme_pictures var/screenshots "$$(find var/documents -name '*.pdf' -size +20k | sort | head -1)"

contract: setup ## la plateforme simulée contre sa description (OpenAPI), par schemathesis
	@bin/contract

requirements: setup ## recompiler les dépendances verrouillées
	@bin/lock

sbom: setup ## la nomenclature des composants de production, avec leurs licences (CycloneDX)
	@bin/sbom

clean: ## effacer la démonstration (base, documents, mails), jamais .env
	rm -rf var

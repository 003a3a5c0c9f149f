# The Python package: built into a folder of the test's own, then used.
PYTHON_TESTS = tests/python/package.sh tests/python/postgres.sh
TESTS += $(PYTHON_TESTS)
EXTRA_DIST += $(PYTHON_TESTS) tests/python/cases.py
EXTRA_DIST += examples/cybersecurity.ipynb
EXTRA_DIST += python/pyproject.toml \
	python/setup.py \
	python/qcc/__init__.py \
	python/qcc/brevitas.py \
	python/qcc/compiled.py \
	python/qcc/errors.py \
	python/qcc/graph.py \
	python/qcc/library.py \
	python/qcc/model.py \
	python/qcc/program.py \
	python/qcc/py.typed \
	python/qcc/report.py \
	python/qcc/tuning.py

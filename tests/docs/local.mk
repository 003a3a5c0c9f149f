# The commands of the documentation, listed in TESTS and EXTRA_DIST.
DOCS_TESTS = tests/docs/guide.sh
TESTS += $(DOCS_TESTS)
EXTRA_DIST += $(DOCS_TESTS)

# Tests of the report.
REPORT_TESTS = tests/report/schema.py
TESTS += $(REPORT_TESTS)
EXTRA_DIST += $(REPORT_TESTS)

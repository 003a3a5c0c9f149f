# Tests of operators: UNIT_TESTS += tests/ops/test_x; data in EXTRA_DIST.

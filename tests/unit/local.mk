# Unit tests in C (cmocka). Programs, one a line, alphabetical: UNIT_TESTS += tests/unit/test_x
EXTRA_DIST += tests/unit/test.h

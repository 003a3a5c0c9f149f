# Unit tests in C (cmocka). Programs, one a line, alphabetical: UNIT_TESTS += tests/unit/test_x
UNIT_TESTS += tests/unit/test_api
UNIT_TESTS += tests/unit/test_npy
UNIT_TESTS += tests/unit/test_pipeline
UNIT_TESTS += tests/unit/test_verifier
EXTRA_DIST += tests/unit/test.h
UNIT_TESTS += tests/unit/test_onnx
UNIT_TESTS += tests/unit/test_text

# Tests of operators: UNIT_TESTS += tests/ops/test_x; data in EXTRA_DIST.

# Recorded outputs of qonnx, where ../shared is there.
check_PROGRAMS += tests/ops/conformance
TESTS += tests/ops/conformance

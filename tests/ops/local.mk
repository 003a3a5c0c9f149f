# Tests of operators: UNIT_TESTS += tests/ops/test_x; data in EXTRA_DIST.

# Recorded outputs of qonnx, where ../shared is there.
check_PROGRAMS += tests/ops/conformance
TESTS += tests/ops/conformance

# The node tests of ONNX's backend suite.
check_PROGRAMS += tests/ops/run_case
TESTS += tests/ops/onnx_nodes.py tests/ops/ort_ops.py
UNIT_TESTS += tests/ops/test_exec
UNIT_TESTS += tests/ops/test_execution tests/ops/test_inference
UNIT_TESTS += tests/ops/test_quantisers
EXTRA_DIST += tests/ops/onnx_nodes.py tests/ops/ort_ops.py

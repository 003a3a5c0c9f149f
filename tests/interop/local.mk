# Tests against qonnx, onnx and onnxruntime (Python): scripts in TESTS and EXTRA_DIST.
TESTS += tests/interop/roundtrip.py tests/interop/real_networks.py
EXTRA_DIST += tests/interop/odd_models.py tests/interop/roundtrip.py tests/interop/real_networks.py
TESTS += tests/interop/compare_finn.py tests/interop/random_networks.py tests/interop/random_shapes.py
EXTRA_DIST += tests/interop/compare_finn.py \
	tests/interop/exact.py \
	tests/interop/finngraph.py \
	tests/interop/netgen/__init__.py \
	tests/interop/netgen/build.py \
	tests/interop/netgen/check.py \
	tests/interop/netgen/in_c.py \
	tests/interop/netgen/shapes.py \
	tests/interop/netgen/shrink.py \
	tests/interop/netgen/spec.py \
	tests/interop/netgen/ties.py \
	tests/interop/random_networks.py \
	tests/interop/random_shapes.py
TESTS += tests/interop/finn_builder.py tests/interop/finn_cycles.py
EXTRA_DIST += tests/interop/finn_builder.py tests/interop/finn_cycles.py tests/interop/finnplus.py
TESTS += tests/interop/local_functions.py
EXTRA_DIST += tests/interop/local_functions.py
TESTS += tests/interop/faults.py tests/interop/tie_rule.py
EXTRA_DIST += tests/interop/faults.py tests/interop/tie_rule.py

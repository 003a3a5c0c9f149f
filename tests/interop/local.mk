# Tests against qonnx, onnx and onnxruntime (Python): scripts in TESTS and EXTRA_DIST.
TESTS += tests/interop/roundtrip.py
EXTRA_DIST += tests/interop/odd_models.py tests/interop/roundtrip.py

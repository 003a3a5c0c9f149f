# Tests against qonnx, onnx and onnxruntime (Python): scripts in TESTS and EXTRA_DIST.

# Broken and random input. QCC_FUZZ_SECONDS says how long; 8 where it is not set.
check_PROGRAMS += tests/fuzz/fuzz_onnx
TESTS += tests/fuzz/fuzz_onnx
CLEANFILES += fuzz_case.onnx fuzz_seed.onnx

# Broken and random input. QCC_FUZZ_SECONDS says how long fuzz_onnx runs; 8 where it is not set. The driver runs each target
# (targets.c) for a fixed count.
check_PROGRAMS += tests/fuzz/fuzz_onnx tests/fuzz/driver tests/fuzz/allocations
tests_fuzz_driver_SOURCES = tests/fuzz/driver.c tests/fuzz/mutate.c tests/fuzz/targets.c tests/fuzz/targets.h
TESTS += tests/fuzz/fuzz_onnx tests/fuzz/targets.sh tests/fuzz/hostile.py tests/fuzz/allocations
EXTRA_DIST += tests/fuzz/targets.sh tests/fuzz/libfuzzer.c tests/fuzz/build-libfuzzer tests/fuzz/make_seeds.py tests/fuzz/hostile.py tests/fuzz/hostile_models.py
CLEANFILES += fuzz_case.onnx fuzz_seed.onnx fuzz-*.case

# Broken and random input. QCC_FUZZ_SECONDS says how long fuzz_onnx runs; 8 where it is not set. The driver runs each target
# (targets.c) for a fixed count.
check_PROGRAMS += tests/fuzz/fuzz_onnx tests/fuzz/driver tests/fuzz/allocations tests/fuzz/failing_files
tests_fuzz_driver_SOURCES = tests/fuzz/driver.c tests/fuzz/mutate.c tests/fuzz/targets.c tests/fuzz/targets.h tests/fuzz/targets_data.c
tests_fuzz_allocations_SOURCES = tests/fuzz/allocations.c tests/fuzz/job.c tests/fuzz/job.h
tests_fuzz_failing_files_SOURCES = tests/fuzz/failing_files.c tests/fuzz/job.c tests/fuzz/job.h
TESTS += tests/fuzz/fuzz_onnx tests/fuzz/targets.sh tests/fuzz/hostile.py tests/fuzz/allocations tests/fuzz/failing_files
EXTRA_DIST += tests/fuzz/campaign tests/fuzz/targets.sh tests/fuzz/libfuzzer.c tests/fuzz/build-libfuzzer tests/fuzz/make_seeds.py tests/fuzz/hostile.py tests/fuzz/hostile_models.py
CLEANFILES += fuzz_case.onnx fuzz_seed.onnx fuzz-*.case

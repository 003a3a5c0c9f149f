# Tests of backends: UNIT_TESTS += tests/backends/test_x, or scripts in TESTS and EXTRA_DIST.
UNIT_TESTS += tests/backends/test_dot tests/backends/test_plan
TESTS += tests/backends/hls_csim.sh
EXTRA_DIST += tests/backends/hls_csim.sh tests/backends/bipolar_net.py
C_TESTS = tests/backends/c_forms.py tests/backends/c_goldens.py tests/backends/c_random.py tests/backends/c_options.sh tests/backends/c_stack.py tests/backends/c_targets.sh
TESTS += $(C_TESTS)
EXTRA_DIST += $(C_TESTS) tests/backends/c_batch.c tests/backends/c_cortexm.c tests/backends/c_cortexm.ld

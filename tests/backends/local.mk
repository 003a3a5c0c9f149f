# Tests of backends: UNIT_TESTS += tests/backends/test_x, or scripts in TESTS and EXTRA_DIST.
UNIT_TESTS += tests/backends/test_dot
TESTS += tests/backends/hls_csim.sh
EXTRA_DIST += tests/backends/hls_csim.sh

# Tests of the library's public face, and the examples in C, which are programs of their own.
check_PROGRAMS += examples/c/compile examples/c/execute examples/c/inspect examples/c/transform
API_TESTS = tests/api/examples.sh
TESTS += $(API_TESTS)
EXTRA_DIST += $(API_TESTS)
check_PROGRAMS += tests/api/comma
TESTS += tests/api/comma.sh
EXTRA_DIST += tests/api/comma.sh
check_PROGRAMS += tests/api/threads
TESTS += tests/api/threads.sh
EXTRA_DIST += tests/api/threads.sh

# Tests of the command line: shell scripts, listed in TESTS and EXTRA_DIST.

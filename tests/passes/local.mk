# Tests of passes: UNIT_TESTS += tests/passes/test_x, or scripts in TESTS and EXTRA_DIST.
UNIT_TESTS += tests/passes/test_axes
UNIT_TESTS += tests/passes/test_convert
UNIT_TESTS += tests/passes/test_fold
UNIT_TESTS += tests/passes/test_fold_exact
UNIT_TESTS += tests/passes/test_parts
UNIT_TESTS += tests/passes/test_prune_dead
UNIT_TESTS += tests/passes/test_streamline
UNIT_TESTS += tests/passes/test_surgery
UNIT_TESTS += tests/passes/test_table
UNIT_TESTS += tests/passes/test_way_out
UNIT_TESTS += tests/passes/test_written
EXTRA_DIST += tests/passes/written
EXTRA_DIST += tests/passes/passes.h
UNIT_TESTS += tests/passes/test_to_hw

# All recorded networks through streamline and prune-dead, where ../shared is there.
check_PROGRAMS += tests/passes/networks
TESTS += tests/passes/networks
UNIT_TESTS += tests/passes/test_schedule

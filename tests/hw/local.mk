# Tests of hardware layers: UNIT_TESTS += tests/hw/test_x
UNIT_TESTS += tests/hw/test_design
UNIT_TESTS += tests/hw/test_kinds
UNIT_TESTS += tests/hw/test_memory

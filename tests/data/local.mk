# Tests of the encoder, listed in TESTS and EXTRA_DIST.
DATA_TESTS = \
	tests/data/encode.sh \
	tests/data/eval.sh
TESTS += $(DATA_TESTS)
EXTRA_DIST += $(DATA_TESTS)

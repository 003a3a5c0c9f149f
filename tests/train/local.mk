# Tests of training.
UNIT_TESTS += tests/train/test_checkpoint tests/train/test_gradients
TRAIN_TESTS = tests/train/import.sh tests/train/train.sh
TESTS += $(TRAIN_TESTS)
EXTRA_DIST += $(TRAIN_TESTS) tests/train/same_in_qonnx.py

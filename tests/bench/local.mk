# make bench: time and memory, measured against the peers in one run. Each script of BENCHES writes its
# figures to a JSON file in the build folder.
BENCHES = tests/bench/bench_c.py tests/bench/bench_qcc.py
EXTRA_DIST += $(BENCHES) \
	tests/bench/chain.py \
	tests/bench/measure.py \
	tests/bench/spell_out.py

.PHONY: bench
bench: qcc$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) QCC_CC='$(CC)'; export QCC_CC; QCC_CFLAGS='$(CFLAGS)'; export QCC_CFLAGS; \
	unset QCC_VERIFY; \
	for script in $(BENCHES); do \
		$${QCC_PYTHON:-python3} '$(srcdir)'/$$script --output `basename $$script .py`.json || exit 1; \
	done

# Training against Brevitas; QCC_PYTHON is an interpreter that has torch and brevitas.
EXTRA_DIST += tests/bench/bench_train.py tests/bench/train_schedule.json
.PHONY: bench-train
bench-train: qcc$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) unset QCC_VERIFY; $${QCC_PYTHON:-python3} '$(srcdir)'/tests/bench/bench_train.py --output bench_train.json

# make bench-hw: cycles in simulation, and what open synthesis says of the Verilog backend's designs.
EXTRA_DIST += tests/bench/bench_hw.py

.PHONY: bench-hw
bench-hw: qcc$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) $${QCC_PYTHON:-python3} '$(srcdir)'/tests/bench/bench_hw.py --output bench_hw.json

# Packed C of 8-bit networks of ../shared/real against onnxruntime's int8.
EXTRA_DIST += tests/bench/bench_real.py
.PHONY: bench-real
bench-real: qcc$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) QCC_CC='$(CC)'; export QCC_CC; QCC_CFLAGS='$(CFLAGS)'; export QCC_CFLAGS; unset QCC_VERIFY; \
	$${QCC_PYTHON:-python3} '$(srcdir)'/tests/bench/bench_real.py --output bench_real.json

# 2 GB of weights, and 200,000 nodes.
EXTRA_DIST += tests/bench/bench_big.py
.PHONY: bench-big
bench-big: qcc$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) unset QCC_VERIFY; $${QCC_PYTHON:-python3} '$(srcdir)'/tests/bench/bench_big.py --output bench_big.json

#!/bin/sh
# Each fuzz target for a fixed count of inputs, which is printed. QCC_FUZZ_COUNT multiplies it; QCC_FUZZ_SEED changes it.
. "$QCC_SRC/tests/lib.sh"

driver=$(dirname "$QCC")/tests/fuzz/driver
times=${QCC_FUZZ_COUNT:-1}
seed=${QCC_FUZZ_SEED:-1}

# target NAME COUNT
target() {
	if "$driver" "$1" $(($2 * times)) "$seed" >.stdout 2>.stderr; then
		pass "$(tail -n 1 .stdout)"
	else
		cp "fuzz-$1.case" "$(dirname "$QCC")" 2>/dev/null
		fail "$1: $(($2 * times)) executions, seed $seed; fuzz-$1.case is the culprit" "$(tail -n 40 .stderr)"
	fi
}

target onnx 2000
target text 2000
target lists 2000
target npy 2000
target npz 1000
target config 1000
target lua 500
target encode 300
target fit 300
target dataset 300
if lacks zip; then
	skip "checkpoint" "this qcc was built without libzip, which reads .npz archives"
else
	target checkpoint 100
fi
target chain 300
target passes 100
finish

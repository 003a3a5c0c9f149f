# make prove: pauses change no word, proved for a few of the modules (QCC_VERILOG_PROVE: which; "all"); a module that drops a word
# under back-pressure is found.
. "${QCC_SRC:-.}/tests/lib.sh"

for tool in yosys yosys-abc; do
	if ! command -v $tool >/dev/null; then
		skip "proofs" "no $tool"
		finish
		exit
	fi
done
if sanitized; then
	skip "proofs" "the other build proves the same modules"
	finish
	exit
fi
unset MAKEFLAGS MFLAGS MAKELEVEL
modules=${QCC_VERILOG_PROVE:-pair fork eltwise threshold width-mixed crop}
if [ "$modules" = all ]; then
	modules=
fi
ok "a design" "$QCC" "$QCC_SRC/models/mlp_2w2a/model.onnx" -q -p 'streamline,fold(target_cycles=2000)' -b verilog -o out
ok "no pause changes a word: ${modules:-all modules}" make -s -C out/verilog prove MODULES="$modules"
sed 's/^/# /' .stdout
sed -i 's/assign in_ready = .*/assign in_ready = 1;/' out/verilog/qcc_constants.v
if make -s -C out/verilog prove MODULES=threshold >.stdout 2>&1 || ! grep -q 'threshold.*: violated' .stdout; then
	fail "a module that loses words is found" "$(cat .stdout)"
else
	pass "a module that loses words is found"
fi
finish

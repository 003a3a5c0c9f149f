# What the tests of Verilog designs share: they skip without the tools, and write a design.
for tool in verilator iverilog; do
	if ! command -v $tool >/dev/null; then
		skip "simulation" "no $tool"
		finish
		exit
	fi
done

# The designs are made by makes of their own, which know nothing of the one that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL

# designed NAME MODEL PASSES OPTIONS: writes the design; true where it is to be simulated.
designed() {
	rm -rf out
	if ! "$QCC" "$2" -q -p "$3" -b "verilog($4)" -o out >.stdout 2>&1; then
		fail "$1" "$(head -n 3 .stdout)"
		return 1
	elif sanitized; then
		pass "$1: written"
		return 1
	fi
	if make -s -C out/verilog lint >.stdout 2>&1 && [ ! -s .stdout ]; then
		pass "$1: no warnings"
	else
		fail "$1: no warnings" "$(head -n 10 .stdout)"
	fi
}

# in_iverilog NAME SEED: the design of out/ in iverilog, without pauses and with random ones.
in_iverilog() {
	for stalls in "" "$2"; do
		if make -s -C out/verilog isim STALLS=$stalls >.stdout 2>&1; then
			pass "$1: $(sed -n 's/^testbench: //p' .stdout)"
		else
			fail "$1${stalls:+ with pauses}" "$(tail -n 5 .stdout)"
		fi
	done
}

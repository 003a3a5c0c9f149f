#!/bin/sh
# The tiny style on other processors: a Cortex-M4 board and RISC-V under qemu, bit for bit, with the instructions of
# one inference and the bytes of code, constants and memory. The packed style on AArch64, for its NEON parts.
. "$QCC_SRC/tests/lib.sh"

have() {
	for tool; do
		command -v "$tool" >.which || return 1
	done
}

# build MODEL PASSES: emits the tiny style with golden vectors to out/c.
build() {
	rm -rf out
	"$QCC" "$1" -q -p "$2" -b 'c(tiny,testbench,name=net)' -o out
}

arm=$QCC_SRC/examples/cortexm/board
arm_flags='-mcpu=cortex-m4 -mthumb -Os -std=c11 -Iout/c'
network='out/c/net.c out/c/net_weights.c'

# on_arm REPEAT: what the board prints.
on_arm() {
	arm-none-eabi-gcc $arm_flags -DREPEAT="$1" $network out/c/net_test.c "$arm.c" -T "$arm.ld" -nostartfiles \
		--specs=nano.specs --specs=nosys.specs -lm -o arm.elf 2>.stderr &&
		timeout 300 qemu-system-arm -M mps2-an386 -nographic -semihosting -icount shift=0 -kernel arm.elf 2>&1 </dev/null
}

# on_riscv REPEAT: what the program prints; the log has a line an instruction.
on_riscv() {
	riscv64-linux-gnu-gcc -static -Os -std=c11 -Iout/c -DREPEAT="$1" $network out/c/net_test.c -lm -o riscv 2>.stderr &&
		timeout 300 qemu-riscv64 ${2:+-singlestep -d exec,nochain -D "$2"} ./riscv
}

# neon NAME MODEL PASSES: the packed style, optimised, without a warning; blocks of samples too where it has them.
neon() {
	if ! have aarch64-linux-gnu-gcc qemu-aarch64; then
		skip "$1: AArch64" "no aarch64-linux-gnu-gcc or qemu-aarch64"
		return
	fi
	rm -rf neon
	"$QCC" "$2" -q -p "$3" -b 'c(packed,testbench,name=model)' -o neon 2>.stderr || { fail "$1: AArch64" "$(cat .stderr)"; return; }
	set -- "$1" "aarch64-linux-gnu-gcc -static -std=c11 -O3 -Wall -Wextra -Wconversion -pedantic -Werror -Ineon/c" \
		'neon/c/model.c neon/c/model_weights.c'
	if $2 $3 neon/c/model_test.c -lm -o neon/test 2>.stderr && timeout 300 qemu-aarch64 neon/test >said 2>&1 &&
		[ -n "$(samples said)" ]; then pass "$1: AArch64"; else fail "$1: AArch64" "$(cat said .stderr)"; fi
	grep -q _run_x neon/c/model.c || return
	seq 20000 | tr -d '\n' | LC_ALL=C tr 0-9 '>?@>\276\277\300?@>' >neon/floats	# of all signs, around 1
	ok "$1: AArch64, batches" sh -c "$2 $3 $QCC_SRC/tests/backends/c_batch.c -lm -o neon/batch && qemu-aarch64 neon/batch neon/floats"
}

samples() {
	sed -n 's/^\([0-9]*\) passed, 0 failed$/\1/p' "$1"
}

count_arm() {
	on_arm 1 >once && on_arm 11 >often || return
	a=$(sed -n 's/^instructions //p' once) b=$(sed -n 's/^instructions //p' often)
	echo "# $1: Cortex-M4 $(((b - a) / 10 / $(samples once))) instructions an inference"
}

count_riscv() {
	on_riscv 1 log1 >once && on_riscv 2 log2 >often || return
	echo "# $1: RISC-V $((($(wc -l <log2) - $(wc -l <log1)) / $(samples once))) instructions an inference"
	rm -f log1 log2
}

sizes() {
	arm-none-eabi-gcc $arm_flags -c out/c/net.c -o net.o && arm-none-eabi-gcc $arm_flags -c out/c/net_weights.c -o weights.o &&
		arm-none-eabi-size net.o weights.o | awk 'NR > 1 { n += $1 + $2 } END { print n }'
}

# network NAME MODEL PASSES [COUNT]: both processors agree with the executor; COUNT says to count instructions.
network() {
	name=$1
	if ! build "$2" "$3" >.stdout 2>.stderr; then
		fail "$name: compiles" "$(cat .stderr)"
		return
	fi
	if have arm-none-eabi-gcc qemu-system-arm; then
		if on_arm 1 >said && [ -n "$(samples said)" ]; then pass "$name: Cortex-M4"; else fail "$name: Cortex-M4" "$(cat said .stderr)"; fi
		[ -z "$4" ] || count_arm "$name"
	else
		skip "$name: Cortex-M4" "no arm-none-eabi-gcc or qemu-system-arm"
	fi
	if have riscv64-linux-gnu-gcc qemu-riscv64; then
		if on_riscv 1 >said && [ -n "$(samples said)" ]; then pass "$name: RISC-V"; else fail "$name: RISC-V" "$(cat said .stderr)"; fi
		[ -z "$4" ] || count_riscv "$name"
	else
		skip "$name: RISC-V" "no riscv64-linux-gnu-gcc or qemu-riscv64"
	fi
}

network mlp_2w2a "$QCC_SRC/models/mlp_2w2a/model.onnx" streamline
network cnn_4w4a "$QCC_SRC/models/cnn_4w4a/model.onnx" streamline

neon mlp_2w2a "$QCC_SRC/models/mlp_2w2a/model.onnx" streamline
neon cnn_4w4a "$QCC_SRC/models/cnn_4w4a/model.onnx" streamline

if [ -d "$QCC_SHARED/models" ]; then
	models=$QCC_SHARED/models
	network tfc_2w2a "$models/tfc_2w2a/model.onnx" streamline
	network mlp_ternary "$models/mlp_ternary/model.onnx" streamline
	network conv1d_radio_w4a4 "$models/conv1d_radio_w4a4/model.onnx" streamline
	network mobilenet_mini_w4a4 "$models/mobilenet_mini_w4a4/model.onnx" streamline
	network cybsec-mlp "$models/cybsec-mlp/model.onnx" 'set-datatype(input=BIPOLAR),streamline,prune-dead' count
	neon tfc_1w1a "$models/tfc_1w1a/model.onnx" streamline
	neon mobilenet_mini_w4a4 "$models/mobilenet_mini_w4a4/model.onnx" streamline
	neon qkeras_jettagging "$models/qkeras_jettagging/model.onnx" streamline
	if have arm-none-eabi-gcc; then
		bytes=$(sizes)
		ram=$(sed -n 's/^#define NET_SCRATCH_BYTES //p' out/c/net.h)
		inputs=$(sed -n 's/^#define NET_INPUT0_COUNT //p' out/c/net.h)
		echo "# cybsec-mlp: $bytes bytes of code and constants, $ram of scratch memory, $inputs of input"
		ok "cybsec-mlp: at most 8 KB of code and constants" test "$bytes" -le 8192
		ok "cybsec-mlp: at most 1 KB of memory" test $((ram + inputs)) -le 1000
	else
		skip "cybsec-mlp: size" "no arm-none-eabi-gcc"
	fi
else
	skip "networks of ../shared/models" "not there"
fi
finish

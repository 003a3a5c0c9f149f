#!/bin/sh
# c(library): the folder that Arduino and PlatformIO take, compiled as they do it; macros of integer inputs and outputs; the example
# of a board in examples/cortexm.
. "$QCC_SRC/tests/lib.sh"

# An onnxruntime-like 8-bit network: real in, real out, 8 bits at both ends.
cat >net.onnxtxt <<'END'
<ir_version: 8, opset_import: ["" : 13, "qonnx.custom_op.general" : 1]>
net (float[1,4] x) => (float[1,2] y)
<float a = {0.05}, float za = {3}, float b = {0.25}, float zb = {2}, float s = {0.5}, float z = {0}, float eight = {8}, float four = {4},
 float[4,2] w = {1,-2,3,1.5,-1,2,0.5,-3}>
{
	q = qonnx.custom_op.general.Quant<signed=1,narrow=0,rounding_mode="ROUND">(x, a, za, eight)
	v = qonnx.custom_op.general.Quant<signed=1,narrow=0,rounding_mode="ROUND">(w, s, z, four)
	m = MatMul(q, v)
	y = qonnx.custom_op.general.Quant<signed=0,narrow=0,rounding_mode="ROUND">(m, b, zb, eight)
}
END

has_line() {
	if grep -q -x -e "$2" "$3"; then pass "$1"; else fail "$1" "no line '$2' in: $(cat "$3")"; fi
}

ok "8 bits in and out" "$QCC" net.onnxtxt -q -p integer-io -b 'c(tiny)' -o out
has_line "... int8" 'typedef int8_t net_input0;' out/c/net.h
has_line "... uint8" 'typedef uint8_t net_output0;' out/c/net.h
has_line "... scale" '#define NET_INPUT0_SCALE 0.0500000007f' out/c/net.h
has_line "... offset" '#define NET_INPUT0_OFFSET -0.150000006f' out/c/net.h
has_line "... of the output" '#define NET_OUTPUT0_OFFSET -0.5f' out/c/net.h
has_line "... least" '#define NET_INPUT0_MIN (-128)' out/c/net.h
has_line "... an example of use" ' \*     net_run(in0, out0, scratch);' out/c/net.h

# The example in the header computes what the network computed: real numbers through macros.
cat >program.c <<'END'
#include <math.h>
#include <stdio.h>
#include "net.h"
static unsigned char scratch[NET_SCRATCH_BYTES + 1] __attribute__((aligned(NET_SCRATCH_ALIGN)));
int main(void)
{
	static const float x[NET_INPUT0_COUNT] = { 1, -2, 0.3f, 4 };
	static net_input0 in0[NET_INPUT0_COUNT];
	static net_output0 out0[NET_OUTPUT0_COUNT];
	for (int k = 0; k < NET_INPUT0_COUNT; k++)
		in0[k] = (net_input0)lrintf((x[k] - NET_INPUT0_OFFSET) / NET_INPUT0_SCALE);
	net_run(in0, out0, scratch);
	for (int k = 0; k < NET_OUTPUT0_COUNT; k++)
		printf("%g\n", NET_OUTPUT0_SCALE * (float)out0[k] + NET_OUTPUT0_OFFSET);
	return 0;
}
END
compiler="${CC:-cc} -std=c11 -Wall -Wextra -Wconversion -pedantic -Werror"
if lacks lua; then
	skip "... with the network's numbers" "this qcc was built without Lua"
else
	printf '%s\n' 'for _, y in ipairs(qcc.load("net.onnxtxt"):execute{ x = { 1, -2, 0.3, 4 } }.y) do print(string.format("%g", y)) end' >run.lua
	"$QCC" --script run.lua >want
	ok "... compiles" $compiler -Iout/c program.c out/c/net.c out/c/net_weights.c -lm -o program
	./program >got
	ok "... with the network's numbers" cmp got want
fi

for style in reference packed tiny; do
	ok "$style: a library" "$QCC" net.onnxtxt -q -p integer-io -b "c($style,library,testbench)" -o "lib-$style"
	for file in library.json library.properties src/net.h src/net.c src/net_weights.c examples/net_run/net_run.ino extras/net_test.c; do
		[ -s "lib-$style/c/$file" ] || fail "$style: has $file"
	done
	[ ! -e "lib-$style/c/src/main.c" ] && [ ! -e "lib-$style/c/Makefile" ] && pass "$style: nothing else" || fail "$style: nothing else"
	ok "$style: compiles" $compiler -Ilib-$style/c/src lib-$style/c/src/*.c lib-$style/c/extras/net_test.c -lm -o test-$style
	ok "$style: computes the golden vectors" ./test-$style
done
refuses "a library has its constants in C" "use weights=array" "$QCC" net.onnxtxt -p integer-io -b 'c(library,weights=incbin)' -o no
if command -v python3 >/dev/null; then ok "library.json is JSON" python3 -m json.tool lib-tiny/c/library.json; fi
has_line "library.properties has a name" 'name=net' lib-tiny/c/library.properties

# Arduino's own headers and main, as far as the example needs them.
cat >Arduino.h <<'END'
#include <cstdio>
struct { void begin(long) {} void println(double x) { std::printf("%g\n", x); } } Serial;
static void delay(int) {}
END
cat >sketch.cpp <<'END'
#include "Arduino.h"
#include "lib-tiny/c/examples/net_run/net_run.ino"
int main() { setup(); loop(); }
END
if command -v "${CXX:-c++}" >/dev/null; then
	for file in net net_weights; do ${CC:-cc} -O2 -c -Ilib-tiny/c/src lib-tiny/c/src/$file.c -o $file.o || fail "$file.c"; done
	ok "the example compiles as C++" ${CXX:-c++} -Wall -Wextra -Werror -I. -Ilib-tiny/c/src sketch.cpp net.o net_weights.o -o sketch
	prints "... and runs" '^[0-9.-]*$' ./sketch
else
	skip "the example compiles as C++" "no C++ compiler"
fi

# examples/cortexm: the program around a network, on a board in qemu.
cnn=$QCC_SRC/models/cnn_4w4a/model.onnx
if command -v arm-none-eabi-gcc >/dev/null && command -v qemu-system-arm >/dev/null; then
	"$QCC" "$cnn" -q -p integer-io -b 'c(tiny,name=net)' -o board
	ok "a board: builds" arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -Os -std=gnu11 -Wall -Wextra -Werror -Iboard/c board/c/net.c \
		board/c/net_weights.c "$QCC_SRC/examples/cortexm/main.c" "$QCC_SRC/examples/cortexm/board.c" \
		-T "$QCC_SRC/examples/cortexm/board.ld" -nostartfiles --specs=nano.specs --specs=nosys.specs -lm -o net.elf
	prints "a board: runs" '^class 3: -*[0-9]* thousandths' \
		sh -c 'timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting -kernel net.elf 2>&1 </dev/null'
else
	skip "a board" "no arm-none-eabi-gcc or qemu-system-arm"
fi
finish

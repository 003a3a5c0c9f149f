#!/bin/sh
# The examples in C run: linked with the library as it lies in the build folder, static and (where it was built) shared.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
model=$QCC_SRC/models/cnn_4w4a/model.onnx
build=$(dirname "$QCC")

# try KIND FOLDER: the programs in that folder.
try() {
	prints "$1: compile" '"macs"' "$2/compile" "$model" "$1"
	has "$1: ... writes C" "$1/c/model.c"
	prints "$1: execute" '^output .* nodes, then ' "$2/execute" "$model"
	prints "$1: inspect" '^.* (Conv): ' "$2/inspect" "$model"
	prints "$1: transform" ': computed by .* MultiThreshold' "$2/transform" "$model" streamline "$1.onnx" "$1-page"
	has "$1: ... writes a model" "$1.onnx"
	has "$1: ... and a page" "$1-page/html/index.html"
	"$2/compile" nosuch.onnx "$1" >.stdout 2>.stderr
	if [ $? -eq 1 ] && grep -q 'No such file' .stderr; then pass "$1: an error is told"; else fail "$1: an error is told" "$(cat .stderr)"; fi
}

try static "$build/examples/c"
library=$build/.libs/libqcc.so
if [ ! -e "$library" ]; then
	skip "the examples with the shared library" "this build has --disable-shared"
elif nm -D "$library" | grep -q __asan_; then
	skip "the examples with the shared library" "a library with AddressSanitizer needs programs built with it"
else
	mkdir programs
	for example in compile execute inspect transform; do
		${CC:-cc} -Wall -Wextra -Werror -I "$QCC_SRC/include" "$QCC_SRC/examples/c/$example.c" \
			-L "$build/.libs" -lqcc -o "programs/$example" 2>.stderr || fail "shared: $example builds" "$(cat .stderr)"
	done
	LD_LIBRARY_PATH=$build/.libs
	export LD_LIBRARY_PATH
	try shared programs
	others=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -v '^qcc_' | sort | tr '\n' ' ')
	if [ -z "$others" ]; then pass "shared: exports the public names alone"; else fail "shared: exports the public names alone" "$others"; fi
fi
finish

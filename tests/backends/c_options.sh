#!/bin/sh
# Options of the C backend: forms of constants, names, test benches, build files, C++.
. "$QCC_SRC/tests/lib.sh"

model=$QCC_SRC/models/mlp_2w2a/model.onnx
input=$QCC_SRC/models/mlp_2w2a/input.npy
image=$QCC_SRC/models/cnn_4w4a/model.onnx
: "${CC:=cc}"

# emits FOLDER MODEL OPTIONS
emits() {
	"$QCC" "$2" -q -p streamline -b "c($3)" -o "$1"
}

# runs FOLDER INPUT: the program of that folder gives what the one in plain/ gave.
same() {
	(cd "$1/c" && ./model "$2" out.npy) && cmp "$1/c/out.npy" plain/c/out.npy
}

ok "reference" emits plain "$model" reference
ok "make builds the program" make -s -C plain/c
ok "the program runs" sh -c 'cd plain/c && ./model "$1" out.npy' sh "$input"

for style in reference packed tiny; do
	for form in array incbin file; do
		[ $style-$form != tiny-file ] || continue
		ok "$style, weights=$form" emits $style-$form "$model" "$style,weights=$form"
		ok "$style, weights=$form builds" make -s -C $style-$form/c
		ok "$style, weights=$form gives the same" same $style-$form "$input"
	done
	ok "$style, test bench" emits bench-$style "$image" "$style,testbench,name=net"
	prints "$style, test bench passes" ' passed, 0 failed' make -s -C bench-$style/c check
done
refuses "tiny has no weights=file" "weights=file" emits no "$model" tiny,weights=file
refuses "no other form of weights" "no form 'rom'" emits no "$model" weights=rom

ok "several styles" emits all "$model" reference,packed,tiny
has "reference in c/" all/c/model.c
has "packed in c-packed/" all/c-packed/model.c
has "tiny in c-tiny/" all/c-tiny/model.c
prints "report.json says ROM and RAM of layers" '"ram_bytes"' cat all/report.json
prints "so does the header" 'ROM, bytes     RAM    stack' cat all/c/model.h

for h in c c-packed c-tiny; do
	printf '#include "model.h"\nint main() { return MODEL_INPUTS - 1; }\n' >use.cpp
	if command -v c++ >.which; then
		ok "C++ takes the header of $h" c++ -Wall -Wextra -Werror -Iall/$h -c use.cpp -o use.o
	else
		skip "C++ takes the header of $h" "no C++ compiler"
	fi
done
if command -v cmake >.which; then
	printf 'cmake_minimum_required(VERSION 3.10)\nproject(use C)\nadd_subdirectory(all/c-packed)\n' >CMakeLists.txt
	ok "CMake builds the library" sh -c 'cmake -S . -B cm >cm.log && cmake --build cm >>cm.log'
else
	skip "CMake builds the library" "no cmake"
fi
finish

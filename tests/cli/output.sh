#!/bin/sh
# The output folder is a transaction: the files of a run appear together or not at all, whatever happens to it.
. "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"
mlp=$QCC_SRC/models/mlp_2w2a/model.onnx
cnn=$QCC_SRC/models/cnn_4w4a/model.onnx

# tree FOLDER: its files with a checksum each, what belongs to qcc and the times in report.json left out.
tree() {
	(cd "$1" && find . -type f ! -path './.qcc/*' ! -name report.json -exec cksum {} + | sort -k 3)
}
# same NAME FOLDER FOLDER
same() {
	if [ "$(tree "$2")" = "$(tree "$3")" ]; then pass "$1"; else fail "$1" "$(tree "$2")" "$(tree "$3")"; fi
}
# clean NAME FOLDER: qcc's own part of it is the list of files alone.
clean() {
	left=$(find "$2/.qcc" -mindepth 1 ! -name files; find "$2" -name '.*.qcc')
	if [ -z "$left" ]; then pass "$1"; else fail "$1" "$left"; fi
}

"$QCC" "$cnn" -p streamline,fold -o cnn -q 2>.stderr || fail "a first run" "$(cat .stderr)"
"$QCC" "$mlp" -o mlp -q 2>.stderr || fail "another" "$(cat .stderr)"
cp -r cnn out
echo mine >out/hls/mine
echo changed >>out/hls/Makefile
ok "another model into the same folder" "$QCC" "$mlp" -o out -q
ok "... files of the earlier run are gone" sh -c '! ls out/hls/top.cpp out/c/model.c out/dot/02-fold.dot 2>/dev/null'
has "... those of the user stay" out/hls/mine
has "... and those that the user changed" out/hls/Makefile
rm -r out/hls
same "... and otherwise it is as in a folder of its own" out mlp

cp -r cnn out2
refuses "a run that fails" 'set-datatype' "$QCC" "$cnn" -p 'set-datatype(nothing=INT2)' -o out2
same "... leaves what was there" out2 cnn
clean "... and nothing of its own" out2
(ulimit -f 8 && trap '' XFSZ && exec "$QCC" "$cnn" -p streamline,fold -o out2) >.stdout 2>.stderr
if [ $? -eq 1 ] && grep -q 'error: cannot write: ' .stderr; then pass "a full disk is an error"; else fail "a full disk is an error" "$(cat .stderr)"; fi
same "... after which the old files are intact" out2 cnn
clean "... and no others" out2
mkdir -p taken/report.json
refuses "a folder in the place of a file" "report.json'" "$QCC" "$cnn" -o taken
ok "... stays alone" sh -c '[ "$(find taken | wc -l)" -eq 2 ]'

refuses "a file in the place of the folder" "error: .*older" "$QCC" "$cnn" -o "$cnn/out"
name="a read-only file system is called that"
if mkdir /sys/qcc 2>.stderr || ! grep -qi 'read-only' .stderr; then
	skip "$name" "no read-only file system here"
else
	refuses "$name" 'Read-only file system' "$QCC" "$cnn" -o /sys/qcc/out
fi
if [ "$(id -u)" -eq 0 ]; then
	skip "a folder without permission" "root may write everywhere"
else
	mkdir locked && chmod 555 locked
	refuses "a folder without permission" 'Permission denied' "$QCC" "$cnn" -o locked
fi

# Killed at any time: the old files or the new ones. SIGKILL can fall between two files: then the next run completes it.
completed() {
	[ "$signal" = KILL ] && "$QCC" "$cnn" -p streamline,fold -o killed -q && [ "$(tree killed)" = "$(tree cnn)" ]
}
mixed=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	rm -rf killed && cp -r mlp killed
	signal=TERM
	[ $((i % 2)) -eq 0 ] || signal=KILL
	"$QCC" "$cnn" -p streamline,fold -o killed -q 2>/dev/null &
	sleep "0.0$i"
	kill -$signal $! 2>/dev/null
	wait $! 2>/dev/null
	"$QCC" "$mlp" -o other -q 2>/dev/null
	[ "$(tree killed)" = "$(tree mlp)" ] || [ "$(tree killed)" = "$(tree cnn)" ] || completed || mixed="$mixed $i"
done
if [ -z "$mixed" ]; then pass "runs that are killed leave the old files or the new ones"; else fail "runs that are killed leave the old files or the new ones" "not after:$mixed"; fi
mkdir -p killed/.qcc/new-0123456789abcdef/tree
echo part >killed/.qcc/new-0123456789abcdef/tree/part
ok "a run after one that was killed" "$QCC" "$cnn" -p streamline,fold -o killed -q
clean "... removes what that left" killed
same "... and is complete" killed cnn
mkdir -p half/.qcc/commit-0123456789abcdef
cp -r cnn half/.qcc/commit-0123456789abcdef/tree
mv half/.qcc/commit-0123456789abcdef/tree/.qcc/files half/.qcc/commit-0123456789abcdef/files
rmdir half/.qcc/commit-0123456789abcdef/tree/.qcc
"$QCC" "$cnn" -p 'set-datatype(nothing=INT2)' -o half 2>/dev/null
same "a run that was killed while its files appeared is completed by the next" half cnn

# Two at a time: the files of one of them.
wrong=
for i in 1 2 3 4 5 6 7 8; do
	"$QCC" "$cnn" -p streamline,fold -o both -q 2>>.stderr &
	first=$!
	"$QCC" "$mlp" -o both -q 2>>.stderr
	wait $first || wrong="$wrong status"
	[ "$(tree both)" = "$(tree mlp)" ] || [ "$(tree both)" = "$(tree cnn)" ] || wrong="$wrong $i"
done
if [ -z "$wrong" ]; then pass "two runs into one folder do not mix"; else fail "two runs into one folder do not mix" "$wrong $(cat .stderr)"; fi
clean "... and leave nothing" both

# Single files.
ok "-o model.onnx writes that file" "$QCC" "$cnn" -p streamline -o only.onnx -q
ok "... and nothing else" sh -c '[ -s only.onnx ] && [ ! -e out.onnx ] && [ -z "$(find . -name ".only*")" ]'
refuses "... no backends" 'folder' "$QCC" "$cnn" -b c -o other.onnx
: >.only.onnx.0123456789abcdef.qcc
ok "a file again" "$QCC" "$cnn" -o only.onnx -q
ok "... what a run that was killed left of it is gone" sh -c '[ ! -e .only.onnx.0123456789abcdef.qcc ]'
if lacks lua; then
	skip "a script that writes twice into a folder" "this qcc was built without Lua"
else
	ok "a script that writes twice into a folder" sh -c 'printf "m = qcc.load(qcc.args[1])\nm:emit(\"dot\", \"twice\")\nm:emit(\"finn\", \"twice\")\n" >twice.lua &&
	"$1" --script twice.lua "$2" && ls twice/dot/graph.dot twice/model.finn.onnx' sh "$QCC" "$cnn"
fi

# Standard input and output.
ok "- is standard input" sh -c '"$1" info - <"$2" | grep -q "^operators: "' sh "$QCC" "$cnn"
ok "... a pipe" sh -c 'cat "$2" | "$1" diff - "$2"' sh "$QCC" "$cnn"
ok "-o - is standard output" sh -c '"$1" - -p cleanup -o - <"$2" >piped.onnx && "$1" diff piped.onnx "$2"' sh "$QCC" "$cnn"
printf 'r (float[1,2] x) => (float[1,2] y) { y = Relu(x) }\n' >relu.onnxtxt
ok "... text that comes through a pipe" sh -c 'cat relu.onnxtxt | "$1" - -o - | "$1" info - | grep -q "operators: Relu 1"' sh "$QCC"
"$QCC" run "$cnn" "${cnn%model.onnx}input.npy" -q -o y.npy
ok "run reads and writes them" sh -c '"$1" run "$2" - -o - <"$3" | cmp - y.npy' sh "$QCC" "$cnn" "${cnn%model.onnx}input.npy"
refuses "nothing on standard input" "the file is empty" sh -c 'true | "$1" info -' sh "$QCC"
name="standard output that is closed is an error"
{ "$QCC" info "$cnn"; echo $? >.status; } 2>.stderr | true
if [ "$(cat .status)" -eq 0 ] || { [ "$(cat .status)" -eq 1 ] && grep -q 'qcc: .*Broken pipe' .stderr; }; then pass "$name"; else fail "$name" "$(cat .status .stderr)"; fi
"$QCC" info "$cnn" >/dev/full 2>.stderr
if [ $? -eq 1 ] && grep -q 'No space left' .stderr; then pass "... and one that is full"; else fail "... and one that is full" "$(cat .stderr)"; fi
finish

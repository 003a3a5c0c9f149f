#!/bin/sh
# Bad input: one line that names the culprit, exit status 1, nothing written.
. "$QCC_SRC/tests/lib.sh"

model=$QCC_SRC/models/mlp_2w2a/model.onnx
input=$QCC_SRC/models/mlp_2w2a/input.npy

# text NAME GRAPH: a model in ONNX's text form.
text() {
	printf '%s\n' "$2" >"$1"
}

refuses "missing file" "missing.onnx.*No such file" "$QCC" missing.onnx
: >empty.onnx
refuses "empty file" "empty.onnx.*empty" "$QCC" empty.onnx
head -c 5000 "$model" >short.onnx
refuses "truncated file" "short.onnx" "$QCC" short.onnx
echo "this is no network at all" >text.onnx
refuses "not an ONNX file" "text.onnx" "$QCC" text.onnx
mkdir folder.onnx
refuses "a folder for a model" "folder.onnx.*is a folder" "$QCC" folder.onnx

text cycle.onnxtxt 'net (float[1] x) => (float[1] y) {
  a = Add(x, b)
  b = Relu(a)
  y = Relu(b)
}'
refuses "cycle" "cycle" "$QCC" cycle.onnxtxt
text twice.onnxtxt 'net (float[1] x) => (float[1] y) {
  y = Relu(x)
  y = Abs(x)
}'
refuses "name defined twice" "'y'" "$QCC" twice.onnxtxt
text unknown.onnxtxt 'net (float[1] x) => (float[1] y) {
  y = Frobnicate(x)
}'
refuses "unknown operator" "Frobnicate.*not known" "$QCC" unknown.onnxtxt -p streamline
text shape.onnxtxt 'net (float[1,3] x) => (float[1,2] y) <float[4,2] w = {1,2,3,4,5,6,7,8}> {
  y = MatMul(x, w)
}'
refuses "shape that does not fit" "MatMul" "$QCC" shape.onnxtxt -p cleanup
text dangling.onnxtxt 'net (float[1] x) => (float[1] y) {
  y = Add(x, nowhere)
}'
refuses "value nobody makes" "nowhere" "$QCC" dangling.onnxtxt

refuses "unknown pass" "'strealine'" "$QCC" "$model" -p strealine
refuses "unknown option of a pass" "'no-such-option'" "$QCC" "$model" -p 'cleanup(no-such-option=1)'
refuses "malformed list of passes" "wanted" "$QCC" "$model" -p 'cleanup('
refuses "unknown backend" "'fin'.*did you mean 'finn'" "$QCC" "$model" -b fin
refuses "unknown option" "there is no option '--frob'" "$QCC" "$model" --frob
refuses "misspelt option" "'--ouput'; did you mean '--output'?" "$QCC" "$model" --ouput x
refuses "misspelt option of a subcommand" "did you mean '--json'?" "$QCC" info "$model" --jsno
refuses "unknown letter" "there is no option '-Z'" "$QCC" "$model" -Z
refuses "option without its value" "option '--output' needs a value" "$QCC" "$model" --output
refuses "letter without its value" "option '-o' needs a value" "$QCC" "$model" -o
refuses "value for a flag" "option '--certify' takes no value" "$QCC" "$model" --certify=3
refuses "misspelt subcommand" "error: there is neither a subcommand nor a model 'rnu'; did you mean 'qcc run'?" "$QCC" rnu "$model"
refuses "help on nothing there is" "'streamlin'; did you mean 'streamline'?" "$QCC" help streamlin
refuses "--verify on data that the datatype does not allow" "element 0 that '.*' has for input '.*BIPOLAR does not allow" "$QCC" \
	"$QCC_SRC/models/cnn_4w4a/model.onnx" -p 'set-datatype(input=BIPOLAR),streamline' --verify="$QCC_SRC/models/cnn_4w4a/input.npy"
refuses "no model" "no model" "$QCC"
refuses "two models" "'b.onnx'" "$QCC" a.onnx b.onnx
refuses "no samples" "'0'" "$QCC" "$model" --verify=0
refuses "dump after an unknown pass" "'nope'" "$QCC" "$model" --dump-after nope
: >file
refuses "output folder below a file" "file/out.*Not a directory" "$QCC" "$model" -o file/out
refuses "output folder is a file" "file.*cannot make" "$QCC" "$model" -o file

refuses "run: missing input" "is missing" "$QCC" run "$model"
refuses "run: input file that is not there" "none.npy" "$QCC" run "$model" none.npy
head -c 200 "$input" >short.npy
refuses "run: truncated input" "short.npy.*truncated" "$QCC" run "$model" short.npy
refuses "run: unknown input" "'frob'" "$QCC" run "$model" frob="$input"
refuses "run: one input too many" "too many" "$QCC" run "$model" "$input" "$input"
refuses "run: output below a file" "file/y.npy" "$QCC" run "$model" "$input" -o file/y.npy
refuses "run: --top nothing" "'0'" "$QCC" run "$model" "$input" --top 0
refuses "info: two models" "one model" "$QCC" info a b
refusal=2
refuses "diff: one model" "two models" "$QCC" diff a
refusal=1

if lacks lua; then
	skip "errors in scripts" "this build has no Lua"
else
	refuses "missing script" "none.lua" "$QCC" --script none.lua
	echo 'this is no Lua' >bad.lua
	refuses "script that is no Lua" "bad.lua:1" "$QCC" --script bad.lua
	printf 'local m = qcc.load(qcc.args[1])\nm:run("strealine")\n' >pass.lua
	refuses "unknown pass in a script" "pass.lua:2.*'strealine'" "$QCC" --script pass.lua "$model"
	echo 'qcc.load("none.onnx")' >load.lua
	refuses "missing model in a script" "load.lua:1.*No such file" "$QCC" --script load.lua
	echo 'io.open("x", "w")' >io.lua
	refuses "scripts have no io" "io" "$QCC" --script io.lua
	echo 'print(os.getenv("HOME"))' >os.lua
	refuses "scripts have no os" "os" "$QCC" --script os.lua
fi
# Parts of a network in files of their own: beside the model, and not within each other.
finn=finn.custom_op.fpgadataflow
head="<ir_version: 8, opset_import: [\"\" : 13, \"qonnx.custom_op.general\" : 1, \"$finn\" : 1]>"
# partition FILE PART [OPERATOR]: a model whose only node is the part.
partition() {
	printf '%s\ng () => (float[1,2] y) <float[1,2] c = {1,2}> {\n y = %s<model="%s">(c)\n}\n' \
		"$head" "${3:-qonnx.custom_op.general.GenericPartition}" "$2" >"$1"
}
mkdir parts
printf '%s\ng (float[1,2] a) => (float[1,2] b) {\n b = Neg(a)\n}\n' "$head" >parts/part.onnxtxt
cp parts/part.onnxtxt outside.onnxtxt
partition parts/around.onnxtxt part.onnxtxt
partition parts/first.onnxtxt second.onnxtxt
partition parts/second.onnxtxt ./first.onnxtxt
partition parts/itself.onnxtxt ./itself.onnxtxt
partition parts/out.onnxtxt ../outside.onnxtxt
partition parts/absolute.onnxtxt "$PWD/outside.onnxtxt"
ok "a part in a file of its own" "$QCC" run parts/around.onnxtxt -q -o part.npy
refuses "parts that name each other" 'has partitions of its own' "$QCC" run parts/first.onnxtxt -q -o no.npy
refuses "a part that names itself" 'has partitions of its own' "$QCC" run parts/itself.onnxtxt -q -o no.npy
refuses "a part outside the folder" 'outside the model' "$QCC" run parts/out.onnxtxt -q -o no.npy
refuses "... by a whole path" 'outside the model' "$QCC" run parts/absolute.onnxtxt -q -o no.npy
# FINN's partitions count from the working folder.
partition parts/dataflow.onnxtxt parts/part.onnxtxt $finn.StreamingDataflowPartition
ok "a partition of FINN's below the working folder" "$QCC" run parts/dataflow.onnxtxt -q -o dataflow.npy
ok "... gives what the part gives" cmp part.npy dataflow.npy
ln -s "$PWD/outside.onnxtxt" parts/link.onnxtxt
ln -s /dev/zero parts/device.onnxtxt
mkdir elsewhere
partition elsewhere/above.onnxtxt ../outside.onnxtxt $finn.StreamingDataflowPartition
partition elsewhere/whole.onnxtxt "$PWD/outside.onnxtxt" $finn.StreamingDataflowPartition
partition parts/linked.onnxtxt link.onnxtxt
partition parts/endless.onnxtxt device.onnxtxt
for form in above whole; do
	refuses "a partition of FINN's outside it ($form)" \
		"StreamingDataflowPartition.*outside.onnxtxt' lies outside the working folder.*--allow-paths" \
		"$QCC" run elsewhere/$form.onnxtxt -q -o no.npy
done
(cd elsewhere && "$QCC" run --allow-paths above.onnxtxt -q -o ../above.npy)
ok "... is read with --allow-paths" cmp part.npy above.npy
ok "... by a whole path as well" "$QCC" run --allow-paths elsewhere/whole.onnxtxt -q -o whole.npy
ok "... and gives what the part gives" cmp part.npy whole.npy
refuses "a part behind a link" 'is a link out of the folder.*--allow-paths' "$QCC" run parts/linked.onnxtxt -q -o no.npy
ok "... is read with --allow-paths" "$QCC" run --allow-paths parts/linked.onnxtxt -q -o linked.npy
refuses "a part behind a link to a device" 'is a device' "$QCC" run --allow-paths parts/endless.onnxtxt -q -o no.npy
finish

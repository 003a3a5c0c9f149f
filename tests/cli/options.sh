#!/bin/sh
# What the command line prints and writes when all is well.
. "$QCC_SRC/tests/lib.sh"

model=$QCC_SRC/models/mlp_2w2a/model.onnx
input=$QCC_SRC/models/mlp_2w2a/input.npy

prints "--version" '^qcc [0-9]' "$QCC" --version
prints "--help" '^usage: qcc MODEL' "$QCC" --help
prints "--help lists subcommands" '^  run ' "$QCC" --help
prints "run --help" '^usage: qcc run' "$QCC" run --help
prints "--list-passes" '^cleanup ' "$QCC" --list-passes
prints "--list-ops" '^MatMul ' "$QCC" --list-ops
prints "--list-backends" '^finn ' "$QCC" --list-backends
prints "--help-pass" '^cleanup: ' "$QCC" --help-pass cleanup
prints "--help-backend" '^finn: ' "$QCC" --help-backend finn
prints "--dry-run prints the pipeline" '^infer,cleanup$' "$QCC" --dry-run -p ' infer , cleanup' "$model"
ok "--dry-run writes nothing" test ! -e out/report.json

ok "compiles" "$QCC" "$model" -p cleanup -o one
has "writes report.json" one/report.json
has "writes the model" one/model.finn.onnx
has "draws the imported graph" one/dot/00-imported.dot
has "draws each stage" one/dot/01-cleanup.dot
ok "leaves nothing temporary" sh -c 'test -z "$(find one -name "*.tmp" -o -name ".stages*")"'
prints "is quiet on request" '^ok$' sh -c '"$QCC" -q "$1" -o one >quiet && test ! -s quiet && echo ok' sh "$model"
ok "removes pictures of earlier stages" test ! -e one/dot/01-cleanup.dot
ok "only the backend asked for" "$QCC" "$model" -b finn -o two
ok "... and no other" test ! -e two/dot
ok "-p and -b several times" "$QCC" "$model" -p infer -p cleanup -b finn -b dot -o several
has "... the first backend" several/model.finn.onnx
has "... the second" several/dot/02-cleanup.dot
ok "--dump-after" "$QCC" "$model" -p infer,cleanup --dump-after infer -b finn -o three
ok "... writes ONNX and DOT" sh -c 'ls three/dump/*-infer.onnx && ls three/dump/*-infer.dot'
ok "--verify" "$QCC" "$model" -p cleanup --verify=3 -o four
chain=chain.onnxtxt	# the second of four inputs meets weights of zero
cat >$chain <<'END'
<ir_version: 8, opset_import: ["" : 13, "qonnx.custom_op.general" : 1]>
chain (float[1,4] x) => (y)
<float[4,2] w = {1,2, 0,0, 3,1, 1,1}, float one = {1}, float zero = {0}, float three = {3}> {
	q = qonnx.custom_op.general.Quant<signed=1,narrow=0,rounding_mode="ROUND">(x, one, zero, three)
	y = MatMul(q, w)
}
END
prints "fold removes dead hardware" '^prune-dead: .*4x2 to 3x2.*--keep-shape' "$QCC" $chain -p 'fold(target_cycles=9)' -o four
ok "... and says so in the report" grep -q '"inputs_kept": 3' four/report.json
prints "--keep-shape leaves it" ' 4x2 ' "$QCC" $chain --keep-shape -p 'fold(target_cycles=9)' -o four
ok "... without prune-dead" sh -c '! grep -q prune-dead four/report.json'
ok "--verify on a file" "$QCC" "$model" -p cleanup --verify="$input" -o five
ok "a deep output folder" "$QCC" "$model" -o six/a/b/c -b finn

ok "run writes .npy" "$QCC" run "$model" "$input" -o y.npy
has "... the file" y.npy
ok "run takes inputs by name" sh -c '"$QCC" run "$1" "$("$QCC" info "$1" |
	sed -n "s/^input \(.*\): .*/\1/p")=$2" -o z.npy && cmp y.npy z.npy' sh "$model" "$input"
ok "run writes into a folder" "$QCC" run "$model" "$input" -o outputs/
ok "... a file for each output" sh -c 'ls outputs/*.npy'
prints "run prints" '\[.*\] ' "$QCC" run "$model" "$input"
prints "info" '^operators: ' "$QCC" info "$model"
prints "info --json" '"operators"' "$QCC" info --json "$model"
prints "help on a pass" '^streamline: ' "$QCC" help streamline
prints "... by another name" '^convert: ' "$QCC" help ConvertQONNXtoFINN
prints "... on a subcommand" '^usage: qcc diff' "$QCC" help diff
prints "... on a backend" '^finn: ' "$QCC" help finn
prints "... on an operator" '^MatMul: ' "$QCC" help MatMul
prints "passes" '^cleanup  ' "$QCC" passes
prints "operators" '^MatMul  ' "$QCC" operators
prints "backends" '^finn  ' "$QCC" backends
printf '<ir_version: 8, opset_import: ["" : 13]>\ng (float[1,2] x) => (y)\n<float[2,2] w = {1,2,3,4}> {\n y = MatMul(x, w)\n}\n' >plain.onnxtxt
prints "nothing happened" '^note: no pass changed anything' "$QCC" plain.onnxtxt -p div-to-mul -o plain
ok "a model without quantisers" sh -c '"$1" plain.onnxtxt -p streamline -o plain 2>&1 | grep -q "no quantiser in this model"' sh "$QCC"
prints "a backend is left out with the reason" '^hls left out: it needs a folded graph' "$QCC" "$model" -p streamline -o left
"$QCC" diff "$model" plain.onnxtxt >.stdout 2>.stderr
if [ $? -eq 1 ]; then pass "diff of other networks is 1"; else fail "diff of other networks is 1" "$(cat .stderr)"; fi
"$QCC" diff "$model" none.onnx >.stdout 2>.stderr
if [ $? -eq 2 ]; then pass "... and 2 where one is missing"; else fail "... and 2 where one is missing" "$(cat .stderr)"; fi
prints "diff of equal networks" 'elements equal' "$QCC" diff "$model" one/model.finn.onnx "$input"
ok "the Pareto front of a folding" "$QCC" "$model" -p 'streamline,fold(target_fps=1e6,pareto=front.csv)' -b dot -o front
prints "... a row for each" '^[0-9]*,[0-9]' cat front.csv
has "... and its plot" front.svg
finish

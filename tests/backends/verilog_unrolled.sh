# verilog(unrolled): one frame a cycle. Words equal the executor's in iverilog, with and without random pauses, and in verilator,
# which also counts cycles; nothing warns. Each form of thresholds and of weights has a layer.
. "${QCC_SRC:-.}/tests/lib.sh"

. "${QCC_SRC:-.}/tests/backends/verilog_lib.sh"

# simulate NAME MODEL PASSES [OPTIONS]: writes, reads and runs the design.
simulate() {
	designed "$1" "$2" "$3" "unrolled,samples=24${4:+,$4}" && in_iverilog "$1" 5
}

simulate "mlp_2w2a" "$QCC_SRC/models/mlp_2w2a/model.onnx" "streamline,to-hw"
if sanitized; then
	pass "mlp_2w2a: not simulated"
elif make -s -C out/verilog sim CXXFLAGS=-O0 OPT_FAST=-O0 OPT_GLOBAL=-O0 >.stdout 2>&1 && grep -q 'equal.* 1 cycles a frame' .stdout; then
	pass "mlp_2w2a in verilator: $(sed -n 's/^sim: //p' .stdout)"
else
	fail "mlp_2w2a in verilator" "$(tail -n 5 .stdout)"
fi
line=$(head -n 1 out/verilog/tv/out0.hex)
sed -i "1s/.*/$(echo "$line" | tr 0123456789abcdef 123456789abcdef0)/" out/verilog/tv/out0.hex
if ! sanitized && { make -s -C out/verilog isim >.stdout 2>&1 || ! grep -q DIFFERENT .stdout; }; then
	fail "a wrong word is noticed" "$(tail -n 3 .stdout)"
else
	pass "a wrong word is noticed"
fi
simulate "mlp_2w2a in 3 stages" "$QCC_SRC/models/mlp_2w2a/model.onnx" "streamline,to-hw" "stages=3"
if [ "$(grep -c "valid <= 3'd0" out/verilog/network.v)" = 1 ]; then
	pass "it has 3 stages"
else
	fail "it has 3 stages" "$(grep 'valid <=' out/verilog/network.v)"
fi

# layer NAME DATATYPES INPUTS CONSTANTS NODES [OPTIONS]: a design of those nodes.
layer() {
	cat >layer.onnxtxt <<END
layer ($3) => (y)
<$4> {
	$5
}
END
	simulate "$1" layer.onnxtxt "set-datatype($2),to-hw" "$6"
}
finn=finn.custom_op.fpgadataflow
# list COUNT EXPRESSION: numbers that awk makes of i.
list() {
	awk "BEGIN { for (i = 0; i < $1; i++) printf \"%s%d\", i ? \",\" : \"\", $2 }"
}
matrix="float[12,5] w = {$(list 60 '(i * 37 + int(i / 7) * 11) % 63 - 31')}"
layer "weights of 6 bits, no thresholds" x=INT4 "float[1,12] x" "$matrix" \
	"y = $finn.MVAU <MW = 12, MH = 5, PE = 1, SIMD = 1, noActivation = 1, inputDataType = \"INT4\", weightDataType = \"INT6\",
	outputDataType = \"INT12\"> (x, w)"
for t in "(i % 15) * 64 - 400" "int((i % 15) / 2) * 128 + i % 15 % 2 * 60 - 400" "(i % 15) * (i % 15) * 7 - 500"; do
	layer "15 thresholds $t" x=INT4 "float[1,12] x" "$matrix, float[5,15] t = {$(list 75 "$t + int(i / 15)")}" \
		"y = $finn.MVAU <MW = 12, MH = 5, PE = 1, SIMD = 1, inputDataType = \"INT4\", weightDataType = \"INT6\", ActVal = -8,
		outputDataType = \"INT4\"> (x, w, t)"
done
layer "3 thresholds of wide sums" x=INT8 "float[1,12] x" "$matrix, float[5,3] t = {$(list 15 '(i % 3 - 1) * 900 + i')}" \
	"y = $finn.MVAU <MW = 12, MH = 5, PE = 1, SIMD = 1, inputDataType = \"INT8\", weightDataType = \"INT6\", ActVal = 0,
	outputDataType = \"UINT2\"> (x, w, t)"
signs="float[24,6] w = {$(list 144 '(i * 29 + int(i / 5) * 3) % 7 < 3 ? 1 : -1')}, float[6,1] t = {12,11,13,12,0,25}"
layer "bipolar weights and inputs" x=BIPOLAR "float[1,24] x" "$signs" \
	"y = $finn.MVAU <MW = 24, MH = 6, PE = 1, SIMD = 1, inputDataType = \"BIPOLAR\", weightDataType = \"BIPOLAR\",
	outputDataType = \"BIPOLAR\"> (x, w, t)"
layer "bipolar inputs of ternary weights" x=BIPOLAR "float[1,24] x" \
	"float[24,6] w = {$(list 144 '(i * 29 + int(i / 5) * 3) % 3 - 1')}, float[6,3] t = {$(list 18 '(i % 3 - 1) * 4 - 1')}" \
	"y = $finn.MVAU <MW = 24, MH = 6, PE = 1, SIMD = 1, inputDataType = \"BIPOLAR\", weightDataType = \"INT2\", ActVal = 0,
	outputDataType = \"UINT2\"> (x, w, t)"
layer "sums of two streams and constants" x=INT4,z=INT4 "float[1,6] x, float[1,6] z" \
	"float[6] c = {3,-2,0,1,7,-8}, float[6,3] t = {-5,0,4,-5,0,4,-9,-8,1,0,1,2,20,30,31,-40,-1,3}" \
	"a = $finn.AddStreams <NumChannels = 6, PE = 1, numInputVectors = [1], inputDataType = \"INT4\"> (x, z)
	b = $finn.ChannelwiseOp <NumChannels = 6, PE = 1, numInputVectors = [1], Func = \"add\", inputDataType = \"INT5\",
	paramDataType = \"INT4\", outputDataType = \"INT6\"> (a, c)
	y = $finn.Thresholding <NumChannels = 6, PE = 1, numSteps = 3, numInputVectors = [1], inputDataType = \"INT6\",
	weightDataType = \"INT7\", outputDataType = \"UINT2\"> (b, t)"

# Two neurons of three inputs and one of five: with two bits each, tables and adders; ternary inputs leave a code unused.
for type in BIPOLAR TERNARY INT2; do
	layer "tables of $type" x=$type "float[1,5] x" "float[5,3] w = {1,0,2, -1,3,-1, 0,-2,1, 2,1,-1, 0,0,1}, float[3,3] t = {-2,0,1,-1,2,3,-9,0,1}" \
		"y = $finn.MVAU <MW = 5, MH = 3, PE = 1, SIMD = 1, inputDataType = \"$type\", weightDataType = \"INT3\", ActVal = 0,
		outputDataType = \"UINT2\"> (x, w, t)" tables
done
if grep -q '"tables": 2,' out/report.json; then
	pass "two of three neurons are tables"
else
	fail "two of three neurons are tables" "$(grep tables out/report.json)"
fi

refuses "networks with images are refused" "one frame a cycle is for dense networks" \
	"$QCC" "$QCC_SRC/models/cnn_4w4a/model.onnx" -q -p streamline,to-hw -b 'verilog(unrolled)' -o out
finish

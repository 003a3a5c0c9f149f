# The Verilog backend's designs in simulation (verilator): at two foldings each, words at every border equal the executor's,
# without pauses and with random ones at every port, and a frame takes exactly the scheduled cycles; verilator -Wall and
# iverilog -Wall read what is generated without a warning, yosys without an error.
# QCC_VERILOG_MODELS: which of ../shared/models (default: a choice; "all").
. "${QCC_SRC:-.}/tests/lib.sh"

. "${QCC_SRC:-.}/tests/backends/verilog_lib.sh"

# Compiling takes most of the time.
quick='CXXFLAGS=-O0 OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0'

# simulate NAME MODEL PASSES [OPTIONS]: writes, reads, builds and runs the design.
simulate() {
	designed "$1" "$2" "$3" "samples=2${4:+,$4}" || return
	# shellcheck disable=SC2086 # a list of settings
	if make -s -C out/verilog sim $quick >.stdout 2>&1 && grep -q 'equal bit for bit.* as scheduled' .stdout; then
		pass "$1: $(sed -n 's/^sim: //p' .stdout)"
	else
		fail "$1" "$(tail -n 5 .stdout)"
	fi
	# shellcheck disable=SC2086 # a list of settings
	if make -s -C out/verilog sim $quick STALLS=7 >.stdout 2>&1 && grep -q 'equal bit for bit' .stdout; then
		pass "$1: $(sed -n 's/^sim: //p' .stdout)"
	else
		fail "$1 with stalls" "$(tail -n 5 .stdout)"
	fi
}

for target in 2000 64; do
	simulate "mlp_2w2a in $target cycles" "$QCC_SRC/models/mlp_2w2a/model.onnx" "streamline,fold(target_cycles=$target)"
done

# The testbench notices a wrong word, and a design that stands still.
line=$(head -n 1 out/verilog/tv/out0.hex)
sed -i "1s/.*/$(echo "$line" | tr 0123456789abcdef 123456789abcdef0)/" out/verilog/tv/out0.hex
if make -s -C out/verilog sim >.stdout 2>&1 || ! grep -q DIFFERENT .stdout; then
	fail "a wrong word is noticed" "$(tail -n 3 .stdout)"
else
	pass "a wrong word is noticed"
fi

# What the network is called, and its nodes, are no words of Verilog in the design.
cat >hostile.onnxtxt <<'END'
module (float[1,6] x) => (endmodule)
<float s = {0.5}, float o = {0}, float b = {4}, float[6,3] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5,1,3}> {
	reg = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	wire = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	endmodule = MatMul(reg, wire)
}
END
simulate "names that are words of Verilog" hostile.onnxtxt "streamline,fold(target_cycles=9)" "top=module"
# Layers by themselves run in iverilog, which needs no compiler: that takes a tenth of the time.
simulate_in_iverilog() {
	designed "$1" "$2" "$3" samples=2 && in_iverilog "$1" 7
}

# layer TYPE DATATYPES INPUTS ATTRIBUTES [ARGUMENTS [CONSTANT [OUTPUTS]]]: a design of that layer alone.
layer() {
	args=${5:-x}
	cat >layer.onnxtxt <<END
layer ($3) => (${7:-y})
<float[1] unused = {0}${6:+, $6}> {
	${7:-y} = finn.custom_op.fpgadataflow.$1 <$4> ($args)
}
END
	simulate_in_iverilog "$1 $(echo "$4" | tr -d '\n\t')" layer.onnxtxt "set-datatype($2),fold(keep_shape)"
}
image='NumChannels = 4, inputDataType = "UINT3"'
layer Thresholding x=INT8 "float[7,8] x" 'NumChannels = 8, PE = 4, numSteps = 3, numInputVectors = [7], inputDataType = "INT8",
	weightDataType = "INT8", outputDataType = "UINT2"' "x, t" \
	"float[8,3] t = {-100,0,3,-7,-6,99,1,2,3,-128,0,127,5,5,5,-1,0,1,-50,-40,60,0,0,0}"
layer VVAU x=UINT4 "float[1,2,3,36] x" 'Channels = 4, Kernel = [3, 3], Dim = [2, 3], PE = 2, SIMD = 3, noActivation = 1,
	inputDataType = "UINT4", weightDataType = "INT2", outputDataType = "INT9"' "x, v" \
	"float[4,1,3,3] v = {1,-2,0,1,1,-1,0,-2,1,1,1,1,1,1,1,1,1,1,-2,-2,-2,-2,-2,-2,-2,-2,-2,0,1,-1,0,1,-1,0,1,-2}"
for shape in "[3, 3], Stride = [1, 1], Dilation = [1, 1], OFMDim = [4, 3]" "[2, 2], Stride = [2, 2], Dilation = [1, 1], OFMDim = [3, 2]" \
	"[2, 3], Stride = [3, 1], Dilation = [2, 1], OFMDim = [2, 3]" "[1, 1], Stride = [2, 2], Dilation = [1, 1], OFMDim = [3, 3]"; do
	for depthwise in 0 1; do
		layer ConvolutionInputGenerator x=UINT3 "float[1,6,5,4] x" "ConvKernelDim = $shape, IFMDim = [6, 5], IFMChannels = 4,
			SIMD = 2, depthwise = $depthwise, inputDataType = \"UINT3\", outputDataType = \"UINT3\""
	done
done
layer FMPadding x=UINT3 "float[1,6,5,4] x" "ImgDim = [6, 5], Padding = [1, 2, 0, 3], SIMD = 2, $image"
layer FMPadding_Pixel x=UINT3 "float[1,4,3,4] x" "ImgDim = [4, 3], Stride = [2, 3], SIMD = 4, $image"
layer DownSampler x=UINT3 "float[1,7,7,4] x" "ImgDim = 7, Stride = 2, SIMD = 2, $image"
layer UpsampleNearestNeighbour x=UINT3 "float[1,3,3,4] x" "IFMDim = 3, OFMDim = 6, $image"
layer StreamingMaxPool x=INT3 "float[1,7,6,4] x" 'ImgDim = [7, 6], PoolDim = [2, 2], NumChannels = 4, dataType = "INT3"'
for function in '"MaxPool", Size = 0' '"QuantAvgPool", Size = 2'; do
	layer Pool x=INT3 "float[1,3,2,16] x" "Channels = 4, PE = 2, KernelSize = [2, 2], OutImgDims = [3, 2], BatchSize = 1,
		Function = $function, InputDataType = \"INT3\", OutputDataType = \"INT3\""
done
layer GlobalAccPool x=UINT4 "float[1,3,3,8] x" 'NumChannels = 8, PE = 2, numInputVectors = [1, 3, 3], inputDataType = "UINT4"'
layer AddStreams x=INT4,z=INT4 "float[5,8] x, float[5,8] z" 'NumChannels = 8, PE = 4, numInputVectors = [5],
	inputDataType = "INT4"' "x, z"
for function in Mul Sub AbsDiff; do
	layer StreamingEltwise x=INT4,z=UINT3 "float[1,3,3,8] x, float[1,1,1,8] z" "NumChannels = 8, PE = 4,
		numInputVectors = [1, 3, 3], eltwiseOp = \"$function\", inputDataType0 = \"INT4\", inputDataType1 = \"UINT3\"" "x, z"
done
for function in add mul cmp_le cmp_ge; do
	layer ChannelwiseOp x=INT4 "float[5,8] x" "NumChannels = 8, PE = 2, numInputVectors = [5], Func = \"$function\",
		inputDataType = \"INT4\", paramDataType = \"INT4\", outputDataType = \"INT8\"" "x, c" "float[8] c = {1,-8,7,0,3,-2,5,-1}"
done
layer StreamingConcat x=INT4,z=INT4 "float[5,8] x, float[5,4] z" 'ChannelsPerStream = [8, 4], SIMD = 2, numInputVectors = [5],
	inputDataType = "INT4"' "x, z"
layer StreamingConcat x=INT4,z=INT4 "float[5,8] x, float[5,4] z" 'ElemsPerStream = [8, 4], numInputVectors = [5],
	inputDataType = "INT4"' "x, z"
layer Crop x=UINT3 "float[1,6,7,4] x" 'ImgDim = [6, 7], CropNorth = 1, CropSouth = 0, CropWest = 2, CropEast = 1, NumChannels = 4,
	SIMD = 2, DataType = "UINT3"'
layer StreamingSplit x=INT4 "float[5,12] x" 'ChannelsPerStream = [8, 4], SIMD = 2, numInputVectors = [5],
	inputDataType = "INT4"' "x" "" "y, z"
layer LabelSelect x=INT8 "float[2,10] x" 'Labels = 10, PE = 2, K = 3, numInputVectors = [2], inputDataType = "INT8",
	outputDataType = "UINT4"'
layer Lookup x=UINT2 "float[1,6] x" 'NumEmbeddings = 4, EmbeddingDim = 2, EmbeddingType = "INT4", InputType = "UINT2",
	InputShape = [1, 6]' "x, e" "float[4,2] e = {1,-2,3,-4,5,-6,7,-8}"
for widths in "24, outWidth = 16" "8, outWidth = 24" "24, outWidth = 8"; do
	layer StreamingDataWidthConverter x=INT4 "float[1,24] x" "shape = [1, 24], inWidth = $widths, dataType = \"INT4\""
done

cat >partial.onnxtxt <<'END'
partial (float[1,5,5,4] x) => (y) {
	y = finn.custom_op.fpgadataflow.StreamingMaxPool <ImgDim = [5, 5], PoolDim = [2, 2], CeilMode = 1, NumChannels = 4, dataType = "INT3">(x)
}
END
refuses "what has no module is refused" "StreamingMaxPool.*windows that reach beyond the image" \
	"$QCC" partial.onnxtxt -q -p 'set-datatype(input=INT3),fold' -b verilog -o out

simulate "cnn_4w4a in 20000 cycles" "$QCC_SRC/models/cnn_4w4a/model.onnx" "streamline,fold(target_cycles=20000)"

models=${QCC_VERILOG_MODELS:-cybsec-mlp tfc_2w2a resnet_mini_w3a3 concat_w4a2 mobilenet_gap_w4a4}
if [ "$models" = all ]; then # mnist-conv is not quantised
	models=$(ls "$QCC_SHARED/models" | grep -v mnist-conv)
fi
for model in $models; do
	first= targets="200000 20000"
	case $model in
	cybsec-mlp) first='set-datatype(input=BIPOLAR),' targets="1000 256" ;;
	cybsec-mlp-raw593) first='set-datatype(input=BINARY),' targets="1000 64" ;;
	mlp_* | tfc_* | qkeras* | finn_tfc* | autoencoder*) targets="1000 64" ;;
	cnv_*) targets="1000000 100000" ;;
	espcn_nn_resize) targets="4000000" ;;
	esac
	if [ ! -f "$QCC_SHARED/models/$model/model.onnx" ]; then
		skip "$model" "$QCC_SHARED/models/$model is not there"
		continue
	fi
	for target in $targets; do
		simulate "$model in $target cycles" "$QCC_SHARED/models/$model/model.onnx" \
			"${first}streamline,fold(target_cycles=$target)"
	done
done
finish

# The HLS backend's designs in C simulation: at two foldings each, outputs equal the executor's bit for bit and the golden
# ones of qonnx to 1e-5; no stream is read empty or left with data. Needs a C++ compiler, and the ap_int headers of the
# hls4ml package (its Apache-licensed ap_types folder) in the Python that QCC_PYTHON names.
# QCC_HLS_MODELS: which of ../shared/models (default: a choice; "all").
. "${QCC_SRC:-.}/tests/lib.sh"

python=${QCC_PYTHON:-python3}
ap=$("$python" -c 'import importlib.util as u; s = u.find_spec("hls4ml")
print(s.submodule_search_locations[0] + "/templates/vivado/ap_types" if s else "")' 2>/dev/null)
cxx=$(command -v g++-12 || command -v g++)
if [ ! -f "$ap/ap_int.h" ] || [ -z "$cxx" ]; then
	skip "C simulation" "no ap_int headers (hls4ml in QCC_PYTHON) or no g++"
	finish
	exit
fi

# Compiling takes most of the time: it is optimised for large networks only.
level=-O1
flags='-std=c++14 -ffp-contract=off -Wno-unknown-pragmas'

# simulate NAME MODEL PASSES BACKEND: writes, builds and runs the design.
simulate() {
	rm -rf out
	if ! "$QCC" "$2" -q -p "$3" -b "$4" -o out >.stdout 2>&1; then
		fail "$1" "$(head -n 3 .stdout)"
	elif make -s -j2 -C out/hls csim CXX="$cxx" CXXFLAGS="$flags $level" AP_TYPES="$ap" >.stdout 2>&1 &&
		grep -q 'equal' .stdout; then
		pass "$1: $(sed -n 's/^csim: //p' .stdout)"
	else
		fail "$1" "$(tail -n 5 .stdout)"
	fi
}

# golden NAME FOLDER: the design in out/ on the folder's first samples gives its outputs, to 1e-5 of the largest. Behind the
# last integer stand a scale and a bias in float, where the recording has sums of floats: it says how far apart they are.
# Thresholds may lie within the noise of the recording: then a share ($noise) of the outputs may be off, by at most $step.
cat >compare.py <<'EOF'
import sys
import numpy as np
got, want = np.load(sys.argv[1]), np.load(sys.argv[2]).astype(np.float32)
want = want[:len(got)].reshape(got.shape)
apart = np.abs(got - want)
share, furthest = map(float, sys.argv[3:])
off = apart > 1e-5 * max(1, np.abs(want).max())
near = np.mean(off) <= share and (apart[off] <= furthest).all()
print(("" if near else "DIFFERENT: ") + ("equal bit for bit" if (got == want).all() else
      "largest difference %.1e, equal bit for bit are %d of %d" % (apart.max(), np.sum(got == want), got.size)))
sys.exit(not near)
EOF
golden() {
	if ! "$python" -c 'import numpy' 2>/dev/null; then
		skip "$1" "no numpy"
	elif "$python" -c 'import sys, numpy as np; np.save("in.npy", np.load(sys.argv[1])[:int(sys.argv[2])])' \
		"$2/input.npy" "$goldens" && out/hls/testbench in.npy csim.npy >.stdout 2>&1 &&
		"$python" compare.py csim.npy "$2/output.npy" "$noise" "$step" >.stdout 2>&1; then
		pass "$1: $(cat .stdout)"
	else
		fail "$1" "$(tail -n 3 .stdout)"
	fi
}

# network FOLDER FIRST-PASSES TARGETS...
samples=4 goldens=64 noise=0 step=0
network() {
	folder=$1 first=$2
	network=$(basename "$folder")
	shift 2
	for target in "$@"; do
		simulate "$network in $target cycles" "$folder/model.onnx" "${first}streamline,fold(target_cycles=$target,max_stream_bits=4096)" "hls(samples=$samples)"
		golden "$network in $target cycles on qonnx's vectors" "$folder"
	done
}

network "$QCC_SRC/models/mlp_2w2a" "" 2000 100

simulate "mlp_2w2a with TLAST" "$QCC_SRC/models/mlp_2w2a/model.onnx" "streamline,fold(target_cycles=100)" "hls(tlast)"

# caught NAME MESSAGE STATEMENTS: the simulated streams report that mistake.
caught() {
	printf '#include "hls_stream.h"\nint main() { hls::stream<int> s("s"); %s }\n' "$3" >mistake.cpp
	if ! "$cxx" -std=c++14 -Iout/hls/sim mistake.cpp -o mistake 2>.stderr; then
		fail "$1" "$(head -n 3 .stderr)"
	elif ./mistake 2>.stderr || ! grep -q "$2" .stderr; then
		fail "$1" "passes unnoticed"
	else
		pass "$1"
	fi
}
caught "a read from an empty stream ends the simulation" "empty stream" "s.write(1); s.read(); s.read();"
caught "data left in a stream is reported" "1 words left in stream s" "s.write(1); return hls::all_streams_empty() ? 0 : 1;"

# A stream of 600 x 8 bits is wider than ap_int: left out by default, an error that names the layer where it was asked for.
"$python" -c 'print("wide (float[1,600] x) => (z)\n<float s = {1}, float o = {0}, float b = {8}, float[600,2] w = {"
+ ",".join(str(i * 7 % 15 - 7) for i in range(1200)) + "}> {\n  y = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = \"ROUND\">(x, s, o, b)\n"
+ "  z = MatMul(y, w)\n}")' >wide.onnxtxt
refuses "a stream that is too wide" "MVAU_0.*4800 bits.*max_stream_bits=4096" "$QCC" wide.onnxtxt -q -p 'streamline,fold(target_cycles=1)' -b hls
simulate "the same with streams of at most 4096 bits" wide.onnxtxt "streamline,fold(target_cycles=2,max_stream_bits=4096)" hls

# A product of two streams, one of which is a pixel that gates all of an image.
cat >gate.onnxtxt <<'END'
gate (float[1,4,6,6] x) => (y)
<float s = {0.5}, float t = {0.25}, float o = {0}, float b = {4}, int64[4] pixel = {1,4,1,1},
 float[4,4] w = {1,-2,0.5,0, 1.5,2,-1,1, 0,-0.5,1,-1, 2,1.5,-2,0.5},
 float[4,4,1,1] k = {1,-2,0.5,0, 1.5,2,-1,1, 0,-0.5,1,-1, 2,1.5,-2,0.5}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	a = GlobalAveragePool(i)
	f = Flatten(a)
	h = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(f, t, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	m = MatMul(h, v)
	n = Sigmoid(m)
	g = qonnx.Quant <signed = 0, narrow = 0, rounding_mode = "ROUND">(n, t, o, b)
	r = Reshape(g, pixel)
	e = Mul(i, r)
	p = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(e, t, o, b)
	q = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(k, s, o, b)
	y = Conv(p, q)
}
END
for target in 1000 80; do
	simulate "a gate in $target cycles" gate.onnxtxt "streamline,fold(target_cycles=$target)" hls
done

# An image that is turned, rows that become channels, thresholds along rows; and the heads of tokens.
cat >turned.onnxtxt <<'END'
turned (float[1,4,4,6] x) => (y)
<float s = {0.5}, float o = {0}, float b = {4}, float[4,1] rows = {0,0.5,1,-0.5},
 float[4,4,1,1] k = {1,-2,0.5,0, 1.5,2,-1,1, 0,-0.5,1,-1, 2,1.5,-2,0.5}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(k, s, o, b)
	c = Conv(i, v)
	e = Add(c, rows)
	h = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(e, s, o, b)
	t = Transpose <perm = [0,1,3,2]>(h)
	d = Conv(t, v)
	f = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(d, s, o, b)
	g = Transpose <perm = [0,3,2,1]>(f)
	y = Conv(g, v)
}
END
simulate "a turned image" turned.onnxtxt "streamline,fold(target_cycles=200)" hls
cat >heads.onnxtxt <<'END'
heads (float[1,4,8] x) => (y)
<float s = {0.5}, float o = {0}, float b = {4}, int64[4] shape = {0,0,4,2}, float[2,3] u = {1,-2,0.5, 0,1.5,2},
 float[8,8] w = {1,-2,0.5,0,1.5,2,-1,1, 0,-0.5,1,-1,2,1.5,-2,0.5, 1,0,0,-1,2,0.5,1,1, -2,1,0.5,0,0,1,-1,2,
	0.5,1,1,-1,0,2,1,-0.5, 1,1,0,0.5,-1,1,2,0, 2,0,-1,1,1,0.5,0,-2, -1,1,2,0,0.5,1,1,0}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	m = MatMul(i, v)
	r = Reshape(m, shape)
	t = Transpose <perm = [0,2,1,3]>(r)
	h = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(t, s, o, b)
	p = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(u, s, o, b)
	y = MatMul(h, p)
}
END
simulate "turned heads, two elements a word" heads.onnxtxt "streamline,fold(target_cycles=50)" hls

# Several inputs and outputs, one of which leaves the hardware as it is; and inputs of integers.
cat >ports.onnxtxt <<'END'
ports (float[1,6] x, uint8[1,6] e, int8[1,6] f) => (y, z)
<float s = {0.5}, float o = {0}, float b = {4}, float t = {0.3}, float k = {0.25}, uint8 zero = {3},
 float[6,3] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5,1,3},
 float[6,2] u = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	p = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(u, s, o, b)
	g = DequantizeLinear(e, k, zero)
	h = Cast <to = 1>(f)
	c = Add(g, i)
	d = Add(c, h)
	q = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(d, s, o, b)
	m = MatMul(q, v)
	y = Mul(m, t)
	z = MatMul(q, p)
}
END
simulate "several inputs and outputs, inputs of integers" ports.onnxtxt "streamline,fold(target_cycles=100)" hls

# A stream carries one sample at a time.
cat >batch.onnxtxt <<'END'
batch (float[2,1,4,4] x) => (y)
<float s = {0.5}, float o = {0}, float b = {4}, float[1,1,2,2] w = {1,-2,0.5,1}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	y = Conv(i, v)
}
END
refuses "a batch of images" "16 numbers.*holds 32.*batch of 1" "$QCC" batch.onnxtxt -q -p 'streamline,fold(target_cycles=100)' -b hls

# What stays with the host behind the last layer.
for tail in Softmax LogSoftmax Sigmoid Tanh Relu Erf LeakyRelu; do
	cat >tail.onnxtxt <<END
tail (float[1,6] x) => (z)
<float s = {0.5}, float o = {0}, float b = {4}, float[6,3] w = {1,-2,0.5,0,1.5,2,-1,1,0,-0.5,1,-1,2,1.5,-2,0.5,1,3}, float t = {0.3}> {
	i = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(x, s, o, b)
	v = qonnx.Quant <signed = 1, narrow = 0, rounding_mode = "ROUND">(w, s, o, b)
	m = MatMul(i, v)
	y = Mul(m, t)
	z = $tail(y)
}
END
	simulate "$tail on the host" tail.onnxtxt "streamline,fold(target_cycles=9)" hls
done

# Bipolar images that are padded with zeros: the design's outputs are those of the network as it was given, too.
for kind in 1 2 3; do
	"$python" "$QCC_SRC/tests/backends/bipolar_net.py" $kind >bipolar.onnxtxt
	simulate "zeros around bipolar images, network $kind" bipolar.onnxtxt "streamline,fold(target_cycles=500)" hls
	if [ $kind -ne 3 ]; then	# its vectors hold zeros, which the hardware's input may be but the network's not
		ok "network $kind as given" "$QCC" run bipolar.onnxtxt out/hls/tv/input0.npy -q -o given.npy
		ok "network $kind gives the same" out/hls/testbench out/hls/tv/input0.npy csim.npy given.npy
	fi
done

network "$QCC_SRC/models/cnn_4w4a" "" 200000 20000

models=${QCC_HLS_MODELS:-cybsec-mlp tfc_1w1a mlp_asym_u8 qkeras_jettagging resnet_mini_w3a3 concat_w4a2 mobilenet_gap_w4a4
	conv1d_radio_w4a4 deconv_w4a4}
if [ "$models" = all ]; then	# mnist-conv is not quantised
	models=$(ls "$QCC_SHARED/models" | grep -v mnist-conv)
fi
for model in $models; do
	folder=$QCC_SHARED/models/$model
	first= samples=4 goldens=64 noise=0 step=0 level=-O1
	targets="200000 20000"
	case $model in
	cybsec-mlp) first='set-datatype(input=BIPOLAR),' targets="1000 64" ;;
	cybsec-mlp-raw593) first='set-datatype(input=BINARY),' targets="1000 64" ;;
	mlp_* | tfc_* | qkeras* | finn_tfc*) targets="1000 64" ;;
	cnv_*) targets="1000000 100000" ;;
	espcn_nn_resize) targets="4000000 2000000" samples=1 goldens=1 noise=0.001 step=0.0197 level=-O2 ;;	# 2e9 products a frame
	esac
	if [ -d "$folder" ]; then
		# shellcheck disable=SC2086 # a list of numbers
		network "$folder" "$first" $targets
	else
		skip "$model" "$folder is not there"
	fi
done
finish

#!/bin/sh
# qcc train on a synthetic table: the same on any number of threads and after an interruption, exports that every reader
# executes alike, bad input.
. "$QCC_SRC/tests/lib.sh"
python=${QCC_PYTHON:-python3}
if lacks zip || ! "$python" -c 'import numpy' 2>/dev/null; then
	echo "1..0 # SKIP no numpy, or a qcc without libzip"
	exit 0
fi
"$python" "$QCC_SRC/models/make_flows.py" --rows 1500 --seed 3 >flows.csv
ok "encodes flows" "$QCC" encode flows.csv --fit flows.json --ignore id,attack_cat -o flows.npz
inputs=$("$python" -c 'import numpy; print(numpy.load("flows.npz")["bits"].shape[1])')
arch="mlp($inputs,32,16,1)"

# train NAME ARGUMENT...: ends with status 0; its last line is left in .json.
train() {
	name=$1
	shift
	ok "$name" "$QCC" train -q "$@"
	tail -n 1 .stdout >.json
}

# same NAME A B, differ NAME A B
same() {
	if cmp -s "$2" "$3"; then pass "$1"; else fail "$1" "$2 and $3 differ"; fi
}

# json NAME EXPRESSION: true of the last line, d.
json() {
	if "$python" -c "import json; d = json.load(open('.json')); assert $2" 2>.stderr; then pass "$1"; else fail "$1" "$(cat .json .stderr)"; fi
}

# ---- what training gives
train "trains" --arch "$arch" --data flows.npz --epochs 12 --batch 50 --lr 0.01 -o net.onnx --test flows.npz
json "learns" "d['test']['accuracy'] > 0.85 and d['val_accuracy'] > 0.8"
json "tells the best epoch" "1 <= d['best_epoch'] <= d['epochs'] == 12"
for file in history.csv loss.svg accuracy.svg checkpoint.npz; do has "writes $file" net.train/$file; done
if [ "$(wc -l <net.train/history.csv)" -eq 13 ]; then pass "a line an epoch"; else fail "a line an epoch"; fi
prints "eval agrees with the last line" "^accuracy  *$("$python" -c 'import json; print("%.10g" % json.load(open(".json"))["test"]["accuracy"])')\$" \
	"$QCC" eval net.onnx flows.npz
ok "a full certificate" "$QCC" net.onnx -p streamline,fold --certify -b finn -o certified
prints "nothing is lost on the way to C" '^decided otherwise  *0  *0  *0$' "$QCC" eval net.onnx flows.npz --all

# ---- determinism
common="--data flows.npz --epochs 3 --batch 64 --dropout 0.2 --schedule cosine"
# shellcheck disable=SC2086 # a list of options
{
	train "one thread" --arch "$arch" $common --threads 1 -o one.onnx
	train "three threads" --arch "$arch" $common --threads 3 -o three.onnx
	same "give the same network" one.onnx three.onnx
	train "another seed" --arch "$arch" $common --seed 2 -o other.onnx
	if cmp -s one.onnx other.onnx; then fail "gives another network"; else pass "gives another network"; fi
}

# Interrupted after a moment, wherever that is, and resumed as often as it takes.
long="--data flows.npz --epochs 40 --batch 32 --dropout 0.2 --schedule restarts(7,1.5) --optimiser adamw --decay 0.01"
# shellcheck disable=SC2086
{
	train "at one go" --arch "$arch" $long -o whole.onnx
	"$QCC" train -q --arch "$arch" $long -o parts.onnx >.stdout 2>.stderr &
	pid=$!
	tries=0
	while [ ! -s parts.train/checkpoint.npz ] && [ $tries -lt 500 ]; do
		sleep 0.01
		tries=$((tries + 1))
	done
	kill -INT $pid
	wait $pid
	status=$?
	if [ $status -eq 130 ] || [ $status -eq 0 ]; then pass "stops when interrupted"; else fail "stops when interrupted" "status $status: $(cat .stderr)"; fi
	train "resumes" --arch "$arch" $long -o parts.onnx --resume parts.train/checkpoint.npz
	same "and gives the same network" whole.onnx parts.onnx
	refuses "a checkpoint of another architecture" "another training: its arch is" \
		"$QCC" train -q --arch "mlp($inputs,8,1)" $long -o no.onnx --resume parts.train/checkpoint.npz
	refuses "a checkpoint of other options" "another training: its batch is" \
		"$QCC" train -q --arch "$arch" $long --batch 33 -o no.onnx --resume parts.train/checkpoint.npz
	refuses "no checkpoint" "place" "$QCC" train -q --arch "$arch" $long -o no.onnx --resume flows.npz
}

# ---- other networks, through qcc and, where it is installed, qonnx
"$python" - <<'END'
import numpy as np
rng = np.random.default_rng(5)
label = rng.integers(0, 3, 600)
x = rng.normal(0, 0.4, (600, 1, 8, 8)).astype(np.float32)
for i, c in enumerate(label):
    x[i, 0, 2 * c + 1] += 1.5
np.savez("images.npz", x=x, label=label)
END
cnn="quant(8),conv(6,3,pad=1),bn,relu,maxpool(2),conv(8,3,bits=3),bn,relu(3),flatten,linear(3)"
train "a small CNN" --arch "$cnn" --data images.npz --weights 4 --acts 4 --epochs 8 --batch 25 --lr 0.01 -o cnn.onnx --test images.npz
json "learns" "d['test']['accuracy'] > 0.9"
train "per channel" --arch "$cnn" --data images.npz --weights 3 --acts 3 --per-channel --epochs 3 --batch 25 -o channels.onnx
for bits in 1 ternary 3 8; do
	train "$bits bits" --arch "$arch" --data flows.npz --weights $bits --acts $bits --epochs 4 --batch 50 --lr 0.01 -o bits_$bits.onnx --test flows.npz
	json "learns" "d['test']['accuracy'] > 0.7"
done
train "warm-up, class weights, early stopping" --arch "$arch" --data flows.npz --schedule 'step(2,0.5,warmup=1)' --class-weights balanced \
	--patience 2 --epochs 200 --batch 100 --best loss -o early.onnx
json "stops early" "d['epochs'] < 200 and d['epochs'] - d['best_epoch'] == 2"
train "no validation rows" --arch "$arch" --data flows.npz --val 0 --epochs 1 -o last.onnx
json "the last state is it" "d['best_epoch'] == 0 and d['val_accuracy'] is None"
train "validation rows of their own" --arch "$arch" --data flows.npz --val flows.npz --epochs 1 -o own.onnx
for net in net.onnx cnn.onnx channels.onnx bits_1.onnx bits_ternary.onnx bits_3.onnx bits_8.onnx; do
	ok "$net: full certificate" "$QCC" $net -p streamline,fold --certify -b finn -o certified --keep-shape
done
if "$python" -c 'import qonnx' 2>/dev/null; then
	for net in net.onnx cnn.onnx channels.onnx bits_1.onnx bits_ternary.onnx bits_8.onnx; do
		data=flows.npz
		case $net in cnn.onnx | channels.onnx) data=images.npz ;; esac
		ok "$net: qonnx gives the same" "$python" "$QCC_SRC/tests/train/same_in_qonnx.py" $net $data
	done
else
	skip "qonnx gives the same" "qonnx is not installed"
fi

# ---- sparse networks
train "a fan-in" --arch "$arch" --data flows.npz --fan-in 5 --epochs 10 --batch 50 --lr 0.01 --val 0.2 -o sparse.onnx
ok "is kept" "$python" - "$inputs" <<'END'
import sys, numpy as np
inputs, masks = int(sys.argv[1]), np.load("sparse.train/checkpoint.npz")["masks"]
first, second = masks[:inputs * 32].reshape(inputs, 32), masks[inputs * 32:inputs * 32 + 32 * 16].reshape(32, 16)
assert (first.sum(0) == 5).all() and (second.sum(0) == 5).all()
END
train "a budget of LUTs" --arch "$arch" --data flows.npz --lut-budget 500 --epochs 40 --batch 50 --lr 0.01 -o lean.onnx
json "is kept" "d['luts_estimated'] <= 500"
for options in "--fan-in 5" "--lut-budget 1"; do
	# shellcheck disable=SC2086 # a list of options
	train "a single epoch with $options" --arch "$arch" --data flows.npz --epochs 1 $options -o short.onnx
	json "tells the accuracy of what it writes" "0 < d['val_accuracy'] <= 1 and 0 < d['val_loss']"
done
train "a fan-in, in a single step" --arch "$arch" --data flows.npz --fan-in 5 --epochs 1 --batch 2000 -o single.onnx
ok "is kept" "$python" - "$inputs" <<'END'
import sys, numpy as np
inputs, state = int(sys.argv[1]), np.load("single.train/checkpoint.npz")
assert (state["masks"][:inputs * 32].reshape(inputs, 32).sum(0) == 5).all()
END

# ---- bad input
refuses "no architecture" "arch is missing" "$QCC" train --data flows.npz -o no.onnx
refuses "no data" "data is missing" "$QCC" train --arch "$arch" -o no.onnx
refuses "no output" "no output given" "$QCC" train --arch "$arch" --data flows.npz
refuses "another width" "8 inputs, but a row of the data has $inputs" "$QCC" train --arch 'mlp(8,1)' --data flows.npz -o no.onnx
refuses "an unknown layer" "'linea' is no layer; did you mean 'linear'" "$QCC" train --arch 'linea(3)' --data flows.npz -o no.onnx
refuses "an unknown option of a layer" "no option 'widht'" "$QCC" train --arch 'linear(widht=3)' --data flows.npz -o no.onnx
refuses "a layer without its width" "its width is no whole number" "$QCC" train --arch 'linear' --data flows.npz -o no.onnx
refuses "parentheses" "cannot read" "$QCC" train --arch 'linear(3' --data flows.npz -o no.onnx
refuses "images for vectors" "its input is no image" "$QCC" train --arch 'conv(3,3)' --data flows.npz -o no.onnx
refuses "a window that is too large" "windows are larger" "$QCC" train --arch 'conv(3,9)' --data images.npz -o no.onnx
refuses "too few outputs" "labels up to 2, but the network knows 2 classes" "$QCC" train --arch 'flatten,linear(2)' --data images.npz -o no.onnx
refuses "a width of 9 bits" "'9' is no width" "$QCC" train --arch "$arch" --weights 9 --data flows.npz -o no.onnx
refuses "a schedule" "is no schedule" "$QCC" train --arch "$arch" --schedule linear --data flows.npz -o no.onnx
refuses "class weights" "no list of 2 weights" "$QCC" train --arch "$arch" --class-weights 1,2,3 --data flows.npz -o no.onnx
refuses "no such data" "No such file" "$QCC" train --arch "$arch" --data nowhere.npz -o no.onnx
"$python" - <<'END'
import numpy as np
bits = np.zeros((4, 6), np.uint8)
np.savez("unlabelled.npz", bits=bits)
np.savez("nan.npz", x=np.full((4, 6), np.nan, np.float32), label=[0, 1, 0, 1])
np.savez("no_classes.npz", bits=bits, label=[0, 1, 0.5, 1])
np.savez("no_rows.npz", bits=bits[:0], label=[])
END
refuses "no labels" "have no labels" "$QCC" train --arch 'mlp(6,1)' --data unlabelled.npz -o no.onnx
refuses "NaN" "is NaN" "$QCC" train --arch 'mlp(6,1)' --data nan.npz -o no.onnx
refuses "labels that are no classes" "is no class" "$QCC" train --arch 'mlp(6,1)' --data no_classes.npz -o no.onnx
refuses "no rows" "has no rows" "$QCC" train --arch 'mlp(6,1)' --data no_rows.npz -o no.onnx
: >empty.npz
refuses "an empty file" "empty.npz: error" "$QCC" train --arch 'mlp(6,1)' --data empty.npz -o no.onnx
refuses "an output that cannot be written" "ot a directory" "$QCC" train --arch "$arch" --data flows.npz -o flows.csv/no.onnx
# A disk that has no room for the next checkpoint: the limit of a file's size stands for it.
train "an epoch" --arch "$arch" --data flows.npz --epochs 1 -o kept.onnx
cp kept.train/checkpoint.npz before.npz
(
	trap '' XFSZ
	ulimit -f 8
	"$QCC" train -q --arch "$arch" --data flows.npz --epochs 3 --resume kept.train/checkpoint.npz -o kept.onnx >.stdout 2>.stderr
)
status=$?
if [ $status -eq 1 ] && grep -q "checkpoint.npz: error: cannot write: File too large" .stderr; then pass "no room for a checkpoint"; else fail "no room for a checkpoint" "status $status: $(cat .stderr)"; fi
same "the last one is kept" before.npz kept.train/checkpoint.npz
if [ -w /dev/full ]; then
	mkdir full.train
	ln -s /dev/full full.train/checkpoint.npz
	"$QCC" train -q --arch "$arch" --data flows.npz --epochs 2 -o full.onnx >.stdout 2>.stderr
	status=$?
	if [ $status -eq 1 ] && grep -q "cannot write: No space left" .stderr && [ ! -e full.onnx ]; then pass "a full disk"; else fail "a full disk" "status $status: $(cat .stderr)"; fi
	refuses "an output on a full disk" "cannot write: No space left" "$QCC" train -q --arch "$arch" --data flows.npz --epochs 1 --log net.train -o /dev/full
fi
finish

# Designs on boards: bits of the serial line through the simulated wrapper give the golden words, host.py's classes are those that
# qcc computes, its answers over a (pseudo) serial line too, and the tools make a bitstream.
. "${QCC_SRC:-.}/tests/lib.sh"

. "${QCC_SRC:-.}/tests/backends/verilog_lib.sh"

PYTHON=${QCC_PYTHON:-python3}
export QCC

# board NAME MODEL PASSES: writes a design and sends its golden vectors through the board.
board() {
	designed "$1" "$2" "$3" "samples=2" || return
	prints "$1: bit by bit through the serial line" 'equal bit for bit' make -s -C out/verilog board-sim PYTHON="$PYTHON"
}

if [ -f "$QCC_SHARED/models/cybsec-mlp/model.onnx" ]; then
	board cybsec-mlp "$QCC_SHARED/models/cybsec-mlp/model.onnx" "set-datatype(input=BIPOLAR),streamline,fold(target_cycles=1000)"
else
	skip cybsec-mlp "$QCC_SHARED/models/cybsec-mlp is not there"
fi

board mlp_2w2a "$QCC_SRC/models/mlp_2w2a/model.onnx" "streamline,fold(target_cycles=2000)"
if sanitized; then
	finish
	exit
fi
"$QCC" run "$QCC_SRC/models/mlp_2w2a/model.onnx" "$QCC_SRC/models/mlp_2w2a/input.npy" -q -o all.npy

# npy FILE ROWS [KIND]: the first rows of an array as text, or the class of each.
cat >npy.py <<'END'
import sys
sys.path.insert(0, "out/verilog")
from host import choose, read_npy
shape, numbers = read_npy(sys.argv[1])
size = len(numbers) // shape[0]
for i in range(int(sys.argv[2])):
    row = numbers[i * size : (i + 1) * size]
    print(choose(row, False)) if len(sys.argv) > 3 else print(*row, sep=",")
END
"$PYTHON" npy.py "$QCC_SRC/models/mlp_2w2a/input.npy" 3 >rows.csv
"$PYTHON" npy.py all.npy 3 classes >classes
ok "host.py prints a class for each row" "$PYTHON" out/verilog/host.py --simulate rows.csv
if cmp -s .stdout classes; then
	pass "they are those that qcc computes"
else
	fail "they are those that qcc computes" "$(cat .stdout) instead of $(cat classes)"
fi
echo 1,2 >short.csv
refuses "a row that is too short is refused" 'short.csv, line 1: 2 numbers, the network has 593 inputs' \
	"$PYTHON" -B out/verilog/host.py --simulate short.csv

# A board that answers each frame with the golden answer to it, at the other end of a pseudo terminal.
cat >fake.py <<'END'
import os, pty, subprocess, sys
sys.path.insert(0, "out/verilog")
from host import golden_frames
import json
net = json.load(open("out/verilog/host.json"))
given, answers = golden_frames("in0.hex", net["in"]), golden_frames("out0.hex", net["out"])
board, port = pty.openpty()
host = subprocess.Popen([sys.executable, "out/verilog/host.py", "--golden", "--port", os.ttyname(port)], stdout=subprocess.PIPE, text=True)
for frame, answer in zip(given, answers):
    got = b""
    while len(got) < len(frame):
        got += os.read(board, len(frame) - len(got))
    if got != frame:
        sys.exit("another frame than the golden one was sent")
    os.write(board, answer)
print(host.communicate()[0])
sys.exit(host.returncode)
END
prints "golden frames over a serial line" 'equal bit for bit' timeout 60 "$PYTHON" fake.py

line=$(head -n 1 out/verilog/tv/out0.hex)
sed -i "1s/.*/$(echo "$line" | tr 0123456789abcdef 123456789abcdef0)/" out/verilog/tv/out0.hex
if make -s -C out/verilog board-sim PYTHON="$PYTHON" >.stdout 2>&1 || ! grep -q '1 DIFFERENT' .stdout; then
	fail "a wrong answer is noticed" "$(cat .stdout)"
else
	pass "a wrong answer is noticed"
fi
if make -s -C out/verilog bitstream BOARD=toaster >.stdout 2>&1 || ! grep -q 'toaster is not known: ice40' .stdout; then
	fail "an unknown board is named" "$(cat .stdout)"
else
	pass "an unknown board is named"
fi

# The smallest design through all tools.
cat >small.onnxtxt <<'END'
small (float[1,4] x, float[1,4] z) => (y)
{
	y = finn.custom_op.fpgadataflow.AddStreams <NumChannels = 4, PE = 4, numInputVectors = [1], inputDataType = "INT2"> (x, z)
}
END
designed "two inputs" small.onnxtxt "set-datatype(x=INT2,z=INT2),fold(keep_shape)" samples=2
if make -s -C out/verilog bitstream >.stdout 2>&1 || ! grep -q 'one input and one output' .stdout; then
	fail "two inputs have no board" "$(cat .stdout)"
else
	pass "two inputs have no board"
fi
cat >small.onnxtxt <<'END'
small (float[1,4] x) => (y)
<float[4,1] t = {-1,0,1,1}> {
	y = finn.custom_op.fpgadataflow.Thresholding <NumChannels = 4, PE = 4, numSteps = 1, numInputVectors = [1],
		inputDataType = "INT2", weightDataType = "INT2", outputDataType = "BINARY"> (x, t)
}
END
for tool in yosys nextpnr-ice40 icepack; do
	if ! command -v $tool >/dev/null; then
		skip "a bitstream" "no $tool"
		finish
		exit
	fi
done
designed "thresholds" small.onnxtxt "set-datatype(x=INT2),fold(keep_shape)" samples=2
ok "a bitstream for iCE40" timeout 300 make -s -C out/verilog bitstream BOARD=ice40-up5k
has "it is there" out/verilog/obj/ice40-up5k.bin
finish

#!/bin/sh
# What a user may do wrong, and the message that tells what is wrong, where, and what to do: a row each, the command and the
# whole of standard error below it. Status 1, nothing on standard output, nothing written.
. "$QCC_SRC/tests/lib.sh"

cp "$QCC_SRC/models/mlp_2w2a/model.onnx" "$QCC_SRC/models/mlp_2w2a/input.npy" .
cp "$QCC_SRC/models/cnn_4w4a/model.onnx" cnn.onnx
cp "$QCC_SRC/models/cnn_4w4a/input.npy" image.npy
echo hello >hello.onnx
: >empty.onnx
head -c 300 model.onnx >cut.onnx
printf 'a,b\n1,2\n' >table.csv
echo 'open (float[1,4,H,W] x) => (y) { y = GlobalMaxPool(x) }' >open.onnxtxt

cat >table <<'END'
qcc
qcc: error: no model given; qcc --help shows how it is called
qcc mdoel.onnx
qcc: mdoel.onnx: error: cannot open: No such file or directory
qcc ''
qcc: error: the name of a file is empty
qcc hello.onnx
qcc: hello.onnx: error: this is no ONNX model; give a file in ONNX's binary form, or name it .onnxtxt for the textual one
qcc empty.onnx
qcc: empty.onnx: error: the file is empty; export the model again
qcc cut.onnx
qcc: cut.onnx: error: the file is cut short or damaged; copy or export the file again
qcc model.onnx cnn.onnx
qcc: error: what is 'cnn.onnx'?; qcc takes one model; passes go behind -p
qcc rnu model.onnx input.npy
qcc: error: there is neither a subcommand nor a model 'rnu'; did you mean 'qcc run'?
qcc model.onnx --ouput x
qcc: error: there is no option '--ouput'; did you mean '--output'? --help shows all
qcc model.onnx -o
qcc: error: option '-o' needs a value; --help shows how it is used
qcc model.onnx -o model.onnx
qcc: model.onnx: error: -o model.onnx would replace the model that is read; name another file with -o
qcc model.onnx -o new.onnx -b c
qcc: model.onnx: error: -o new.onnx writes one model file; -b and --dump-after need a folder; give -o a folder
qcc model.onnx -o /proc/x
qcc: /proc/x: error: cannot make this folder: No such file or directory; name another output folder
qcc model.onnx -p strealine
qcc: error: there is no pass 'strealine'; did you mean 'streamline'? --list-passes shows all
qcc model.onnx -p 'fold(target_fsp=1)'
qcc: error: pass 'fold' has no option 'target_fsp'; did you mean 'target_fps'? --help-pass fold shows all
qcc model.onnx -p 'fold(target_fps=fast)'
qcc: error: option 'target_fps' of pass 'fold' is a number, not 'fast'
qcc model.onnx -p 'fold(target_fps=-1)' -q
qcc: model.onnx: error: pass fold: target_fps=-1 is no rate: it must be positive; give frames per second, such as target_fps=1000
qcc model.onnx -p 'fold('
qcc: error: pass list 'fold(': an option's name wanted at its end; write them as a,b(option=value,flag),c
qcc model.onnx -p 'set-datatype(inptu=INT4)'
qcc: model.onnx: error: pass set-datatype: no value is named 'inptu'; qcc info MODEL lists inputs and outputs
qcc model.onnx -p 'set-datatype(input=INT99)'
qcc: model.onnx: error: pass set-datatype: 'INT99' is no datatype; write BIPOLAR, BINARY, TERNARY, INT4, UINT8, FIXED<8,3>, FLOAT32 or the like
qcc model.onnx -p 'pad-input(to=3)'
qcc: model.onnx: error: pass pad-input: input 'input' has 593 elements, which do not fit into 3; write pad-input(to=N) with N at least that
qcc open.onnxtxt -b c -q
qcc: open.onnxtxt: error: input 'x' has no fixed shape; give its open dimensions numbers: -p 'set-shapes(NAME=1x3x224x224),...'
qcc open.onnxtxt -p 'set-shapes(x=1x3x8x8)'
qcc: open.onnxtxt: error: pass set-shapes: axis 1 of 'x' is 4, not 3; set-shapes gives numbers to open dimensions only
qcc model.onnx -b vhdl
qcc: error: there is no backend 'vhdl'; --list-backends shows all
qcc model.onnx -b c,c
qcc: error: backend 'c' is named twice; name it once
qcc model.onnx -b hls
qcc: model.onnx: error: backend hls needs a folded graph; -p streamline,fold(target_fps=...)
qcc model.onnx --verify=0
qcc: error: --verify needs a number of samples, 1 or more, not '0'
qcc model.onnx --verify=image.npy
qcc: model.onnx: error: input 'input' has shape [64,1,12,12], the model expects [1,593]; the first axis may be any multiple of the model's
qcc model.onnx --dump-after streamlin
qcc: error: there is no pass 'streamlin'; did you mean 'streamline'? --list-passes shows all
qcc model.onnx --max-memory=much
qcc: error: --max-memory needs a size as 512M, not 'much'
qcc run model.onnx
qcc: model.onnx: error: input 'input' is missing; give it as NAME=file.npy
qcc run model.onnx image.npy
qcc: model.onnx: error: input 'input' has shape [64,1,12,12], the model expects [1,593]; the first axis may be any multiple of the model's
qcc run model.onnx x=input.npy
qcc: model.onnx: error: there is no input 'x'; its inputs are input
qcc run model.onnx input.npy input.npy
qcc: model.onnx: error: 'input.npy' is one file too many: the network has 1 input
qcc run model.onnx input.npy -o y.txt
qcc: error: -o 'y.txt' is neither a folder nor the name of a .npy file; write -o NAME.npy, or -o DIR/ for a file of each output
qcc diff model.onnx
qcc: error: two models are wanted; qcc diff --help shows how it is called
qcc info
qcc: error: one model is wanted; qcc info --help shows how it is called
qcc help foldd
qcc: error: there is no subcommand, pass, backend or operator 'foldd'; did you mean 'fold'? qcc passes, qcc backends, qcc operators or qcc --help shows all
qcc train --arch 'mlp(3' --data input.npy -o n.onnx
qcc: error: cannot read 'mlp(3' at 'its end'; write layers like linear(64),bn,relu(2)
qcc train --arch 'mlp(16,2)' --data input.npy -o n.onnx
qcc: error: the architecture has 16 inputs, but a row of the data has 593
qcc eval model.onnx input.npy
qcc: error: 'input.npy' has no labels; qcc run gives outputs without labels
qcc encode table.csv --spec none.json -o x.npz
qcc: none.json: error: cannot open: No such file or directory
END

qcc() {
	"$QCC" "$@"
}
while IFS= read -r command && IFS= read -r message; do
	find . ! -path './.*' | sort >.before
	eval "$command" >.stdout 2>.stderr </dev/null
	status=$?
	find . ! -path './.*' | sort >.after
	case $command in *diff*) wanted=2 ;; *) wanted=1 ;; esac
	if [ "$status" -ne "$wanted" ] || [ -s .stdout ] || [ "$(cat .stderr)" != "$message" ] || ! cmp -s .before .after; then
		fail "$command" "status $status: $(cat .stdout .stderr)" "wanted: $message"
	else
		pass "$command"
	fi
done <table
finish

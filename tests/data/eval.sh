#!/bin/sh
# qcc eval: figures of a tiny network that can be counted by hand, and those of UNSW-NB15's network where it is at hand.
. "$QCC_SRC/tests/lib.sh"
python=${QCC_PYTHON:-python3}
if lacks zip || ! "$python" -c 'import numpy' 2>/dev/null; then
	echo "1..0 # SKIP no numpy, or a qcc without libzip"
	exit 0
fi

# A row is class 1 where two of its three bits are set; the label of the fourth row says otherwise.
cat >two.onnxtxt <<'END'
<ir_version: 8, opset_import: ["" : 13, "qonnx.custom_op.general" : 1]>
two (float[1,3] x) => (float[1,1] y)
<float[3,1] w = {1, 1, 1}, float[1] limit = {1.5}> {
	sum = MatMul(x, w)
	y = Sub(sum, limit)
}
END
cat >three.onnxtxt <<'END'
<ir_version: 8, opset_import: ["" : 13]>
three (float[1,3] x) => (float[1,3] y) { y = Identity(x) }
END
"$python" - <<'END'
import numpy as np
bits = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1]], np.uint8)
label = np.array([0, 0, 1, 0, 1], np.uint8)
np.savez("good.npz", bits=bits, label=label)
np.savez("packed.npz", bits=np.packbits(bits, axis=1), label=label, width=3)
np.savez_compressed("other_names.npz", x=bits.astype(np.float64), y=label.astype(np.int64))
np.save("pair.npy", bits), np.save("pair.label.npy", label)
np.savez("classes.npz", x=np.eye(3)[[0, 1, 2, 2]].astype(np.float32), label=np.array([0, 1, 2, 1]))
np.savez("unlabelled.npz", bits=bits)
np.savez("nothing.npz", what=bits)
np.savez("few_labels.npz", bits=bits, label=label[:3])
np.savez("no_classes.npz", bits=bits, label=np.array([0, 1, 0.5, 1, 0]))
np.savez("negative.npz", bits=bits, label=np.array([0, -1, 1, 1, 0]))
np.savez("nan.npz", x=np.array([[0, 1, np.nan]], np.float32), label=[1])
np.savez("no_rows.npz", bits=bits[:0], label=label[:0])
np.savez("wide.npz", bits=np.tile(bits, 2), label=label)
np.savez("narrow.npz", bits=bits[:, :2], label=label)
END

for data in good.npz packed.npz other_names.npz pair.npy; do
	prints "accuracy of $data" '^accuracy  *0\.8$' "$QCC" eval two.onnxtxt $data
done
ok "all at once" "$QCC" eval two.onnxtxt good.npz
for line in 'right  *4$' 'precision  *0\.6666666667$' 'recall  *1$' 'F1  *0\.8$' 'ROC AUC  *0\.6666666667$' 'TN  *2$' 'FP  *1$' 'FN  *0$' 'TP  *2$'; do
	if grep -q "^$line" .stdout; then pass "$line"; else fail "$line" "$(cat .stdout)"; fi
done
prints "rows of bits are padded" '^accuracy  *0\.6$' "$QCC" eval two.onnxtxt narrow.npz
prints "several classes" '^accuracy  *0\.75$' "$QCC" eval three.onnxtxt classes.npz
prints "a cell of their confusion" '^label    1 as     2  *1$' "$QCC" eval three.onnxtxt classes.npz
prints "JSON" '"accuracy": 0.8' "$QCC" eval two.onnxtxt good.npz --json
prints "streamlined and as C" '^decided otherwise  *0  *0  *0$' "$QCC" eval two.onnxtxt good.npz --all
prints "as C of another style" '^accuracy  *0\.8  *0\.8  *0\.8$' "$QCC" eval two.onnxtxt good.npz --all --style tiny
export CC=false
refuses "a compiler that fails" "compiling the generated C failed" "$QCC" eval two.onnxtxt good.npz --all
unset CC

refuses "no labels" "has no labels" "$QCC" eval two.onnxtxt unlabelled.npz
refuses "no known array" "it has what" "$QCC" eval two.onnxtxt nothing.npz
refuses "too few labels" "3 labels for 5 rows" "$QCC" eval two.onnxtxt few_labels.npz
refuses "labels that are no classes" "label of row 2 is 0.5" "$QCC" eval two.onnxtxt no_classes.npz
refuses "negative labels" "label of row 1 is -1" "$QCC" eval two.onnxtxt negative.npz
refuses "NaN" "element 2 of row 0 is NaN" "$QCC" eval two.onnxtxt nan.npz
refuses "no rows" "has no rows" "$QCC" eval two.onnxtxt no_rows.npz
refuses "rows that are too long" "has 3 elements, but a row of the data has 6" "$QCC" eval two.onnxtxt wide.npz
refuses "no data" "No such file" "$QCC" eval two.onnxtxt nowhere.npz

unsw=$QCC_SHARED/unsw
model=$QCC_SHARED/models/cybsec-mlp/model.onnx
if [ -f "$unsw/README.md" ] && [ -f "$model" ]; then
	# file, right, TP FP TN FN, as the README there has them
	while read -r file right tp fp tn fn; do
		ok "$file" "$QCC" eval "$model" "$unsw/$file"
		found=$(awk '$1 == "right" { r = $2 } $1 == "TP" { a = $2 } $1 == "FP" { b = $2 } $1 == "TN" { c = $2 } $1 == "FN" { d = $2 }
			END { print r, a, b, c, d }' .stdout)
		if [ "$found" = "$right $tp $fp $tn $fn" ]; then pass "its figures"; else fail "its figures" "$found"; fi
	done <<-END
		unsw_test_bits.npz 3992 3765 16 227 520
		unsw_recon_test_sample8000_bits.npz 7330 3849 114 3481 556
		unsw_recon_train_sample4000_bits.npz 3620 2364 21 1256 359
		unsw_recon_train_normal10000_bits.npz 9896 0 104 9896 0
	END
	prints "nothing is lost" '^decided otherwise  *0  *0  *0$' "$QCC" eval "$model" "$unsw/unsw_test_bits.npz" --all
else
	skip "UNSW-NB15" "not there"
fi
finish

#!/bin/sh
# qcc import-weights: arrays named as PyTorch and Brevitas name them, from .npz and .safetensors.
. "$QCC_SRC/tests/lib.sh"
python=${QCC_PYTHON:-python3}
if lacks zip || ! "$python" -c 'import numpy' 2>/dev/null; then
	echo "1..0 # SKIP no numpy, or a qcc without libzip"
	exit 0
fi
"$python" - <<'END'
import json, struct, numpy as np
rng = np.random.default_rng(9)
def dict_of(prefix):
    d = {}
    for i, (n, k) in zip((0, 3, 10), ((6, 5), (4, 6), (3, 4))):
        d[f"{prefix}{i}.weight"] = rng.normal(size=(n, k)).astype(np.float32)
        d[f"{prefix}{i}.bias"] = rng.normal(size=n).astype(np.float32)
        if i == 10: break
        d[f"{prefix}{i + 1}.weight"] = rng.uniform(0.5, 2, n).astype(np.float32)
        d[f"{prefix}{i + 1}.bias"] = rng.normal(size=n).astype(np.float32)
        d[f"{prefix}{i + 1}.running_mean"] = rng.normal(size=n).astype(np.float32)
        d[f"{prefix}{i + 1}.running_var"] = rng.uniform(0.5, 2, n).astype(np.float32)
        d[f"{prefix}{i + 1}.num_batches_tracked"] = np.array(7)
        d[f"{prefix}{i + 2}.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"] = np.float32(1.5 + i)
    return d
d = dict_of("features.")
np.savez("net.npz", **d)
header, body = {"__metadata__": {"format": "pt"}}, b""
for name, x in d.items():
    x = np.asarray(x)
    kind = {"float32": "F32", "int64": "I64"}[str(x.dtype)]
    header[name] = {"dtype": kind, "shape": list(x.shape), "data_offsets": [len(body), len(body) + x.nbytes]}
    body += x.tobytes()
text = json.dumps(header).encode()
open("net.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
open("short.safetensors", "wb").write((struct.pack("<Q", len(text)) + text + body)[:-8])
np.savez("more.npz", **d, **{"extra.thing": np.zeros(3, np.float32)})
np.savez("less.npz", **{k: v for k, v in d.items() if k != "features.3.bias"})
np.savez("nan.npz", **{**d, "features.10.bias": np.full(3, np.nan, np.float32)})

# What the network gives, computed here: 3-bit weights, activations of 2 bits.
x = rng.normal(size=(20, 5)).astype(np.float32)
y = x.astype(np.float64)
for i in (0, 3, 10):
    w = d[f"features.{i}.weight"].astype(np.float64)
    s = abs(w).max() / 3
    y = y @ (np.rint(w / s) * s).T + d[f"features.{i}.bias"]
    if i == 10: break
    p = f"features.{i + 1}."
    y = (y - d[p + "running_mean"]) / np.sqrt(d[p + "running_var"] + 1e-5) * d[p + "weight"] + d[p + "bias"]
    s = (1.5 + i) / 3
    y = s * np.clip(np.rint(np.maximum(y, 0) / s), 0, 3)
np.save("x.npy", x), np.save("y.npy", y)
END

options="--arch mlp(5,6,4,3) --weights 3 --acts 2"
# shellcheck disable=SC2086 # a list of options
{
	ok "from .npz" "$QCC" import-weights net.npz $options -o a.onnx
	ok "executes" "$QCC" run -q a.onnx x.npy -o ours.npy
	ok "as computed by hand" "$python" -c 'import numpy as np; assert abs(np.load("ours.npy").reshape(20, 3) - np.load("y.npy")).max() < 1e-4'
	ok "from .safetensors" "$QCC" import-weights net.safetensors $options -o b.onnx
	ok "the same network" cmp a.onnx b.onnx
	ok "a superfluous array" "$QCC" import-weights more.npz $options -o c.onnx
	if grep -q "warning: array 'extra.thing' belongs to no layer" .stderr; then pass "is named"; else fail "is named" "$(cat .stderr)"; fi
	refuses "a missing array" "'features.3.bias' is missing, for layer" "$QCC" import-weights less.npz $options -o no.onnx
	if "$QCC" import-weights net.npz --arch 'mlp(5,6,4,2)' --weights 3 -o no.onnx 2>.stderr; then
		fail "another width"
	elif grep -q "'features.10.weight' has 12 elements (outputs x inputs), but layer 7 (linear) wants 8" .stderr && [ ! -e no.onnx ]; then
		pass "another width"
	else
		fail "another width" "$(cat .stderr)"
	fi
	refuses "more layers" "no arrays are left for layer" "$QCC" import-weights net.npz --arch 'mlp(5,6,4,3),linear(3)' -o no.onnx
	refuses "NaN" "holds NaN" "$QCC" import-weights nan.npz $options -o no.onnx
	refuses "a truncated file" "is malformed" "$QCC" import-weights short.safetensors $options -o no.onnx
	cp x.npy x.safetensors
	refuses "another file" "no safetensors file" "$QCC" import-weights x.safetensors $options -o no.onnx
	refuses "no shape" "shape of a row is not known" "$QCC" import-weights net.npz --arch 'linear(3)' -o no.onnx
}
finish

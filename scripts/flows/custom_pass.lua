-- A pass of one's own: the network takes raw bytes, and normalises them itself, y = (x - mean) * scale.
--     qcc --script scripts/flows/custom_pass.lua model.onnx [-o DIR]
qcc.register_pass{
	name = "normalise-input",
	summary = "Puts (x - mean) * scale behind the input",
	options = { mean = 127.5, scale = 1 / 127.5 },
	changes_function = true,
	run = function(m, options)
		local input = m:info().inputs[1]
		m:set_initializer("mean", options.mean)
		m:set_initializer("scale", options.scale)
		local sub = m:insert{op = "Sub", inputs = {input, "mean"}}
		local mul = m:insert{op = "Mul", inputs = {sub.outputs[1], "scale"}}
		m:replace_uses(input, mul.outputs[1])
		m:set_datatype(input, "UINT8")
		qcc.log("the input of " .. m:info().name .. " holds bytes now")
	end,
}

local path = qcc.args[1]
assert(path, "which model?")
local model = qcc.load(path)
print(model:run("normalise-input(mean=128),streamline") .. " changes")
for node in model:nodes() do
	print(node.op, node.name, model:value(node.outputs[1]).dtype)
end
model:emit("finn", qcc.out)

-- Prints the layers of a network and what flows between them:
--     qcc --script scripts/flows/inspect.lua model.onnx [PASSES]
local path, passes = qcc.args[1], qcc.args[2]
assert(path, "which model?")
local model = qcc.load(path)
if passes then
	model:run(passes)
end

local function describe(name)
	local value = model:value(name)
	if not value then
		return "-"
	end
	local shape = value.shape and table.concat(value.shape, "x") or "?"
	local bounds = ""
	if value.min then
		bounds = string.format(" in [%g, %g]", value.min, value.max)
	end
	return value.dtype .. " " .. shape .. bounds
end

local weights = 0
for node in model:nodes() do
	print(string.format("%-20s %s -> %s", node.op, describe(node.inputs[1] or ""), describe(node.outputs[1])))
	for _, name in ipairs(node.inputs) do
		local value = model:value(name)
		if value and value.is_const then
			local count = 1
			for _, dim in ipairs(value.shape) do
				count = count * dim
			end
			weights = weights + count
		end
	end
end

local info = model:info()
print(string.format("%d nodes, %d multiply-accumulates, %d constants", info.nodes, info.macs, weights))

-- Runs passes one by one until nothing changes any more, tells what each did, and writes the result:
--     qcc --script scripts/flows/stepwise.lua model.onnx PASS... [-o DIR]
local path = qcc.args[1]
assert(path and qcc.args[2], "a model and at least one pass are wanted")
local model = qcc.load(path)
local rounds = 0

repeat
	local changes = 0
	for i = 2, #qcc.args do
		local before = model:count()
		local own = model:run(qcc.args[i])
		changes = changes + own
		print(string.format("%-24s %4d changes, %d nodes -> %d", qcc.args[i], own, before, model:count()))
	end
	rounds = rounds + 1
until changes == 0 or rounds == 10

for op, count in pairs(model:info().operators) do
	print(string.format("%4d %s", count, op))
end
model:emit("finn", qcc.out)

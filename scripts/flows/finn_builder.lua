-- What FINN's builder does up to the hardware layers, step by step under FINN's own names, with a table of what each step did:
--     qcc --script scripts/flows/finn_builder.lua model.onnx [FRAMES_PER_SECOND] [-o DIR]
-- DIR gets steps.csv, the model after each step below intermediate_models/, and what FINN takes over.
local path, fps = qcc.args[1], tonumber(qcc.args[2] or 10000)
assert(path, "which model?")
local model = qcc.load(path)

local steps = {
	{ "step_qonnx_to_finn" },
	{ "step_tidy_up" },
	{ "step_streamline" },
	{ "step_convert_to_hw" },
	{ "step_target_fps_parallelization", { target_fps = fps } },
	{ "step_minimize_bit_width" },
	{ "step_set_fifo_depths" },
}

local rows = { { "step", "changes", "nodes", "model" } }
for i, step in ipairs(steps) do
	local name, options = step[1], step[2]
	local changes = model:run(name, options)
	local folder = string.format("%s/intermediate_models/%02d_%s", qcc.out, i, name)
	model:emit("finn", folder)
	rows[#rows + 1] = { name, changes, model:count(), folder .. "/model.finn.onnx" }
	print(string.format("%-34s %4d changes, %3d nodes", name, changes, model:count()))
end
print("steps: " .. qcc.write("steps.csv", rows))
model:emit("finn", qcc.out)

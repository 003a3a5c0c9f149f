-- Compares quantisations of a network: bits of weights and activations, hardware for the same frame rate, and how far the outputs
-- for the same rows are apart:
--     qcc --script scripts/flows/compare.lua rows.npy FRAMES_PER_SECOND PASSES a.onnx b.onnx ... [-o DIR]
-- PASSES come before streamline, set-datatype(input=BINARY) for instance; '' for none. DIR gets compare.csv.
local rows, fps, passes = qcc.args[1], tonumber(qcc.args[2]), qcc.args[3]
assert(fps and qcc.args[5], "rows, a frame rate, passes and at least two models are wanted")

local function outputs_of(model)
	local info = model:info()
	return model:execute{ [info.inputs[1]] = rows }[info.outputs[1]]
end

-- What a network decides for each row: the place of the largest element; where there is but one, whether it is positive.
local function decisions(y)
	local width = y.shape[#y.shape]
	local classes = {}
	for first = 1, #y, width do
		local best = first
		for i = first + 1, first + width - 1 do
			if y[i] > y[best] then
				best = i
			end
		end
		classes[#classes + 1] = width == 1 and y[first] > 0 or best - first
	end
	return classes
end

local lines = { { "model", "weight bits", "cycles", "LUT", "BRAM_18K", "largest difference", "decided otherwise" } }
local first, first_classes
for i = 4, #qcc.args do
	local model = qcc.load(qcc.args[i])
	local y = outputs_of(model)
	local classes = decisions(y)
	first, first_classes = first or y, first_classes or classes
	assert(#y == #first, qcc.args[i] .. " has outputs of another size than " .. qcc.args[4])
	local difference, otherwise = 0, 0
	for k = 1, #y do
		difference = math.max(difference, math.abs(y[k] - first[k]))
	end
	for k = 1, #classes do
		otherwise = otherwise + (classes[k] == first_classes[k] and 0 or 1)
	end

	if passes then
		model:run(passes)
	end
	model:run("streamline,fold", { target_fps = fps })
	local passes = model:info().passes
	local network = passes[#passes].network
	lines[#lines + 1] = { qcc.args[i], network.weight_bits, network.cycles, network.LUT, network.BRAM_18K, difference, otherwise }
end

for _, line in ipairs(lines) do
	print(table.concat(line, "\t"))
end
print("table: " .. qcc.write("compare.csv", lines))

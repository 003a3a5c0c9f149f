-- Folds a network for several frame rates, and writes what each costs as a table and as a picture:
--     qcc --script scripts/flows/sweep.lua model.onnx [PASSES] [-o DIR]
-- PASSES come before fold, set-datatype(input=BINARY) for instance. DIR gets sweep.csv and sweep.svg.
local path, passes = qcc.args[1], qcc.args[2]
assert(path, "which model?")
local original = qcc.load(path)
if passes then
	original:run(passes)
end
original:run("streamline")

-- One row for each target: what was asked for, what it became.
local rows = { { "target_fps", "frames_per_second", "cycles", "LUT", "BRAM_18K" } }
for exponent = 6, 14 do
	local target = 10 ^ (exponent / 2)
	local model = original:clone()
	model:run("fold", { target_fps = target })
	local report = model:info().passes
	local network = report[#report].network
	rows[#rows + 1] = { math.floor(target + 0.5), network.fps, network.cycles, network.LUT, network.BRAM_18K }
	print(string.format("%10.0f frames a second: %8d cycles, %8d LUT", target, network.cycles, network.LUT))
end
print("table: " .. qcc.write("sweep.csv", rows))

-- LUTs over frames a second, both logarithmic.
local width, height, margin = 640, 400, 60
local function range(column)
	local low, high = math.huge, -math.huge
	for i = 2, #rows do
		local x = math.log(rows[i][column] + 1, 10)
		low, high = math.min(low, x), math.max(high, x)
	end
	return math.floor(low), math.ceil(high)
end
local x0, x1 = range(2)
local y0, y1 = range(4)
local function place(x, y)
	return margin + (x - x0) / (x1 - x0) * (width - 2 * margin), height - margin - (y - y0) / (y1 - y0) * (height - 2 * margin)
end

local svg = { string.format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">', width, height) }
local function add(format, ...)
	svg[#svg + 1] = string.format(format, ...)
end
add('<rect width="100%%" height="100%%" fill="white"/>')
for x = x0, x1 do
	local px, py = place(x, y0)
	add('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="middle">1e%d</text>', px, py, px, margin, px, py + 18, x)
end
for y = y0, y1 do
	local px, py = place(x0, y)
	add('<line x1="%.1f" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">1e%d</text>', px, py, width - margin, py, px - 6, py + 4, y)
end
local points = {}
for i = 2, #rows do
	local px, py = place(math.log(rows[i][2] + 1, 10), math.log(rows[i][4] + 1, 10))
	points[#points + 1] = string.format("%.1f,%.1f", px, py)
	add('<circle cx="%.1f" cy="%.1f" r="4" fill="#27b"/>', px, py)
end
add('<polyline points="%s" fill="none" stroke="#27b"/>', table.concat(points, " "))
add('<text x="%d" y="%d" text-anchor="middle">frames a second</text><text x="%d" y="30">LUT</text></svg>', width // 2, height - 14, margin)
print("picture: " .. qcc.write("sweep.svg", table.concat(svg, "\n") .. "\n"))

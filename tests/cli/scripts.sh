#!/bin/sh
# Lua scripts: the examples, and what the API promises.
. "$QCC_SRC/tests/lib.sh"

if lacks lua; then
	refuses "a qcc without Lua says so" "was built without Lua" "$QCC" --script "$QCC_SRC/scripts/flows/inspect.lua"
	finish
	exit
fi

model=$QCC_SRC/models/mlp_2w2a/model.onnx
flows=$QCC_SRC/scripts/flows

# script TEXT: into flow.lua
script() {
	printf '%s\n' "$1" >flow.lua
}

prints "example: inspect" '^MatMul\|^Gemm' "$QCC" --script "$flows/inspect.lua" "$model"
ok "example: step by step" "$QCC" --script "$flows/stepwise.lua" "$model" cleanup -o out
has "... writes a model" out/model.finn.onnx
prints "example: dry run" 'model.onnx: cleanup' "$QCC" --dry-run --script "$flows/stepwise.lua" "$model" cleanup -o dry
ok "... writes nothing" test ! -e dry

script 'print(#qcc.args, qcc.args[1], qcc.args[2], qcc.out)'
prints "arguments" '^2	a	b	here$' "$QCC" --script flow.lua a b -o here
script 'local m = qcc.load(qcc.args[1])
local n = 0
for node in m:nodes() do
	n = n + 1
	assert(node.op ~= "" and #node.outputs > 0)
	for _, name in ipairs(node.inputs) do assert(name == "" or m:value(name)) end
end
assert(n == m:count() and n == m:info().nodes)
print("ok")'
prints "nodes and values" '^ok$' "$QCC" --script flow.lua "$model"
script 'local m = qcc.load(qcc.args[1])
local status, message = pcall(m.run, m, "no-such-pass")
assert(not status and message:find("no%-such%-pass"))
print("ok")'
prints "errors can be caught" '^ok$' "$QCC" --script flow.lua "$model"
script 'local m = qcc.load(qcc.args[1])
m:run("cleanup")
m:run("infer,cleanup")
m:write("w.onnx")
print("ok")'
prints "run and write" '^ok$' "$QCC" --script flow.lua "$model"
has "... the file" w.onnx
script 'local m = qcc.load(qcc.args[1])
local first
for node in m:nodes() do first = first or node end
m:run("cleanup")
print(first.op)'
refuses "a node taken before run()" "flow.lua:5.*before a run" "$QCC" --script flow.lua "$model"
script 'net = qcc.load("net.onnxtxt")
local y = net:execute{ x = { 1, 2 } }.y
assert(y[1] == 7 and y[2] == 10 and y.shape[1] == 1 and y.shape[2] == 2)
local w = net:value("w")
assert(w.is_const and w.min == 1 and w.max == 4 and w.shape[1] == 2)
assert(net:value("nothing") == nil)
for n in net:nodes() do assert(n:attr("axis") == nil) end
print("ok")'
printf '%s\n' 'net (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { y = MatMul(x, w) }' >net.onnxtxt
prints "execute" '^ok$' "$QCC" --script flow.lua
script 'assert(not io and not os and not package and not debug and not require and not dofile and not loadfile)
print("ok")'
prints "a closed world" '^ok$' "$QCC" --script flow.lua
script 'error({})'
refuses "an error that is no text" "table" "$QCC" --script flow.lua
finish

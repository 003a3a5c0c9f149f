#!/bin/sh
# Lua scripts: the examples, and what the API promises.
. "$QCC_SRC/tests/lib.sh"

if lacks lua; then
	refuses "a qcc without Lua says so" "was built without Lua" "$QCC" --script "$QCC_SRC/scripts/flows/inspect.lua"
	refuses "... at the prompt, too" "was built without Lua" "$QCC" -i
	finish
	exit
fi

model=$QCC_SRC/models/mlp_2w2a/model.onnx
cnn=$QCC_SRC/models/cnn_4w4a/model.onnx
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

ok "example: the steps of FINN's builder" "$QCC" --script "$flows/finn_builder.lua" "$cnn" 10000 -o builder
has "... the model after each step" builder/intermediate_models/04_step_convert_to_hw/model.finn.onnx
prints "... a table" '^step_set_fifo_depths,[1-9]' cat builder/steps.csv
ok "example: a sweep" "$QCC" --script "$flows/sweep.lua" "$model" 'set-datatype(input=BINARY)' -o sweep
prints "... a table" '^1000000,1041666' cat sweep/sweep.csv
prints "... a picture" '<polyline points="[0-9.]*,[0-9.]* ' cat sweep/sweep.svg
prints "example: a pass of one's own" '^MultiThreshold.*INT8' "$QCC" --script "$flows/custom_pass.lua" "$cnn" -o custom --verify
has "... the model" custom/model.finn.onnx
[ "$(sed -n '/^qcc.register_pass/,/^}/p' "$flows/custom_pass.lua" | wc -l)" -le 20 ] && pass "... in 20 lines" || fail "... in 20 lines"
script 'local m = qcc.load(qcc.args[1])
for n in m:nodes() do
	local bits = n.op == "Quant" and m:value(n.inputs[1]).is_const and m:initializer(n.inputs[4])
	if bits and bits[1] == 2 then m:set_initializer(n.inputs[4], 3) end
end
m:write("wide.onnx")'
ok "another quantisation of the same network" "$QCC" --script flow.lua "$model"
prints "example: two quantisations" '^wide.onnx	126336	' "$QCC" --script "$flows/compare.lua" "${model%model.onnx}input.npy" \
	100000 'set-datatype(input=BINARY)' "$model" wide.onnx -o compare
prints "... a table" 'model.onnx,84224,992,.*,0' cat compare/compare.csv

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

# ---- edits ----

script 'local m = qcc.load("net.onnxtxt")
local copy = m:clone()
m:set_initializer("two", 2)
local mul = m:insert{ op = "Mul", inputs = { "y", "two" }, name = "double" }
assert(mul.op == "Mul" and mul.name == "double" and m:replace_uses("y", mul.outputs[1]) == 1)
assert(m:execute{ x = { 1, 2 } }.y[1] == 14 and copy:execute{ x = { 1, 2 } }.y[1] == 7)
m:set_initializer("two", 3)
assert(m:execute{ x = { 1, 2 } }.y[2] == 30)
local add = m:replace(mul, { op = "Add" })
assert(m:execute{ x = { 1, 2 } }.y[1] == 10 and m:count() == 2)
add:set_input(2, "y")
assert(m:execute{ x = { 1, 2 } }.y[1] == 14)
m:remove(add, "y")
assert(m:count() == 1 and m:execute{ x = { 1, 2 } }.y[1] == 7)
local t = m:insert{ op = "Transpose", inputs = { "y" }, attrs = { perm = { 1, 0 } }, outputs = { "t" } }
assert(m:value("t").shape[1] == 2 and t:attr("perm")[1] == 1 and t:attrs().perm[2] == 0)
t:set_attr("perm", { 0, 1 })
assert(m:value("t").shape[1] == 1)
t:set_attr("perm")
assert(t:attr("perm") == nil and m:value("t").shape[1] == 2)
m:replace_uses("y", "t")
m:set_datatype("w", "UINT3")
assert(m:initializer("w")[3] == 3 and m:initializer("w").shape[2] == 2 and m:value("w").dtype == "UINT3")
for n in m:nodes() do
	if n.op == "Transpose" then m:remove(n, "y") end
end
m:run("cleanup")
assert(m:execute{ x = { 1, 2 } }.y[1] == 7)
print("ok")'
ok "edits" "$QCC" --script flow.lua

# Each line fails with the error below it, and leaves the network as it was.
cat >mistakes <<'END'
m:insert{ op = "Mull", inputs = { "x", "w" } }
there is no operator 'Mull'; did you mean 'Mul'?
m:insert{ op = "Mul", inputs = { "x" } }
node 'Mul' (Mul): has 1 inputs, takes 2 to 2
m:insert{ op = "MatMul", inputs = { "x", "x" } }
shapes of 'x' and 'x' do not multiply
m:insert{ op = "Mul", inputs = { "x", "ww" } }
there is no value 'ww'; did you mean 'w'?
m:insert{ op = "Mul", inputs = { "x", 3 } }
an input is a text, not a number
m:insert{ op = "Mul", inputs = { "x", "x" }, outputs = { "y" } }
there is a value 'y' already
m:insert{ op = "Mul", inputs = { "x", "x" }, outputs = 0 }
a node has 1 to 4096 outputs
m:insert{ op = "Relu", inputs = { "x" }, attrs = { a = print } }
attribute 'a' cannot be a function
m:insert{ op = "Relu", inputs = { "x" }, attr = { a = 1 } }
a new node has op, inputs, outputs, attrs, name, domain and before, not 'attr'
m:insert{ op = "Relu", inputs = { "y" }, before = product }
'y' is not computed yet before node
m:insert("Relu")
table expected, got string
product:set_input(1, "r")
'r' is computed from node 'y': reading it there would make a cycle
product:set_input(4, "x")
there is no such input
product:set_input(2, "x")
do not multiply
m:replace(product, { op = "MatMul", inputs = { "r", "w" } })
'r' is computed from node 'y': reading it there would make a cycle
m:remove(product)
output 'y' is read by node 'r'
m:remove(relu)
'r' is an output of the network
m:remove(relu, "r")
'r' is computed from node 'r': reading it there would make a cycle
m:remove(m:clone())
qcc.node expected, got qcc.model
other:remove(product)
this node is one of another model
product.op = "Mul"
nodes are changed by n:set_attr, n:set_input and m:replace
relu:set_attr("", 1)
an attribute has a name
relu:set_attr("a", { 1, "b" })
attribute 'a' is a list of numbers or a list of texts
relu:set_attr("axis", 1 << 40)
attribute 'axis' has an integer above 2^31 - 1
m:set_initializer("w", { 1, 2, 3, shape = { 3, 1 } })
do not multiply
m:set_initializer("w", { 1, 2, 3, shape = { 2, 2 } })
the shape is not that of 3 numbers
m:set_initializer("w", { 1, 2, 3, 0.5 }, "int8")
0.5 is no int8
m:set_initializer("y", 1)
'y' is no constant: it is computed, or an input
m:set_initializer("new", { 1, shape = { -1 } })
a shape is a list of integers, 0 or more
m:set_datatype("w", "INT2")
'w' holds 2.0, which is no INT2
m:set_datatype("y", "INT2")
the datatype of 'y' follows from the node that computes it
m:set_datatype("w", "INT")
there is no datatype 'INT'
qcc.register_pass{ name = "cleanup", run = print }
there is a pass 'cleanup' already
qcc.register_pass{ name = "mine" }
pass 'mine' needs run=function(m, options) ... end
qcc.register_pass{ name = "My pass", run = print }
a pass has a name of lower-case letters, digits and '-'
qcc.write("../x", "")
'../x' is no name of a file below the output folder
qcc.write("/tmp/x", "")
'/tmp/x' is no name of a file below the output folder
qcc.write("x", { 1 })
row 1 is no list
qcc.help("nothing")
there is nothing called 'nothing'
END
printf '%s\n' 'net (float[1,2] x) => (float[1,2] r) <float[2,2] w = {1,2,3,4}> { y = MatMul(x, w) r = Relu(y) }' >net2.onnxtxt
while IFS= read -r line && IFS= read -r expected; do
	script "m, other = qcc.load('net2.onnxtxt'), qcc.load('net2.onnxtxt')
for n in m:nodes() do if n.op == 'Relu' then relu = n else product = n end end
local status, message = pcall(function() $line end)
assert(not status)
assert(m:count() == 2 and m:execute{ x = { 1, 2 } }.r[2] == 10, 'the network has changed')
m:run('cleanup')
error(message, 0)"
	if "$QCC" --script flow.lua >.stdout 2>.stderr; then
		fail "$line" "no error"
	elif [ "$(wc -l <.stderr)" -eq 1 ] && grep -q -F -e "$expected" .stderr; then
		pass "$line"
	else
		fail "$line" "no '$expected' in: $(cat .stderr)"
	fi
done <mistakes
script 'local m = qcc.load("net2.onnxtxt")
local nodes = {}
for n in m:nodes() do nodes[#nodes + 1] = n end
m:remove(nodes[2], "y")
print(nodes[2].op)'
refuses "a removed node" "flow.lua:5: this node was removed" "$QCC" --script flow.lua
script 'local m = qcc.load("net2.onnxtxt")
while true do m:insert{ op = "Relu", inputs = { "x" } } end'
refuses "edits without end" "not enough memory" "$QCC" --script flow.lua --max-memory 16M

# ---- passes of scripts ----

script 'local m = qcc.load("net.onnxtxt")
qcc.register_pass{ name = "double", options = { by = 2, twice = false, how = "Mul" }, changes_function = true, run = function(m, o)
	for n in m:nodes() do
		if n.op == "MatMul" then
			m:set_initializer("by", o.twice and o.by * 2 or o.by)
			m:replace_uses(n.outputs[1], m:insert{ op = o.how, inputs = { n.outputs[1], "by" } }.outputs[1])
		end
	end
	m:run("infer")
end }
assert(m:run("infer,double(by=5,twice),cleanup") > 0)
assert(m:execute{ x = { 1, 2 } }.y[1] == 70)
assert(m:info().passes[2].pass == "double" and m:info().passes[2].options.by == "5")
print("ok")'
prints "a pass of the script" '^ok$' "$QCC" --script flow.lua --verify
script 'qcc.register_pass{ name = "own", options = { by = 2 }, run = print }
qcc.load("net.onnxtxt"):run("own(by=5),cleanup")'
prints "... in a dry run" 'net.onnxtxt: own(by=5),cleanup' "$QCC" --script flow.lua --dry-run
script 'local m = qcc.load("net.onnxtxt")
qcc.register_pass{ name = "wrong", run = function(m) m:insert{ op = "Mul", inputs = { "x" } } end }
m:run("wrong")'
refuses "a pass of the script that fails" "flow.lua:3: pass wrong: .*has 1 inputs, takes 2 to 2" "$QCC" --script flow.lua
script 'local m = qcc.load("net.onnxtxt")
qcc.register_pass{ name = "half", run = function(m)
	m:set_initializer("h", 0.5)
	m:replace_uses("y", m:insert{ op = "Mul", inputs = { "y", "h" } }.outputs[1])
end }
m:run("half")'
refuses "a pass of the script that changes outputs" "pass half: changes output 'y'" "$QCC" --script flow.lua --verify
script 'local m = qcc.load("net.onnxtxt")
qcc.register_pass{ name = "again", run = function(m) m:run("again") end }
m:run("again")'
refuses "a pass of the script that runs itself" "." "$QCC" --script flow.lua

# ---- output ----

script 'qcc.log("by the way")
qcc.log("look out", "warning")
print(qcc.write("tables/t.csv", { { "a", "b" }, { 1, "x, \"y\"" } }), qcc.write("note.txt", "hello"))'
prints "files" '^dir/tables/t.csv	dir/note.txt$' "$QCC" --script flow.lua -o dir
printf 'a,b\n1,"x, ""y"""\n' >want.csv
ok "... as they were meant" cmp want.csv dir/tables/t.csv
"$QCC" --script flow.lua -v -o dir 2>messages >/dev/null
printf 'qcc: note: by the way\nqcc: warning: look out\n' >want
ok "messages" cmp want messages

# ---- the prompt ----

printf '%s\n' 'm:count()' 'm:nope()' 'for i = 1, 2 do' 'x = i' 'end' 'x, "two"' 'm:run("nope")' 'x + 1' >lines
"$QCC" -i net2.onnxtxt <lines >answers 2>messages
printf '2\n2\ttwo\n3\n' >want
ok "the prompt runs lines" cmp want answers
prints "... and goes on behind errors" "^qcc: error: prompt:1: there is no pass 'nope'" cat messages
script 'y = 5'
printf 'y + #qcc.args\n' >lines
prints "the prompt behind a script" '^6$' sh -c '"$1" --script flow.lua -i argument <lines' sh "$QCC"
prints "the reference" 'm:insert{op=' "$QCC" help lua

# Keys as somebody types them, in a terminal.
cat >keys.py <<'END'
import os, pty, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[1], [sys.argv[1], "-i", "net2.onnxtxt"])
seen = b""
def expect(text, seconds=10):
    global seen
    end = time.monotonic() + seconds
    while text not in seen:
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"no {text!r} in {seen!r}")
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            sys.exit(f"ended, no {text!r} in {seen!r}")
    seen = seen[seen.index(text) + len(text):]
for keys, text in ((b"", b"> "), (b"m:cou\t", b"nt"), (b"()\n", b"2\r\n"), (b"qcc.reg\t", b"ister_pass"), (b" ~= nil\n", b"true"),
                   (b"qcc.l\t\t", b"load"), (b"\x15m:run(\"clea\t", b"nup"), (b"\")\n", b"\r\n"), (b"", b"> "), (b"\x1b[A\n", b"clean"), (b"", b"\r\n"), (b"", b"> ")):
    os.write(terminal, keys)
    expect(text)
end = time.monotonic() + 30
press = 0
while os.waitpid(child, os.WNOHANG) == (0, 0):
    if time.monotonic() > end:
        os.kill(child, 9)
        sys.exit("does not end")
    try:
        if time.monotonic() > press: # the end of an empty line; where it came before the prompt read keys again, it stands in the line
            press = time.monotonic() + 1
            os.write(terminal, b"\x15\x04")
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 4096)
    except OSError: # it has gone
        pass
END
if ! command -v python3 >/dev/null; then
	skip "completion at the prompt" "there is no python3"
elif ! grep -q -a libedit.so "$QCC"; then
	skip "completion at the prompt" "built without libedit's header"
elif sanitized; then
	skip "completion at the prompt" "libedit allocates what it never frees"
else
	ok "completion at the prompt" python3 keys.py "$QCC"
fi
finish

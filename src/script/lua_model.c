/* Models in Lua: qcc.load and the methods that run passes, count, and write. */
#include "script/lua_model.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "ops/op.h"
#include "pipeline/verifier.h"
#include "util/file.h"
#include "util/limits.h"

enum { NODE_BYTES = 1024 }; /* what a node of a copy takes, about */

static int64_t bytes_at_most(const struct script *s)
{
	return s->diags->limits && s->diags->limits->memory ? s->diags->limits->memory : LUA_BYTES_AT_MOST;
}

void lua_charge(lua_State *L, struct lua_model *m, int64_t bytes)
{
	struct script *s = script_of(L);
	if (s->bytes + bytes > bytes_at_most(s))
		lua_gc(L, LUA_GCCOLLECT); /* models that nobody has any more */
	if (s->bytes + bytes > bytes_at_most(s))
		luaL_error(L, "not enough memory; allow more with --max-memory");
	s->bytes += bytes;
	m->charged += bytes;
}

const char *lua_check_text(lua_State *L, int i, const char *what)
{
	size_t n;
	if (lua_type(L, i) != LUA_TSTRING)
		luaL_error(L, "%s is a text, not a %s", what, luaL_typename(L, i));
	const char *text = lua_tolstring(L, i, &n);
	if (strlen(text) != n)
		luaL_error(L, "%s has a zero byte", what);
	return text;
}

static struct lua_model *new_model(lua_State *L)
{
	struct script *s = script_of(L);
	struct lua_model *m = lua_newuserdatauv(L, sizeof *m, 0);
	*m = (struct lua_model){ .script = s };
	luaL_setmetatable(L, LUA_MODEL);
	return m;
}

int lua_model_load(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct lua_model *m = new_model(L);
	struct diags d = { .file = path, .limits = m->script->diags->limits };
	m->file = xstrdup(path);
	m->report = json_array();
	m->graph = graph_read(path, &d);
	if (m->graph)
		graph_mark_sources(m->graph);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	return 1;
}

int lua_model_clone(lua_State *L)
{
	const struct lua_model *m = check_model(L, 1);
	struct lua_model *copy = new_model(L);
	lua_charge(L, copy, NODE_BYTES * ((int64_t)m->graph->n_nodes + 8));
	copy->file = xstrdup(m->file);
	copy->report = json_deep_copy(m->report);
	copy->graph = graph_copy(m->graph);
	return 1;
}

/* What it ran is kept for --dry-run. */
static int model_gc(lua_State *L)
{
	struct lua_model *m = luaL_checkudata(L, 1, LUA_MODEL);
	if (m->graph)
		graph_free(m->graph);
	if (m->script && m->ran.length)
		strbuf_printf(&m->script->ran, "%s: %s\n", m->file, m->ran.text);
	if (m->script)
		m->script->bytes -= m->charged;
	verifier_free(m->verifier);
	json_decref(m->report);
	strbuf_free(&m->ran);
	free(m->file);
	*m = (struct lua_model){ .generation = m->generation + 1 };
	return 0;
}

/* run("a,b(x=1)") or run("a", {x=1, flag=true}): the list as text, malloc'd. The table was checked. */
static void add_option(lua_State *L, struct strbuf *b, bool first)
{
	lua_pushvalue(L, -2); /* a copy: converting the key itself would confuse lua_next */
	strbuf_printf(b, "%s'%s'", first ? "(" : ",", lua_tostring(L, -1));
	lua_pop(L, 1);
	if (lua_isboolean(L, -1)) {
		strbuf_puts(b, lua_toboolean(L, -1) ? "=yes" : "=no");
		return;
	}
	lua_pushvalue(L, -1);
	const char *value = lua_tostring(L, -1);
	strbuf_printf(b, strchr(value, '\'') ? "=\"%s\"" : "='%s'", value);
	lua_pop(L, 1);
}

static void check_options(lua_State *L, int table)
{
	luaL_checktype(L, table, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "options are written as {name=value}");
		if (!lua_isstring(L, -1) && !lua_isboolean(L, -1))
			luaL_error(L, "option '%s' is neither text, number nor boolean", lua_tostring(L, -2));
	}
}

static char *list_text(lua_State *L)
{
	struct strbuf b = { 0 };
	bool first = true;
	if (!lua_isnoneornil(L, 2))
		strbuf_puts(&b, lua_tostring(L, 2));
	if (lua_istable(L, 3))
		for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
			add_option(L, &b, first);
			first = false;
		}
	strbuf_puts(&b, first ? "" : ")");
	return b.text;
}

static void record(struct lua_model *m, const struct pipeline *p)
{
	char *text = pipeline_print(p);
	strbuf_printf(&m->ran, "%s%s", m->ran.length ? "," : "", text);
	free(text);
}

static void run_passes(lua_State *L, struct lua_model *m, const struct pipeline *p, const struct pass_set *more,
		       struct diags *d)
{
	struct script *s = m->script;
	struct pipeline_options o = s->pipeline;
	lua_State *outer = s->running;
	if (!m->verifier && (o.verify_samples > 0 || o.verify_file))
		m->verifier = verifier_new(m->graph, o.verify_samples, o.verify_file, d);
	o.verifier = m->verifier;
	o.more = more;
	s->running = L;
	if (!d->errors)
		pipeline_run(p, m->graph, &o, m->report, d);
	s->running = outer;
	m->generation++;
}

/* Within a pass of the script's own: the driver that runs it takes the list. */
static lua_Integer run_inside(lua_State *L, struct lua_model *m, const char *list)
{
	size_t before = m->inside->changes;
	lua_State *outer = m->script->running;
	m->script->running = L;
	pass_run_list(m->inside, list);
	m->script->running = outer;
	m->generation++;
	return (lua_Integer)(m->inside->changes - before);
}

static size_t changes_since(const struct lua_model *m, size_t first)
{
	size_t changes = 0;
	for (size_t i = first; i < json_array_size(m->report); i++)
		changes += (size_t)json_integer_value(json_object_get(json_array_get(m->report, i), "changes"));
	return changes;
}

/* m:run(list [, options]): the number of changes. */
static int model_run(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	luaL_checkstring(L, 2);
	if (!lua_isnoneornil(L, 3))
		check_options(L, 3);
	struct diags d = { .file = m->file, .limits = m->script->diags->limits };
	struct pass_set more = lua_pass_set(m->script);
	struct pipeline p;
	char *text = list_text(L);
	size_t before = json_array_size(m->report);
	lua_Integer inside = 0;
	if (pipeline_parse_with(&p, text, &more, &d) == 0) {
		if (!m->inside)
			record(m, &p);
		if (m->inside)
			inside = run_inside(L, m, text);
		else if (!m->script->options->dry_run)
			run_passes(L, m, &p, &more, &d);
	}
	pipeline_free(&p);
	free(text);
	free(more.items);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	if (m->inside && m->inside->diags->errors)
		return luaL_error(L, "a pass that this pass runs failed");
	lua_pushinteger(L, m->inside ? inside : (lua_Integer)changes_since(m, before));
	return 1;
}

/* m:count([op]) */
static int model_count(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	const char *op = luaL_optstring(L, 2, NULL);
	lua_Integer count = 0;
	graph_for_each_node (m->graph, n)
		count += !op || !strcmp(n->op_type, op);
	lua_pushinteger(L, count);
	return 1;
}

/* A table of what the keys of JSON objects are; for report entries. */
static void push_json(lua_State *L, const json_t *j)
{
	size_t i;
	const char *key;
	json_t *item;
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		lua_newtable(L);
		json_object_foreach((json_t *)(uintptr_t)j, key, item)
		{
			push_json(L, item);
			lua_setfield(L, -2, key);
		}
		break;
	case JSON_ARRAY:
		lua_newtable(L);
		json_array_foreach(j, i, item)
		{
			push_json(L, item);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		break;
	case JSON_STRING: lua_pushstring(L, json_string_value(j)); break;
	case JSON_INTEGER: lua_pushinteger(L, json_integer_value(j)); break;
	case JSON_REAL: lua_pushnumber(L, json_real_value(j)); break;
	case JSON_NULL: lua_pushnil(L); break;
	default: lua_pushboolean(L, json_is_true(j));
	}
}

static void set_names(lua_State *L, const struct graph *g)
{
	lua_Integer k = 0;
	lua_newtable(L);
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i])) {
			lua_pushstring(L, g->inputs[i]->name);
			lua_rawseti(L, -2, ++k);
		}
	lua_setfield(L, -2, "inputs");
	lua_newtable(L);
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		lua_pushstring(L, g->output_names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "outputs");
}

static void set_operators(lua_State *L, const struct graph *g)
{
	int64_t macs = 0;
	lua_newtable(L);
	graph_for_each_node (g, n) {
		lua_getfield(L, -1, n->op_type);
		lua_pushinteger(L, lua_tointeger(L, -1) + 1);
		lua_setfield(L, -3, n->op_type);
		lua_pop(L, 1);
		int64_t own = n->op && n->op->macs ? n->op->macs(n) : 0;
		macs += own > 0 ? own : 0;
	}
	lua_setfield(L, -2, "operators");
	lua_pushinteger(L, macs);
	lua_setfield(L, -2, "macs");
}

/* m:info(): name, nodes, inputs, outputs (names), operators (counts), macs, passes (the report so far). */
static int model_info(lua_State *L)
{
	const struct lua_model *m = check_model(L, 1);
	lua_newtable(L);
	lua_pushstring(L, m->graph->name ? m->graph->name : "");
	lua_setfield(L, -2, "name");
	lua_pushinteger(L, (lua_Integer)m->graph->n_nodes);
	lua_setfield(L, -2, "nodes");
	set_names(L, m->graph);
	set_operators(L, m->graph);
	push_json(L, m->report);
	lua_setfield(L, -2, "passes");
	return 1;
}

/* m:emit(backends, dir) */
static int model_emit(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	const char *text = luaL_checkstring(L, 2), *dir = luaL_optstring(L, 3, m->script->options->dir);
	struct diags d = { .file = m->file, .limits = m->script->diags->limits };
	struct backend_list l;
	struct report *report = report_new(m->file);
	json_array_extend(report->passes, m->report);
	report_infer(m->graph);
	report_describe(report, m->graph);
	if (backend_list_parse(&l, text, &d) == 0 && !m->script->options->dry_run)
		backend_list_emit_to(&l, m->graph, dir, report, &d);
	backend_list_free(&l);
	push_json(L, report->backends);
	report_free(report);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	return 1;
}

/* m:write(path) */
static int model_write(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	const char *path = luaL_checkstring(L, 2);
	struct diags d = { .file = m->file, .limits = m->script->diags->limits };
	if (!m->script->options->dry_run)
		graph_write(m->graph, path, &d);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	return 0;
}

const struct lua_function lua_model_functions[] = {
	{ "clone", "m:clone()", "A copy that goes its own way.", lua_model_clone },
	{ "count", "m:count([op])", "How many nodes there are, of one operator or of all.", model_count },
	{ "emit", "m:emit(backends [, folder])",
	  "Writes through backends, as -b does, into the output folder or another one. What they report, as a table.",
	  model_emit },
	{ "execute", "m:execute{input=...}",
	  "Computes the outputs. Inputs are names of .npy files or flat lists of numbers; outputs are lists with their shape.",
	  lua_model_execute },
	{ "info", "m:info()",
	  "A table: name, nodes, inputs and outputs (names), operators (how many of each), macs, passes (as in report.json).",
	  model_info },
	{ "initializer", "m:initializer(value)",
	  "The elements of a constant as a list with its shape; nil where it is none.", lua_model_initializer },
	{ "insert", "m:insert{op=, inputs={...}, ...}",
	  "A new node, which is returned. inputs are names of values (\"\" for one left out); outputs a number of new values "
	  "(1) or their names; attrs a table of attributes; name, domain; before a node in front of which it is to stand.",
	  lua_model_insert },
	{ "nodes", "m:nodes()",
	  "for n in m:nodes() do: all nodes in the order of execution, as they are when the loop begins.",
	  lua_model_nodes },
	{ "remove", "m:remove(node [, value])",
	  "Takes a node out. Nothing may read it any more, unless a value is named that its readers get in its place.",
	  lua_model_remove },
	{ "replace", "m:replace(node, {op=, ...})",
	  "Another node in the place of one, with the same names of outputs; what is given is as for m:insert, inputs are those "
	  "of the old node where they are not. The new node.",
	  lua_model_replace },
	{ "replace_uses", "m:replace_uses(value, other)",
	  "What reads a value (or gives it out) gets another one, but for the nodes that the other one is computed from. How many "
	  "uses that were.",
	  lua_model_replace_uses },
	{ "run", "m:run(passes [, options])",
	  "Runs passes, as -p does; options (a table) are those of the last pass. The number of changes.", model_run },
	{ "set_datatype", "m:set_datatype(value, datatype)",
	  "What numbers an input or a constant holds: \"INT4\", \"BIPOLAR\".", lua_model_set_datatype },
	{ "set_initializer", "m:set_initializer(value, numbers [, type])",
	  "Sets a constant, or makes a new one, to a number or a list, whose field shape is its shape; type is float, int8, int64 "
	  "and so on. Without them shape and type stay as they were.",
	  lua_model_set_initializer },
	{ "value", "m:value(name)",
	  "A table: dtype, elem, shape (-1 where an axis is not known), is_const, min, max; nil where there is none of that name.",
	  lua_model_value },
	{ "write", "m:write(path)", "Writes an ONNX file.", model_write },
	{ NULL, NULL, NULL, NULL },
};

void lua_register_model(lua_State *L)
{
	luaL_newmetatable(L, LUA_MODEL);
	lua_newtable(L);
	lua_add_functions(L, lua_model_functions);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, model_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushboolean(L, 0); /* getmetatable gives this: __gc is not to be called by scripts */
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

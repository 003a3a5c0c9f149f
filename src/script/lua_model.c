/* Models in Lua: qcc.load and the methods that run passes, count, and write. */
#include "script/lua_model.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "ops/op.h"
#include "pipeline/verifier.h"
#include "util/file.h"

int lua_model_load(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct script *s = script_of(L);
	struct lua_model *m = lua_newuserdatauv(L, sizeof *m, 0);
	*m = (struct lua_model){ .script = s };
	luaL_setmetatable(L, LUA_MODEL);
	struct diags d = { .file = path, .limits = s->diags->limits };
	m->file = xstrdup(path);
	m->report = json_array();
	m->graph = graph_read(path, &d);
	if (m->graph)
		graph_mark_sources(m->graph);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
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

static void run_passes(struct lua_model *m, const struct pipeline *p, struct diags *d)
{
	struct pipeline_options *o = &m->script->pipeline;
	if (!m->verifier && (o->verify_samples > 0 || o->verify_file))
		m->verifier = verifier_new(m->graph, o->verify_samples, o->verify_file, d);
	o->verifier = m->verifier;
	if (!d->errors)
		pipeline_run(p, m->graph, o, m->report, d);
	m->generation++;
}

/* m:run(list [, options]): the number of changes. */
static int model_run(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	luaL_checkstring(L, 2);
	if (!lua_isnoneornil(L, 3))
		check_options(L, 3);
	struct diags d = { .file = m->file, .limits = m->script->diags->limits };
	struct pipeline p;
	char *text = list_text(L);
	size_t before = json_array_size(m->report), changes = 0;
	if (pipeline_parse(&p, text, &d) == 0) {
		record(m, &p);
		if (!m->script->options->dry_run)
			run_passes(m, &p, &d);
	}
	pipeline_free(&p);
	free(text);
	for (size_t i = before; i < json_array_size(m->report); i++)
		changes += (size_t)json_integer_value(json_object_get(json_array_get(m->report, i), "changes"));
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	lua_pushinteger(L, (lua_Integer)changes);
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

static const luaL_Reg model_methods[] = {
	{ "count", model_count },     { "emit", model_emit },	    { "execute", lua_model_execute },
	{ "info", model_info },	      { "nodes", lua_model_nodes }, { "run", model_run },
	{ "value", lua_model_value }, { "write", model_write },	    { NULL, NULL },
};

void lua_register_model(lua_State *L)
{
	luaL_newmetatable(L, LUA_MODEL);
	luaL_newlib(L, model_methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, model_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushboolean(L, 0); /* getmetatable gives this: __gc is not to be called by scripts */
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

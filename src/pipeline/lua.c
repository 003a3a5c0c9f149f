/* Lua, embedded: qcc.load, and the methods of models, nodes and values. Without io, os, package, debug and what loads
 * other files: a script computes, the passes and backends do the rest.
 *
 * Errors of passes are raised as Lua errors with the text of the diagnostics, so that a script may catch them; those it
 * does not catch end it and become diagnostics again. No C memory may be held when an error is raised. */
#include "pipeline/script.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "ops/op.h"
#include "exec/exec.h"
#include "pipeline/feed.h"
#include "pipeline/verifier.h"
#include "util/file.h"
#include "util/strbuf.h"

#define MODEL "qcc.model"
#define NODE "qcc.node"

struct script {
	const struct script_options *options;
	struct pipeline_options pipeline;
	size_t dumps;
	struct diags *diags;
	struct strbuf ran;
};

struct model {
	struct graph *graph;
	struct script *script;
	json_t *report;
	struct verifier *verifier;
	char *file;
	struct strbuf ran;
	lua_Integer generation;		/* a node taken before a run() may be gone */
};

/* Its user value 1 is the model, which it keeps alive. */
struct node_ref {
	struct model *model;
	struct node *node;
	lua_Integer generation;
};

static struct model *check_model(lua_State *L, int i)
{
	return luaL_checkudata(L, i, MODEL);
}

static struct script *script_of(lua_State *L)
{
	return *(struct script **)lua_getextraspace(L);
}

/* ---- errors ---- */

/* The diagnostic without file and severity: the script adds its own place. */
static void add_error(struct strbuf *b, const struct diag *diag)
{
	if (b->length)
		strbuf_puts(b, "\n");
	if (diag->node)
		strbuf_printf(b, "node '%s' (%s): ", diag->node, diag->op);
	if (diag->pass)
		strbuf_printf(b, "pass %s: ", diag->pass);
	strbuf_puts(b, diag->cause);
	if (diag->remedy)
		strbuf_printf(b, "; %s", diag->remedy);
}

/* Hands notes and warnings on to the script's diagnostics. Where there were errors, pushes their text, a line each,
 * and returns true: the caller frees what it holds and calls raise. */
static bool push_errors(lua_State *L, struct diags *d)
{
	struct strbuf text = { 0 };
	for (const struct diag *diag = d->first; diag; diag = diag->next) {
		struct strbuf note = { 0 };
		if (diag->severity == DIAG_ERROR) {
			add_error(&text, diag);
			continue;
		}
		add_error(&note, diag);
		diag_note(script_of(L)->diags, diag->severity, NULL, NULL, "%s", note.text);
		strbuf_free(&note);
	}
	bool failed = d->errors > 0;
	if (failed)
		lua_pushlstring(L, strbuf_text(&text), text.length);
	strbuf_free(&text);
	diags_free(d);
	return failed;
}

/* Raises the text on the stack, each line of it with the place in the script. */
static int raise(lua_State *L)
{
	int text = lua_gettop(L);
	luaL_where(L, 1);
	const char *where = lua_tostring(L, text + 1);
	const char *between = lua_pushfstring(L, "\n%s", where);
	lua_pushvalue(L, text + 1);
	luaL_gsub(L, lua_tostring(L, text), "\n", between);
	lua_concat(L, 2);
	return lua_error(L);
}

/* ---- models ---- */

static int model_load(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct script *s = script_of(L);
	struct model *m = lua_newuserdatauv(L, sizeof *m, 0);
	*m = (struct model){ .script = s };
	luaL_setmetatable(L, MODEL);
	struct diags d = { .file = path };
	m->file = xstrdup(path);
	m->report = json_array();
	m->graph = graph_read(path, &d);
	if (push_errors(L, &d))
		return raise(L);
	return 1;
}

/* What it ran is kept for --dry-run. */
static int model_gc(lua_State *L)
{
	struct model *m = check_model(L, 1);
	if (m->graph)
		graph_free(m->graph);
	if (m->ran.length)
		strbuf_printf(&m->script->ran, "%s: %s\n", m->file, m->ran.text);
	verifier_free(m->verifier);
	json_decref(m->report);
	strbuf_free(&m->ran);
	free(m->file);
	*m = (struct model){ 0 };
	return 0;
}

/* run("a,b(x=1)") or run("a", {x=1, flag=true}): the list as text, malloc'd. The table was checked. */
static void add_option(lua_State *L, struct strbuf *b, bool first)
{
	lua_pushvalue(L, -2);		/* a copy: converting the key itself would confuse lua_next */
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

static void record(struct model *m, const struct pipeline *p)
{
	char *text = pipeline_print(p);
	strbuf_printf(&m->ran, "%s%s", m->ran.length ? "," : "", text);
	free(text);
}

static void run_passes(struct model *m, const struct pipeline *p, struct diags *d)
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
	struct model *m = check_model(L, 1);
	luaL_checkstring(L, 2);
	if (!lua_isnoneornil(L, 3))
		check_options(L, 3);
	struct diags d = { .file = m->file };
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
	if (push_errors(L, &d))
		return raise(L);
	lua_pushinteger(L, (lua_Integer)changes);
	return 1;
}

/* m:count([op]) */
static int model_count(lua_State *L)
{
	struct model *m = check_model(L, 1);
	const char *op = luaL_optstring(L, 2, NULL);
	lua_Integer count = 0;
	graph_for_each_node(m->graph, n)
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
		json_object_foreach((json_t *)(uintptr_t)j, key, item) {
			push_json(L, item);
			lua_setfield(L, -2, key);
		}
		break;
	case JSON_ARRAY:
		lua_newtable(L);
		json_array_foreach(j, i, item) {
			push_json(L, item);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		break;
	case JSON_STRING:
		lua_pushstring(L, json_string_value(j));
		break;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(j));
		break;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(j));
		break;
	case JSON_NULL:
		lua_pushnil(L);
		break;
	default:
		lua_pushboolean(L, json_is_true(j));
	}
}

static void push_value_name(lua_State *L, const struct value *v, lua_Integer i)
{
	lua_pushstring(L, v ? v->name : "");
	lua_rawseti(L, -2, i);
}

/* m:info(): name, nodes, inputs, outputs (names), operators (counts), macs, passes (the report so far). */
static int model_info(lua_State *L)
{
	const struct model *m = check_model(L, 1);
	const struct graph *g = m->graph;
	int64_t macs = 0;
	lua_newtable(L);
	lua_pushstring(L, g->name ? g->name : "");
	lua_setfield(L, -2, "name");
	lua_pushinteger(L, (lua_Integer)g->n_nodes);
	lua_setfield(L, -2, "nodes");
	lua_newtable(L);
	for (uint32_t i = 0, k = 1; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i]))
			push_value_name(L, g->inputs[i], k++);
	lua_setfield(L, -2, "inputs");
	lua_newtable(L);
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		lua_pushstring(L, g->output_names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "outputs");
	lua_newtable(L);
	graph_for_each_node(g, n) {
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
	push_json(L, m->report);
	lua_setfield(L, -2, "passes");
	return 1;
}

static void set_bounds(lua_State *L, const struct value *v)
{
	double lo, hi;
	bool known = true;
	if (v->constant && v->constant->elem != ELEM_STRING && v->constant->count)
		tensor_min_max(v->constant, &lo, &hi);
	else if (v->range)
		lo = (double)v->range->lo, hi = (double)v->range->hi;
	else if (datatype_is_integer(v->datatype))
		lo = datatype_min(v->datatype), hi = datatype_max(v->datatype);
	else
		known = false;
	if (!known)
		return;
	lua_pushnumber(L, lo);
	lua_setfield(L, -2, "min");
	lua_pushnumber(L, hi);
	lua_setfield(L, -2, "max");
}

/* m:value(name): {dtype, elem, shape, is_const, min, max}; nil where there is none. Unknown dims are -1. */
static int model_value(lua_State *L)
{
	struct model *m = check_model(L, 1);
	const struct value *v = graph_value(m->graph, luaL_checkstring(L, 2));
	char name[DATATYPE_NAME_SIZE];
	if (!v) {
		lua_pushnil(L);
		return 1;
	}
	lua_newtable(L);
	lua_pushstring(L, datatype_name(v->datatype, name));
	lua_setfield(L, -2, "dtype");
	lua_pushstring(L, elem_name(v->elem));
	lua_setfield(L, -2, "elem");
	lua_pushboolean(L, value_is_constant(v));
	lua_setfield(L, -2, "is_const");
	if (v->rank >= 0) {
		lua_newtable(L);
		for (int k = 0; k < v->rank; k++) {
			lua_pushinteger(L, v->dims[k]);
			lua_rawseti(L, -2, k + 1);
		}
		lua_setfield(L, -2, "shape");
	}
	set_bounds(L, v);
	return 1;
}

/* m:emit(backends, dir) */
static int model_emit(lua_State *L)
{
	struct model *m = check_model(L, 1);
	const char *text = luaL_checkstring(L, 2), *dir = luaL_optstring(L, 3, m->script->options->dir);
	const char *slash = strrchr(m->file, '/');
	struct diags d = { .file = m->file };
	struct backend_list l;
	json_t *report = json_object();
	if (backend_list_parse(&l, text, &d) == 0 && !m->script->options->dry_run && dir_make(dir, &d) == 0)
		backend_list_emit(&l, m->graph, dir, slash ? slash + 1 : m->file, report, &d);
	backend_list_free(&l);
	push_json(L, report);
	json_decref(report);
	if (push_errors(L, &d))
		return raise(L);
	return 1;
}

/* m:write(path) */
static int model_write(lua_State *L)
{
	struct model *m = check_model(L, 1);
	const char *path = luaL_checkstring(L, 2);
	struct diags d = { .file = m->file };
	if (!m->script->options->dry_run)
		graph_write(m->graph, path, &d);
	if (push_errors(L, &d))
		return raise(L);
	return 0;
}

/* ---- execution ---- */

static void push_tensor(lua_State *L, const struct tensor *t)
{
	lua_createtable(L, t->count < 1 << 20 ? (int)t->count : 0, 1);
	for (int64_t i = 0; i < t->count; i++) {
		lua_pushnumber(L, tensor_at(t, i));
		lua_rawseti(L, -2, i + 1);
	}
	lua_newtable(L);
	for (int k = 0; k < t->rank; k++) {
		lua_pushinteger(L, t->dims[k]);
		lua_rawseti(L, -2, k + 1);
	}
	lua_setfield(L, -2, "shape");
}

/* A flat list of numbers, in the shape of the input; whole samples more along the first axis are fine. */
static struct tensor *tensor_from_list(lua_State *L, const struct value *v, struct diags *d)
{
	int64_t dims[MAX_RANK], count = (int64_t)lua_rawlen(L, -1), rest = 1;
	for (int k = 0; k < v->rank; k++) {
		dims[k] = v->dims[k];
		rest *= k ? dims[k] : 1;
	}
	if (v->rank > 0 && rest > 0)
		dims[0] = count / rest;
	struct tensor *t = v->rank >= 0 && rest > 0 ? tensor_new(v->elem, v->rank, dims) : NULL;
	if (!t || t->count != count) {
		diag_error(d, NULL, "input '%s' cannot be made of %lld numbers", v->name, (long long)count);
		tensor_unref(t);
		return NULL;
	}
	for (int64_t i = 0; i < count; i++) {
		lua_rawgeti(L, -1, i + 1);
		tensor_put(t, i, lua_tonumber(L, -1));
		lua_pop(L, 1);
	}
	return t;
}

/* The table's entries into the feed: file names or flat lists. */
static int take_inputs(lua_State *L, int table, struct feed *f, struct diags *d)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < f->count; i++) {
		lua_pushstring(L, f->inputs[i]->name);
		lua_rawget(L, table);
		if (lua_type(L, -1) == LUA_TSTRING) {
			struct strbuf argument = { 0 };
			strbuf_printf(&argument, "%s=%s", f->inputs[i]->name, lua_tostring(L, -1));
			status = feed_read(f, argument.text, d);
			strbuf_free(&argument);
		} else if (lua_istable(L, -1)) {
			f->tensors[i] = tensor_from_list(L, f->inputs[i], d);
			status = f->tensors[i] ? 0 : -1;
		}
		lua_pop(L, 1);
	}
	return status == 0 ? feed_complete(f, d) : -1;
}

/* m:execute{input="in.npy"} or m:execute{input={1, 2, 3}}: {output={1, 2, shape={1, 2}}}. */
static int model_execute(lua_State *L)
{
	struct model *m = check_model(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	struct diags d = { .file = m->file };
	struct exec_options o = { 0 };
	struct feed f;
	struct tensor **outputs = xcalloc(m->graph->n_outputs, sizeof *outputs);
	feed_init(&f, m->graph);
	bool ok = take_inputs(L, 2, &f, &d) == 0 && exec_batch(m->graph, f.tensors, outputs, &o, NULL, &d) == 0;
	lua_newtable(L);
	for (uint32_t i = 0; i < m->graph->n_outputs; i++) {
		if (ok) {
			push_tensor(L, outputs[i]);
			lua_setfield(L, -2, m->graph->output_names[i]);
		}
		tensor_unref(outputs[i]);
	}
	free(outputs);
	feed_free(&f);
	if (push_errors(L, &d))
		return raise(L);
	return 1;
}

/* ---- nodes ---- */

static void push_node(lua_State *L, int model, struct node *n)
{
	struct model *m = check_model(L, model);
	if (!n) {
		lua_pushnil(L);
		return;
	}
	struct node_ref *r = lua_newuserdatauv(L, sizeof *r, 1);
	*r = (struct node_ref){ m, n, m->generation };
	lua_pushvalue(L, model);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, NODE);
}

static struct node *check_node(lua_State *L, int i)
{
	const struct node_ref *r = luaL_checkudata(L, i, NODE);
	if (r->generation != r->model->generation)
		luaL_error(L, "this node was taken before a run(); take it again");
	return r->node;
}

static int next_node(lua_State *L)
{
	if (lua_isnil(L, 2))
		push_node(L, 1, check_model(L, 1)->graph->first);
	else
		push_node(L, 1, check_node(L, 2)->next);
	return 1;
}

/* for n in m:nodes() do */
static int model_nodes(lua_State *L)
{
	check_model(L, 1);
	lua_pushcfunction(L, next_node);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

/* n:attr(name): number, text, list; nil where it is absent or of another kind. */
static int node_get_attr(lua_State *L)
{
	const struct node *n = check_node(L, 1);
	const struct attr *a = node_attr(n, luaL_checkstring(L, 2));
	switch (a ? (int)a->kind : 0) {
	case ATTR_FLOAT:
		lua_pushnumber(L, (lua_Number)a->f);
		return 1;
	case ATTR_INT:
		lua_pushinteger(L, a->i);
		return 1;
	case ATTR_STRING:
		lua_pushlstring(L, a->s, a->count);
		return 1;
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS:
		break;
	default:
		lua_pushnil(L);
		return 1;
	}
	lua_newtable(L);
	for (size_t i = 0; i < a->count; i++) {
		if (a->kind == ATTR_FLOATS)
			lua_pushnumber(L, (lua_Number)a->floats[i]);
		else if (a->kind == ATTR_INTS)
			lua_pushinteger(L, a->ints[i]);
		else
			lua_pushstring(L, a->strings[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static void push_inputs(lua_State *L, const struct node *n)
{
	lua_newtable(L);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		push_value_name(L, node_input(n, i), i + 1);
}

static void push_outputs(lua_State *L, const struct node *n)
{
	lua_newtable(L);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		push_value_name(L, n->outputs[i], i + 1);
}

/* n.op, n.name, n.domain, n.inputs, n.outputs (names, "" where omitted), n:attr() */
static int node_index(lua_State *L)
{
	const struct node *n = check_node(L, 1);
	const char *key = luaL_checkstring(L, 2);
	if (!strcmp(key, "op"))
		lua_pushstring(L, n->op_type);
	else if (!strcmp(key, "name"))
		lua_pushstring(L, node_label(n));
	else if (!strcmp(key, "domain"))
		lua_pushstring(L, n->domain);
	else if (!strcmp(key, "inputs"))
		push_inputs(L, n);
	else if (!strcmp(key, "outputs"))
		push_outputs(L, n);
	else if (!strcmp(key, "attr"))
		lua_pushcfunction(L, node_get_attr);
	else
		return luaL_error(L, "a node has op, name, domain, inputs, outputs and attr(), not '%s'", key);
	return 1;
}

/* ---- the state ---- */

static const luaL_Reg model_methods[] = {
	{ "count", model_count },   { "emit", model_emit }, { "execute", model_execute }, { "info", model_info },
	{ "nodes", model_nodes },   { "run", model_run },   { "value", model_value },	  { "write", model_write },
	{ NULL, NULL },
};

/* The standard library without what reaches files, processes or the interpreter. */
static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },	     { LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },  { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },   { LUA_COLIBNAME, luaopen_coroutine },
	};
	static const char *const removed[] = { "dofile", "loadfile", "load", "collectgarbage" };
	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
		lua_pushnil(L);
		lua_setglobal(L, removed[i]);
	}
}

static void register_types(lua_State *L)
{
	luaL_newmetatable(L, MODEL);
	luaL_newlib(L, model_methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, model_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushboolean(L, 0);		/* getmetatable gives this: __gc is not to be called by scripts */
	lua_setfield(L, -2, "__metatable");
	luaL_newmetatable(L, NODE);
	lua_pushcfunction(L, node_index);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

/* The global qcc: load, args, out, version. */
static void register_qcc(lua_State *L, const struct script_options *o)
{
	lua_newtable(L);
	lua_pushcfunction(L, model_load);
	lua_setfield(L, -2, "load");
	lua_newtable(L);
	for (size_t i = 0; i < o->n_args; i++) {
		lua_pushstring(L, o->args[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "args");
	lua_pushstring(L, o->dir);
	lua_setfield(L, -2, "out");
	lua_pushstring(L, PACKAGE_VERSION);
	lua_setfield(L, -2, "version");
	lua_setglobal(L, "qcc");
}

/* Runs protected: memory may run out on the way. Argument 1: the script_options. */
static int set_up(lua_State *L)
{
	open_libraries(L);
	register_types(L);
	register_qcc(L, lua_touserdata(L, 1));
	return 0;
}

/* The file is named as the user wrote it, not cut to Lua's 60 characters, so only its last part. */
static int run_text(lua_State *L, const char *file, const struct blob *b)
{
	struct strbuf name = { 0 };
	const char *slash = strrchr(file, '/');
	strbuf_printf(&name, "@%s", slash ? slash + 1 : file);
	int status = luaL_loadbufferx(L, b->base ? b->base : "", b->size, name.text, "t");
	strbuf_free(&name);
	return status == LUA_OK ? lua_pcall(L, 0, 0, 0) : status;
}

/* Each line of the error on the stack. */
static void say_errors(lua_State *L, struct diags *d)
{
	const char *text = luaL_tolstring(L, -1, NULL);
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n)
			diag_error(d, NULL, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
	lua_pop(L, 1);
}

static int run_state(lua_State *L, struct script *s, const char *file, struct diags *d)
{
	struct blob *b = file_map(file, d);
	if (!b)
		return -1;
	*(struct script **)lua_getextraspace(L) = s;
	lua_pushcfunction(L, set_up);
	lua_pushlightuserdata(L, (void *)(uintptr_t)s->options);
	int status = lua_pcall(L, 1, 0, 0);
	if (status == LUA_OK)
		status = run_text(L, file, b);
	if (status != LUA_OK)
		say_errors(L, d);
	blob_unref(b);
	return status == LUA_OK ? 0 : -1;
}

int script_run(const char *file, const struct script_options *o, char **ran, struct diags *d)
{
	struct script s = { .options = o, .pipeline = o->pipeline, .diags = d };
	lua_State *L = luaL_newstate();
	s.pipeline.dump_count = &s.dumps;
	strbuf_puts(&s.ran, "");
	int status = L ? run_state(L, &s, file, d) : diag_error(d, NULL, "Lua does not start");
	if (L)
		lua_close(L);	/* frees the models, which add what they ran */
	*ran = s.ran.text;
	return status;
}

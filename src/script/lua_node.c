/* Nodes and values in Lua: m:nodes(), their fields, m:value(). */
#include "script/lua_model.h"

#include <string.h>

#include "util/nearest.h"

/* Its user value 1 is the model, which it keeps alive. */
struct node_ref {
	struct lua_model *model;
	struct node *node;
	lua_Integer generation;
};

static void push_value_name(lua_State *L, const struct value *v, lua_Integer i)
{
	lua_pushstring(L, v ? v->name : "");
	lua_rawseti(L, -2, i);
}

void lua_push_node(lua_State *L, int model, struct node *n)
{
	struct lua_model *m = check_model(L, model);
	if (!n) {
		lua_pushnil(L);
		return;
	}
	struct node_ref *r = lua_newuserdatauv(L, sizeof *r, 1);
	*r = (struct node_ref){ m, n, m->generation };
	lua_pushvalue(L, model);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, LUA_NODE);
}

/* Removed nodes can be read until the next run() (graph_reclaim), though none leads to them any more. */
static bool is_in_graph(const struct node *n)
{
	return n->prev ? n->prev->next == n : n->graph->first == n;
}

struct node *lua_check_node(lua_State *L, int i, const struct lua_model *m)
{
	const struct node_ref *r = luaL_checkudata(L, i, LUA_NODE);
	if (!r->model->graph)
		luaL_error(L, "the model of this node is gone");
	if (m && r->model != m)
		luaL_error(L, "this node is one of another model");
	if (r->generation != r->model->generation)
		luaL_error(L, "this node was taken before a run(); take it again");
	if (!is_in_graph(r->node))
		luaL_error(L, "this node was removed");
	return r->node;
}

struct lua_model *lua_node_model(lua_State *L, int i)
{
	return ((const struct node_ref *)luaL_checkudata(L, i, LUA_NODE))->model;
}

/* ---- all nodes ---- */

/* The nodes that there were when the loop began: its body may insert and remove some. */
struct walk {
	lua_Integer generation;
	size_t at, count;
	struct node *nodes[];
};

/* Upvalues: the walk, the model. */
static int next_node(lua_State *L)
{
	struct walk *w = lua_touserdata(L, lua_upvalueindex(1));
	const struct lua_model *m = lua_touserdata(L, lua_upvalueindex(2));
	if (w->at < w->count && m->generation != w->generation)
		return luaL_error(
			L, "a run() within the loop over m:nodes(); collect the nodes before, or break out of it");
	while (w->at < w->count && !is_in_graph(w->nodes[w->at]))
		w->at++;
	if (w->at == w->count) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_push_node(L, lua_gettop(L), w->nodes[w->at++]);
	return 1;
}

/* for n in m:nodes() do */
int lua_model_nodes(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	struct walk *w = lua_newuserdatauv(L, sizeof *w + m->graph->n_nodes * sizeof *w->nodes, 0);
	*w = (struct walk){ .generation = m->generation };
	graph_for_each_node (m->graph, n)
		w->nodes[w->count++] = n;
	lua_pushvalue(L, 1);
	lua_pushcclosure(L, next_node, 2);
	return 1;
}

/* ---- one node ---- */

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

const struct lua_function lua_node_functions[] = {
	{ "attr", "n:attr(name)", "An attribute as number, text or list; nil where it is absent or a tensor or graph.",
	  lua_node_attr },
	{ "attrs", "n:attrs()", "All of them: a table of names and values.", lua_node_attrs },
	{ "domain", "n.domain", "The operator's domain, \"\" for ONNX's own.", NULL },
	{ "inputs", "n.inputs", "Names of the values that it reads, \"\" where one is left out.", NULL },
	{ "name", "n.name", "Its name, or that of its first output where it has none.", NULL },
	{ "op", "n.op", "The operator.", NULL },
	{ "outputs", "n.outputs", "Names of the values that it computes.", NULL },
	{ "set_attr", "n:set_attr(name, value)",
	  "Sets an attribute to a number, text, boolean or list; nil removes it. 2 is an integer and 2.0 a real, unless the "
	  "attribute was a real before.",
	  lua_node_set_attr },
	{ "set_input", "n:set_input(i, value)",
	  "Input i (from 1) reads another value; \"\" leaves it out. One behind the last input adds one.",
	  lua_node_set_input },
	{ NULL, NULL, NULL, NULL },
};

/* Upvalue 1: the methods. */
static int node_index(lua_State *L)
{
	const struct node *n = lua_check_node(L, 1, NULL);
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
	else if (lua_getfield(L, lua_upvalueindex(1), key) == LUA_TNIL)
		return luaL_error(
			L,
			"a node has op, name, domain, inputs, outputs, attr(), attrs(), set_attr() and set_input(), "
			"not '%s'",
			key);
	return 1;
}

static int node_newindex(lua_State *L)
{
	return luaL_error(L, "nodes are changed by n:set_attr, n:set_input and m:replace");
}

void lua_register_node(lua_State *L)
{
	luaL_newmetatable(L, LUA_NODE);
	lua_newtable(L);
	lua_add_functions(L, lua_node_functions);
	lua_pushcclosure(L, node_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, node_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

/* ---- values ---- */

struct value *lua_check_value(lua_State *L, const struct lua_model *m, const char *name)
{
	struct value *v = graph_value(m->graph, name);
	struct nearest near = { .word = name };
	if (v)
		return v;
	graph_for_each_value (m->graph, known)
		nearest_consider(&near, known->name);
	const char *meant = nearest_name(&near);
	luaL_error(L, meant ? "there is no value '%s'; did you mean '%s'?" : "there is no value '%s'", name, meant);
	return NULL;
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
int lua_model_value(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
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

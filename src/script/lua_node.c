/* Nodes and values in Lua: m:nodes(), their fields and attributes, m:value(). */
#include "script/lua_model.h"

#include <string.h>

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

static void push_node(lua_State *L, int model, struct node *n)
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

static struct node *check_node(lua_State *L, int i)
{
	const struct node_ref *r = luaL_checkudata(L, i, LUA_NODE);
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
int lua_model_nodes(lua_State *L)
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
	case ATTR_FLOAT: lua_pushnumber(L, (lua_Number)a->f); return 1;
	case ATTR_INT: lua_pushinteger(L, a->i); return 1;
	case ATTR_STRING: lua_pushlstring(L, a->s, a->count); return 1;
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS: break;
	default: lua_pushnil(L); return 1;
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

void lua_register_node(lua_State *L)
{
	luaL_newmetatable(L, LUA_NODE);
	lua_pushcfunction(L, node_index);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
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

/* Constants and datatypes in Lua: m:initializer, m:set_initializer, m:set_datatype. */
#include "script/lua_model.h"

#include <string.h>

#include "util/integers.h"

/* m:initializer(name): the elements, with their shape; nil where the value is no constant. */
int lua_model_initializer(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	const struct value *v = lua_check_value(L, m, lua_check_text(L, 2, "the value"));
	if (!value_is_constant(v)) {
		lua_pushnil(L);
		return 1;
	}
	if (v->constant->elem == ELEM_STRING)
		return luaL_error(L, "'%s' holds texts", v->name);
	lua_push_tensor(L, v->constant);
	return 1;
}

/* Axis k of the list of them on top of the stack. */
static int64_t dim_of(lua_State *L, int k)
{
	int is_integer;
	lua_rawgeti(L, -1, k + 1);
	int64_t dim = lua_tointegerx(L, -1, &is_integer);
	lua_pop(L, 1);
	if (!is_integer || dim < 0)
		luaL_error(L, "a shape is a list of integers, 0 or more");
	return dim;
}

/* The shape of the list at index `list`: its field shape, else the old constant's where the count is the same, else one axis. */
static int shape_of(lua_State *L, int list, const struct tensor *old, int64_t dims[MAX_RANK])
{
	int64_t count = (int64_t)lua_rawlen(L, list);
	int rank = 1;
	dims[0] = count;
	lua_pushliteral(L, "shape");
	switch (lua_rawget(L, list)) {
	case LUA_TNIL:
		if (old && old->count == count) {
			rank = old->rank;
			memcpy(dims, old->dims, (size_t)rank * sizeof *dims);
		}
		break;
	case LUA_TTABLE:
		if (lua_rawlen(L, -1) > MAX_RANK)
			luaL_error(L, "a shape has at most %d axes", MAX_RANK);
		rank = (int)lua_rawlen(L, -1);
		for (int k = 0; k < rank; k++)
			dims[k] = dim_of(L, k);
		break;
	default: luaL_error(L, "a shape is a list of integers, 0 or more");
	}
	lua_pop(L, 1);
	return rank;
}

static enum elem_type elem_of(lua_State *L, int i, const struct tensor *old)
{
	if (lua_isnoneornil(L, i))
		return old ? (enum elem_type)old->elem : ELEM_FLOAT;
	enum elem_type elem = elem_parse(lua_check_text(L, i, "the type"));
	if (!elem)
		luaL_error(L, "there is no type '%s': float, int8, int64 and so on", lua_tostring(L, i));
	return elem;
}

/* Every element of the list (or the number alone) at index `list` fits the types. */
static void check_elements(lua_State *L, int list, int64_t count, enum elem_type elem, const struct value *v)
{
	char text[DATATYPE_NAME_SIZE];
	for (int64_t i = 0; i < count; i++) {
		if (lua_istable(L, list))
			lua_rawgeti(L, list, i + 1);
		else
			lua_pushvalue(L, list);
		if (lua_type(L, -1) != LUA_TNUMBER)
			luaL_error(L, "an initializer is a number or a list of numbers");
		double x = lua_tonumber(L, -1);
		if (elem_is_integer(elem) && x != (double)saturated_int64(x))
			luaL_error(L, "%f is no %s", x, elem_name(elem));
		if (v && v->datatype.kind != DT_NONE && !datatype_allows(v->datatype, x))
			luaL_error(L, "%f is no %s, the datatype of '%s'; m:set_datatype sets another one", x,
				   datatype_name(v->datatype, text), v->name);
		lua_pop(L, 1);
	}
}

static void fill(lua_State *L, int list, struct tensor *t)
{
	for (int64_t i = 0; i < t->count; i++) {
		if (lua_istable(L, list))
			lua_rawgeti(L, list, i + 1);
		else
			lua_pushvalue(L, list);
		tensor_put(t, i, lua_tonumber(L, -1));
		lua_pop(L, 1);
	}
}

static void retype_readers(struct graph *g, const struct value *v, struct diags *d)
{
	graph_for_each_node (g, n)
		for (uint32_t i = 0; i < n->n_inputs && !d->errors; i++)
			if (n->inputs[i].value == v)
				lua_retype(n, d);
}

static void put(struct graph *g, struct value *v, struct tensor *t)
{
	value_set_constant(v, t);
	value_set_type(g, v, (enum elem_type)t->elem, t->rank, t->dims);
}

/* m:set_initializer(name, numbers [, type]) */
int lua_model_set_initializer(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	const char *name = lua_check_text(L, 2, "the value");
	lua_settop(L, 4);
	luaL_checkstack(L, 8, NULL);
	luaL_argcheck(L, *name, 2, "a value has a name");
	struct value *v = graph_value(m->graph, name);
	if (v && !value_is_constant(v))
		return luaL_error(L, "'%s' is no constant: it is computed, or an input", name);
	struct tensor *old = v ? v->constant : NULL;
	int64_t dims[MAX_RANK];
	if (lua_type(L, 3) != LUA_TNUMBER)
		luaL_checktype(L, 3, LUA_TTABLE);
	int rank = lua_istable(L, 3) ? shape_of(L, 3, old, dims) : 0;
	enum elem_type elem = elem_of(L, 4, old);
	if (elem == ELEM_STRING || elem == ELEM_COMPLEX64 || elem == ELEM_COMPLEX128)
		return luaL_error(L, "scripts do not set constants of type %s", elem_name(elem));
	int64_t count = shape_count(rank, dims, elem);
	if (!shape_fits(rank, dims) || count != (lua_istable(L, 3) ? (int64_t)lua_rawlen(L, 3) : 1))
		return luaL_error(L, "the shape is not that of %d numbers", (int)lua_rawlen(L, 3));
	check_elements(L, 3, count, elem, v);
	lua_charge(L, m, 1024 + count * (int64_t)elem_size(elem));
	struct diags d = { .file = m->file }, ignored = { 0 };
	struct tensor *t = tensor_new(elem, rank, dims);
	fill(L, 3, t);
	lua_edited(m);
	if (!v) {
		v = value_new_named(m->graph, name);
		put(m->graph, v, t);
		return 0;
	}
	old = tensor_ref(old);
	put(m->graph, v, t);
	retype_readers(m->graph, v, &d);
	if (d.errors) {
		put(m->graph, v, tensor_ref(old));
		retype_readers(m->graph, v, &ignored);
	}
	tensor_unref(old);
	diags_free(&ignored);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

/* m:set_datatype(name, "INT4") */
int lua_model_set_datatype(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	struct value *v = lua_check_value(L, m, lua_check_text(L, 2, "the value"));
	const char *text = lua_check_text(L, 3, "the datatype");
	struct datatype t;
	struct diags d = { .file = m->file };
	if (!datatype_parse(text, &t))
		return luaL_error(L, "there is no datatype '%s': INT4, UINT8, BIPOLAR, FIXED<8,3>, FLOAT32 and so on",
				  text);
	if (v->producer)
		return luaL_error(L, "the datatype of '%s' follows from the node that computes it", v->name);
	for (int64_t i = 0; v->constant && v->constant->elem != ELEM_STRING && i < v->constant->count; i++)
		if (!datatype_allows(t, tensor_at(v->constant, i)))
			return luaL_error(L, "'%s' holds %f, which is no %s", v->name, tensor_at(v->constant, i), text);
	v->datatype = t;
	v->range = NULL;
	lua_edited(m);
	retype_readers(m->graph, v, &d);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

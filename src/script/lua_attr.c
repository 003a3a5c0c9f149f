/* Attributes of nodes in Lua: reading, setting, removing. */
#include "script/lua_model.h"

#include <math.h>
#include <string.h>

/* ---- reading ---- */

static void push_list(lua_State *L, const struct attr *a)
{
	lua_createtable(L, (int)a->count, 0);
	for (size_t i = 0; i < a->count; i++) {
		if (a->kind == ATTR_FLOATS)
			lua_pushnumber(L, (lua_Number)a->floats[i]);
		else if (a->kind == ATTR_INTS)
			lua_pushinteger(L, a->ints[i]);
		else
			lua_pushstring(L, a->strings[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

/* Number, text or list; nil for one of another kind. */
static void push_attr(lua_State *L, const struct attr *a)
{
	switch (a ? (int)a->kind : 0) {
	case ATTR_FLOAT: lua_pushnumber(L, (lua_Number)a->f); return;
	case ATTR_INT: lua_pushinteger(L, a->i); return;
	case ATTR_STRING: lua_pushlstring(L, a->s, a->count); return;
	case ATTR_FLOATS:
	case ATTR_INTS:
	case ATTR_STRINGS: push_list(L, a); return;
	default: lua_pushnil(L);
	}
}

int lua_node_attr(lua_State *L)
{
	const struct node *n = lua_check_node(L, 1, NULL);
	push_attr(L, node_attr(n, luaL_checkstring(L, 2)));
	return 1;
}

int lua_node_attrs(lua_State *L)
{
	const struct node *n = lua_check_node(L, 1, NULL);
	lua_newtable(L);
	for (const struct attr *a = n->attrs; a; a = a->next) {
		push_attr(L, a);
		lua_setfield(L, -2, a->name);
	}
	return 1;
}

/* ---- setting ---- */

enum { MOST_ELEMENTS = 1 << 20 };

/* An integer that no shape may be calculated with is refused in files, too. */
static void check_fits(lua_State *L, const char *name, int64_t i)
{
	if (!attr_fits(&(struct attr){ .name = name, .kind = ATTR_INT, .i = i }))
		luaL_error(L, "attribute '%s' has " ATTR_LIMITS, name);
}

/* Whether the elements of the list are texts, integers or other numbers; ATTR_STRINGS, ATTR_INTS, ATTR_FLOATS. */
static enum attr_kind kind_of_list(lua_State *L, int list, const char *name, size_t count)
{
	enum attr_kind kind = ATTR_INTS;
	for (size_t i = 0; i < count; i++) {
		int type = lua_rawgeti(L, list, (lua_Integer)i + 1);
		bool text = type == LUA_TSTRING;
		if ((type != LUA_TNUMBER && !text) || (i && text != (kind == ATTR_STRINGS)))
			luaL_error(L, "attribute '%s' is a list of numbers or a list of texts", name);
		if (text)
			kind = ATTR_STRINGS;
		else if (!lua_isinteger(L, -1))
			kind = ATTR_FLOATS;
		lua_pop(L, 1);
	}
	return kind;
}

static void set_strings(lua_State *L, struct node *n, const char *name, int list, size_t count)
{
	const char **strings = lua_newuserdatauv(L, (count + 1) * sizeof *strings, 0);
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, list, (lua_Integer)i + 1);
		strings[i] = lua_check_text(L, lua_gettop(L), "an element"); /* the list keeps it */
		lua_pop(L, 1);
	}
	node_set_strings(n, name, strings, count);
	lua_pop(L, 1);
}

static void set_list(lua_State *L, struct lua_model *m, struct node *n, const char *name)
{
	int list = lua_gettop(L);
	const struct attr *old = node_attr(n, name);
	size_t count = (size_t)lua_rawlen(L, list);
	if (count > MOST_ELEMENTS)
		luaL_error(L, "attribute '%s' has more than %d elements", name, MOST_ELEMENTS);
	enum attr_kind kind = kind_of_list(L, list, name, count);
	if (kind == ATTR_INTS && old && old->kind == ATTR_FLOATS)
		kind = ATTR_FLOATS;
	lua_charge(L, m, 16 * (int64_t)count);
	if (kind == ATTR_STRINGS) {
		set_strings(L, n, name, list, count);
		return;
	}
	void *numbers = lua_newuserdatauv(L, (count + 1) * sizeof(int64_t), 0);
	int64_t *ints = numbers;
	float *floats = numbers;
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, list, (lua_Integer)i + 1);
		if (kind == ATTR_INTS)
			check_fits(L, name, ints[i] = lua_tointeger(L, -1));
		else
			floats[i] = (float)lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	if (kind == ATTR_INTS)
		node_set_ints(n, name, ints, count);
	else
		node_set_floats(n, name, floats, count);
	lua_pop(L, 1);
}

static void set_number(lua_State *L, struct node *n, const char *name)
{
	const struct attr *old = node_attr(n, name);
	bool real = !lua_isinteger(L, -1) || (old && old->kind == ATTR_FLOAT);
	if (!real)
		check_fits(L, name, lua_tointeger(L, -1));
	if (real)
		node_set_float(n, name, (float)lua_tonumber(L, -1));
	else
		node_set_int(n, name, lua_tointeger(L, -1));
}

void lua_set_attr(lua_State *L, struct lua_model *m, struct node *n, const char *name)
{
	const struct attr *old = node_attr(n, name);
	luaL_checkstack(L, 8, NULL);
	if (old && old->kind >= ATTR_TENSOR && old->kind != ATTR_FLOATS && old->kind != ATTR_INTS &&
	    old->kind != ATTR_STRINGS)
		luaL_error(L, "attribute '%s' is a tensor, a graph or a type: scripts do not set those", name);
	lua_charge(L, m, 64 + (int64_t)strlen(name));
	switch (lua_type(L, -1)) {
	case LUA_TNIL: node_remove_attr(n, name); break;
	case LUA_TNUMBER: set_number(L, n, name); break;
	case LUA_TBOOLEAN: node_set_int(n, name, lua_toboolean(L, -1)); break;
	case LUA_TSTRING:
		lua_charge(L, m, (int64_t)lua_rawlen(L, -1));
		node_set_string(n, name, lua_check_text(L, lua_gettop(L), "the attribute"));
		break;
	case LUA_TTABLE: set_list(L, m, n, name); break;
	default: luaL_error(L, "attribute '%s' cannot be a %s", name, luaL_typename(L, -1));
	}
}

/* Puts an attribute back as it was (was.name NULL: there was none). */
static void restore(struct node *n, const char *name, const struct attr *was)
{
	if (!was->name) {
		node_remove_attr(n, name);
		return;
	}
	for (struct attr *a = n->attrs; a; a = a->next)
		if (!strcmp(a->name, name)) {
			*a = *was;
			return;
		}
	node_set_int(n, name, 0);
	restore(n, name, was);
}

static struct attr copy_of(const struct node *n, const char *name)
{
	const struct attr *a = node_attr(n, name);
	return a ? *a : (struct attr){ .name = NULL };
}

int lua_node_set_attr(lua_State *L)
{
	struct node *n = lua_check_node(L, 1, NULL);
	struct lua_model *m = lua_node_model(L, 1);
	const char *name = lua_check_text(L, 2, "the attribute's name");
	struct diags d = { .file = m->file }, ignored = { 0 };
	lua_settop(L, 3);
	luaL_argcheck(L, *name, 2, "an attribute has a name");
	struct attr was = copy_of(n, name);
	lua_set_attr(L, m, n, name);
	lua_edited(m);
	lua_retype(n, &d);
	if (d.errors) {
		struct attr *next = NULL;
		for (struct attr *a = n->attrs; a; a = a->next)
			if (!strcmp(a->name, name))
				next = a->next;
		was.next = next;
		restore(n, name, &was);
		lua_retype(n, &ignored);
	}
	diags_free(&ignored);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

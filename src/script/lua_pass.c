/* Passes written in Lua: qcc.register_pass makes one that m:run takes in its lists like any other. The driver runs it, with what
 * belongs to that: required passes before it, time and changes in the report, --verify and --dump-after behind it. */
#include "script/lua_model.h"

#include <stdlib.h>
#include <string.h>

#include "util/vec.h"

enum { MOST_OPTIONS = 32 };

/* Lua's own object, whose user value 1 keeps its texts; the registry keeps both. */
struct lua_pass {
	struct pass pass; /* first: what the driver hands back */
	struct script *script;
	int function; /* in the registry */
	struct pass_option options[MOST_OPTIONS + 1];
};

/* ---- running ---- */

static void push_option(lua_State *L, const struct pass_ctx *ctx, const struct pass_option *o)
{
	switch (o->type) {
	case OPTION_FLAG: lua_pushboolean(L, pass_flag(ctx, o->name)); break;
	case OPTION_INT: lua_pushinteger(L, pass_int(ctx, o->name)); break;
	case OPTION_REAL: lua_pushnumber(L, pass_real(ctx, o->name)); break;
	default: lua_pushstring(L, pass_string(ctx, o->name));
	}
}

/* Arguments: the model and the context. Everything that may raise an error happens in here, where it is caught. */
static int call_function(lua_State *L)
{
	const struct pass_ctx *ctx = lua_touserdata(L, 2);
	const struct lua_pass *p = (const struct lua_pass *)ctx->pass;
	lua_rawgeti(L, LUA_REGISTRYINDEX, p->function);
	lua_pushvalue(L, 1);
	lua_newtable(L);
	for (const struct pass_option *o = p->options; o->name; o++) {
		push_option(L, ctx, o);
		lua_setfield(L, -2, o->name);
	}
	lua_call(L, 2, 0);
	return 0;
}

/* The error on the stack becomes diagnostics, a line each. */
static void take_error(lua_State *L, struct diags *d)
{
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "the pass failed without saying why";
	while (*text) {
		size_t n = strcspn(text, "\n");
		diag_error(d, NULL, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
	lua_pop(L, 1);
}

/* The model is the first argument of the run() that led here. */
static enum pass_result run(struct pass_ctx *ctx)
{
	lua_State *L = ((const struct lua_pass *)ctx->pass)->script->running;
	if (!lua_checkstack(L, 4)) {
		diag_error(ctx->diags, NULL, "not enough memory");
		return PASS_ERROR;
	}
	struct lua_model *m = lua_touserdata(L, 1);
	struct pass_ctx *outer = m->inside;
	m->inside = ctx;
	m->generation++;
	lua_pushcfunction(L, call_function);
	lua_pushvalue(L, 1);
	lua_pushlightuserdata(L, ctx);
	int errors = ctx->diags->errors, status = lua_pcall(L, 2, 0, 0);
	if (status != LUA_OK && ctx->diags->errors == errors) /* else a pass that it ran has told why */
		take_error(L, ctx->diags);
	m->inside = outer;
	m->generation++;
	return status == LUA_OK ? pass_result(ctx) : PASS_ERROR;
}

/* ---- registering ---- */

/* The text on top of the stack, taken off it, lives as long as the table of texts at index `texts`. */
static const char *keep(lua_State *L, int texts)
{
	const char *text = lua_tostring(L, -1);
	lua_rawseti(L, texts, (lua_Integer)lua_rawlen(L, texts) + 1);
	return text;
}

/* The text at a key of table 1; NULL where there is none. */
static const char *keep_field(lua_State *L, const char *key, int texts)
{
	if (lua_getfield(L, 1, key) == LUA_TNIL) {
		lua_pop(L, 1);
		return NULL;
	}
	lua_check_text(L, lua_gettop(L), key);
	return keep(L, texts);
}

static void check_name(lua_State *L, const struct script *s, const char *name)
{
	const char *preset;
	if (!name || !*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(name))
		luaL_error(L, "a pass has a name of lower-case letters, digits and '-'");
	if (pass_find(name, &preset))
		luaL_error(L, "there is a pass '%s' already", name);
	for (size_t i = 0; i < s->passes.count; i++)
		if (!strcmp(((const struct pass *)s->passes.items[i])->name, name))
			luaL_error(L, "pass '%s' is registered already", name);
}

static void check_keys(lua_State *L)
{
	static const char *const keys[] = { "changes_function", "name", "options", "run", "summary" };
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		bool known = false;
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			known |= !strcmp(key, keys[i]);
		if (!known)
			luaL_error(L, "a pass has name, summary, run, options and changes_function, not '%s'", key);
	}
}

/* An option {name=default}, whose key and value are on top of the stack: its type is that of the default. */
static struct pass_option read_option(lua_State *L, int texts)
{
	struct pass_option o = { .type = OPTION_STRING };
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "options are written as {name=default}");
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		o.type = OPTION_FLAG;
		lua_pushstring(L, lua_toboolean(L, -1) ? "yes" : "no");
		break;
	case LUA_TNUMBER:
		o.type = lua_isinteger(L, -1) ? OPTION_INT : OPTION_REAL;
		luaL_tolstring(L, -1, NULL);
		break;
	case LUA_TSTRING: lua_pushvalue(L, -1); break;
	default: luaL_error(L, "the default of option '%s' is neither text, number nor boolean", lua_tostring(L, -2));
	}
	o.fallback = keep(L, texts);
	lua_pushvalue(L, -2);
	o.name = lua_check_text(L, lua_gettop(L), "an option's name");
	o.name = keep(L, texts);
	return o;
}

static void read_options(lua_State *L, struct lua_pass *p, int texts)
{
	size_t count = 0;
	if (lua_getfield(L, 1, "options") != LUA_TNIL) {
		int options = lua_gettop(L);
		luaL_checktype(L, options, LUA_TTABLE);
		for (lua_pushnil(L); lua_next(L, options); lua_pop(L, 1)) {
			if (count == MOST_OPTIONS)
				luaL_error(L, "a pass has at most %d options", MOST_OPTIONS);
			p->options[count++] = read_option(L, texts);
		}
	}
	lua_pop(L, 1);
	p->options[count] = (struct pass_option){ .name = NULL };
	p->pass.options = p->options;
}

/* qcc.register_pass{name="...", run=function(m, options) ... end, ...} */
int lua_register_pass(lua_State *L)
{
	struct script *s = script_of(L);
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	check_keys(L);
	struct lua_pass *p = lua_newuserdatauv(L, sizeof *p, 1); /* 2 */
	lua_newtable(L);					 /* 3: texts */
	*p = (struct lua_pass){ .pass = { .requires = GRAPH_INFERRED, .help = "", .run = run }, .script = s };
	p->pass.name = keep_field(L, "name", 3);
	check_name(L, s, p->pass.name);
	p->pass.summary = keep_field(L, "summary", 3);
	lua_getfield(L, 1, "changes_function");
	p->pass.changes_function = lua_toboolean(L, -1);
	lua_pop(L, 1);
	read_options(L, p, 3);
	lua_setiuservalue(L, 2, 1);
	if (lua_getfield(L, 1, "run") != LUA_TFUNCTION)
		return luaL_error(L, "pass '%s' needs run=function(m, options) ... end", p->pass.name);
	p->function = luaL_ref(L, LUA_REGISTRYINDEX);
	luaL_ref(L, LUA_REGISTRYINDEX);
	vec_push(&s->passes, p);
	return 0;
}

void lua_free_passes(struct script *s)
{
	vec_free(&s->passes);
}

struct pass_set lua_pass_set(const struct script *s)
{
	struct pass_set set = { xcalloc(s->passes.count + 1, sizeof *set.items), s->passes.count };
	for (size_t i = 0; i < s->passes.count; i++)
		set.items[i] = &s->passes.items[i]->pass;
	return set;
}

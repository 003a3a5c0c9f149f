/* What the files of the Lua interface share: models and nodes as Lua sees them, errors.
 *
 * Errors of passes are raised as Lua errors with the text of the diagnostics, so that a script may catch them; those it
 * does not catch end it and become diagnostics again. No C memory may be held when an error is raised. */
#ifndef QCC_SCRIPT_LUA_MODEL_H
#define QCC_SCRIPT_LUA_MODEL_H

#include <lauxlib.h>
#include <lua.h>

#include "script/script.h"
#include "util/strbuf.h"

#define LUA_MODEL "qcc.model" /* names of the types in Lua's registry */
#define LUA_NODE "qcc.node"

struct script {
	const struct script_options *options;
	struct pipeline_options pipeline;
	size_t dumps;
	struct diags *diags;
	struct strbuf ran;
	int64_t bytes, steps; /* that Lua holds and has run */
};

struct lua_model {
	struct graph *graph;
	struct script *script;
	json_t *report;
	struct verifier *verifier;
	char *file;
	struct strbuf ran;
	lua_Integer generation; /* a node taken before a run() may be gone */
};

static inline struct script *script_of(lua_State *L)
{
	return *(struct script **)lua_getextraspace(L);
}

/* The model at stack index i. A finaliser of the script's may hold one that is gone already: that is an error. */
static inline struct lua_model *check_model(lua_State *L, int i)
{
	struct lua_model *m = luaL_checkudata(L, i, LUA_MODEL);
	if (!m->graph)
		luaL_error(L, "this model is gone");
	return m;
}

/* Hands notes and warnings on to the script's diagnostics. Where there were errors, pushes their text, one line for each,
 * and returns true: the caller frees what it holds and calls lua_raise. Frees d. */
bool lua_push_errors(lua_State *L, struct diags *d);
/* Raises the text on the stack, each line of it with the place in the script. */
int lua_raise(lua_State *L);

/* Registers the types and pushes nothing (lua_model.c, lua_node.c). */
void lua_register_model(lua_State *L);
void lua_register_node(lua_State *L);
/* qcc.load */
int lua_model_load(lua_State *L);
/* Methods that live in files of their own. */
int lua_model_execute(lua_State *L);
int lua_model_nodes(lua_State *L);
int lua_model_value(lua_State *L);

#endif

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

enum { LUA_BYTES_AT_MOST = 1 << 30 };

/* A row of the tables that make qcc, models and nodes: what scripts see, `qcc help lua` and the reference. */
struct lua_function {
	const char *name;
	const char *usage;	/* "m:insert{op=, inputs=, ...}" */
	const char *help;	/* a sentence or a few */
	lua_CFunction function; /* NULL: a field, not a function */
};
extern const struct lua_function lua_qcc_functions[], lua_model_functions[], lua_node_functions[];
/* Adds the functions of a table that a NULL name ends to the Lua table on the stack. */
void lua_add_functions(lua_State *L, const struct lua_function *rows);

struct script {
	const struct script_options *options;
	struct pipeline_options pipeline;
	size_t dumps;
	struct diags *diags;
	struct strbuf ran;
	int64_t bytes, steps; /* that Lua and the edits of graphs hold; that Lua has run */
	struct {
		struct lua_pass **items; /* lua_pass.c */
		size_t count, capacity;
	} passes;
	lua_State *running; /* that called the run() whose passes run now */
};

struct lua_model {
	struct graph *graph;
	struct script *script;
	json_t *report;
	struct verifier *verifier;
	char *file;
	struct strbuf ran;
	lua_Integer generation;	 /* a node taken before a run() may be gone */
	int64_t charged;	 /* of script.bytes */
	struct pass_ctx *inside; /* the script's own pass that runs on it now; NULL: none */
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

/* Each line of the error on the stack becomes a diagnostic. */
void lua_say_errors(lua_State *L, struct diags *d);

/* Registers the types and pushes nothing (lua_model.c, lua_node.c). */
void lua_register_model(lua_State *L);
void lua_register_node(lua_State *L);

/* ---- models (lua_model.c) ---- */
/* Counts memory that a graph takes for the script; an error where that is more than a script may have. */
void lua_charge(lua_State *L, struct lua_model *m, int64_t bytes);
int lua_model_load(lua_State *L); /* qcc.load */
/* The text at stack index i, which may hold no zero byte; `what` is what the error calls it. */
const char *lua_check_text(lua_State *L, int i, const char *what);

/* ---- nodes and values (lua_node.c) ---- */
void lua_push_node(lua_State *L, int model, struct node *n);
/* The node at stack index i: one of that model (NULL: of any), and still in its graph. */
struct node *lua_check_node(lua_State *L, int i, const struct lua_model *m);
struct lua_model *lua_node_model(lua_State *L, int i);
struct value *lua_check_value(lua_State *L, const struct lua_model *m, const char *name);
/* A constant as a list with its shape. */
void lua_push_tensor(lua_State *L, const struct tensor *t);
int lua_model_execute(lua_State *L);
int lua_model_initializer(lua_State *L);
int lua_model_nodes(lua_State *L);
int lua_model_value(lua_State *L);

/* ---- edits (lua_edit.c, lua_attr.c, lua_tensor.c) ---- */
/* What an edit of the model makes invalid. */
void lua_edited(struct lua_model *m);
/* Types the node anew and, where that changes its outputs, those that read them. Errors go to d. */
void lua_retype(struct node *n, struct diags *d);
/* Sets the attribute to the value on top of the stack; what it cannot be is an error. */
void lua_set_attr(lua_State *L, struct lua_model *m, struct node *n, const char *name);
int lua_node_attr(lua_State *L);
int lua_node_attrs(lua_State *L);
int lua_node_set_attr(lua_State *L);
int lua_node_set_input(lua_State *L);
int lua_model_clone(lua_State *L);
int lua_model_insert(lua_State *L);
int lua_model_remove(lua_State *L);
int lua_model_replace(lua_State *L);
int lua_model_replace_uses(lua_State *L);
int lua_model_set_datatype(lua_State *L);
int lua_model_set_initializer(lua_State *L);

/* ---- passes of scripts (lua_pass.c) ---- */
struct pass_set;
int lua_register_pass(lua_State *L); /* qcc.register_pass */
void lua_free_passes(struct script *s);
/* Those registered so far, for pipeline_parse_with; the caller frees items. */
struct pass_set lua_pass_set(const struct script *s);

/* ---- output (lua_output.c) ---- */
int lua_log(lua_State *L);
int lua_write(lua_State *L);

/* ---- at the terminal (lua_prompt.c) ---- */
/* Reads lines and runs them until there are no more. What fails is said at once and ends nothing. */
void lua_prompt(lua_State *L, struct diags *d);

#endif

/* m:execute in Lua: inputs from files or lists, outputs as lists. */
#include "script/lua_model.h"

#include <stdlib.h>

#include "pipeline/execute.h"
#include "pipeline/feed.h"
#include "util/integers.h"

void lua_push_tensor(lua_State *L, const struct tensor *t)
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
	int64_t dims[MAX_RANK], count = (int64_t)lua_rawlen(L, -1);
	for (int k = 0; k < v->rank; k++)
		dims[k] = v->dims[k];
	int64_t rest = v->rank > 0 ? dims_product(v->dims, 1, v->rank) : 1;
	if (v->rank > 0 && rest > 0)
		dims[0] = count / rest;
	struct tensor *t = v->rank >= 0 && rest > 0 ? tensor_try_new(v->elem, v->rank, dims) : NULL;
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
int lua_model_execute(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	struct diags d = { .file = m->file, .limits = m->script->diags->limits };
	struct feed f;
	struct tensor **outputs = xcalloc(m->graph->n_outputs, sizeof *outputs);
	feed_init(&f, m->graph);
	bool ok = take_inputs(L, 2, &f, &d) == 0 && execute_any(m->graph, f.tensors, outputs, &d) == 0;
	lua_newtable(L);
	for (uint32_t i = 0; i < m->graph->n_outputs; i++) {
		if (ok) {
			lua_push_tensor(L, outputs[i]);
			lua_setfield(L, -2, m->graph->output_names[i]);
		}
		tensor_unref(outputs[i]);
	}
	free(outputs);
	feed_free(&f);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	return 1;
}

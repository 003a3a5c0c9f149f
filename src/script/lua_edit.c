/* Edits of graphs in Lua: nodes in, out, and in the place of others, inputs and uses moved. An edit that would make a graph
 * which computes nothing (a cycle, an operator with wrong inputs, a value that is gone) is an error and changes nothing. */
#include "script/lua_model.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "pipeline/verifier.h"
#include "util/nearest.h"
#include "util/vec.h"

enum { MOST_SLOTS = 4096, NODE_BYTES = 1024, SLOT_BYTES = 64 };

void lua_edited(struct lua_model *m)
{
	m->graph->properties = 0;
	if (m->inside) {
		m->inside->changes++;
		return;
	}
	verifier_free(m->verifier); /* from now on the network is another one on purpose */
	m->verifier = NULL;
}

/* ---- types ---- */

struct type {
	uint8_t elem, layout;
	int8_t rank;
	const int64_t *dims;
	struct datatype datatype;
};

static bool same_type(const struct type *was, const struct value *v)
{
	if (was->elem != v->elem || was->rank != v->rank || !datatype_equal(was->datatype, v->datatype))
		return false;
	return v->rank <= 0 || memcmp(was->dims, v->dims, (size_t)v->rank * sizeof *v->dims) == 0;
}

static void forget_type(const struct node *n, struct value *v)
{
	v->elem = ELEM_UNDEFINED;
	v->rank = -1;
	v->dims = NULL;
	v->is_declared = false;
	v->range = NULL;
	if (n->op->datatype)
		v->datatype = datatype_of_kind(DT_NONE);
}

/* Whether an output has another type now. */
static bool retype_node(struct node *n, struct diags *d)
{
	struct type few[4], *was = n->n_outputs > 4 ? xcalloc(n->n_outputs, sizeof *was) : few;
	bool changed = false;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i];
		if (!v)
			continue;
		was[i] = (struct type){ v->elem, v->layout, v->rank, v->dims, v->datatype };
		forget_type(n, v);
	}
	node_infer(n, d);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		changed |= n->outputs[i] && !same_type(&was[i], n->outputs[i]);
	if (was != few)
		free(was);
	return changed;
}

static void mark_outputs(const struct node *n, bool *marks)
{
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (n->outputs[i])
			marks[n->outputs[i]->id] = true;
}

void lua_retype(struct node *first, struct diags *d)
{
	if (!first->op || !retype_node(first, d))
		return;
	bool *changed = xcalloc(first->graph->next_value_id + 1, sizeof *changed);
	mark_outputs(first, changed);
	for (struct node *n = first->next; n && !d->errors; n = n->next)
		if (n->op && node_reads_any(n, changed) && retype_node(n, d))
			mark_outputs(n, changed);
	free(changed);
}

/* ---- order ---- */

/* By value id: what is computed from n. The caller frees it. */
static bool *values_below(const struct node *n)
{
	bool *below = xcalloc(n->graph->next_value_id + 1, sizeof *below);
	mark_outputs(n, below);
	for (const struct node *k = n->next; k; k = k->next)
		if (node_reads_any(k, below))
			mark_outputs(k, below);
	return below;
}

static bool is_computed_from(const struct value *v, const struct node *n)
{
	if (!v || !v->producer)
		return false;
	bool *below = values_below(n);
	bool is = below[v->id];
	free(below);
	return is;
}

static void check_no_cycle(lua_State *L, const struct value *v, const struct node *n)
{
	if (is_computed_from(v, n))
		luaL_error(L, "'%s' is computed from node '%s': reading it there would make a cycle", v->name,
			   node_label(n));
}

/* By node id: the nodes that v is computed from. The caller frees it. */
static bool *nodes_above(const struct graph *g, const struct value *v)
{
	bool *above = xcalloc(g->next_node_id + 1, sizeof *above);
	if (v->producer)
		above[v->producer->id] = true;
	for (const struct node *n = v->producer; n; n = n->prev)
		for (uint32_t i = 0; above[n->id] && i < n->n_inputs; i++)
			if (n->inputs[i].value && n->inputs[i].value->producer)
				above[n->inputs[i].value->producer->id] = true;
	return above;
}

/* ---- uses ---- */

static bool is_capture(const struct use *u)
{
	return u->user && u->user->captures && u >= u->user->captures && u < u->user->captures + u->user->n_captures;
}

static bool is_captured(const struct value *v)
{
	for (const struct use *u = v->uses; u; u = u->next)
		if (is_capture(u))
			return true;
	return false;
}

/* All uses of `from` but those by nodes that `to` is computed from. Types of the users follow. */
static size_t move_uses(struct graph *g, struct value *from, struct value *to, struct diags *d)
{
	bool *above = nodes_above(g, to);
	size_t moved = 0;
	struct {
		struct node **items;
		size_t count, capacity;
	} users = { 0 };
	origin_inherit(from, to);
	value_for_each_use (from, u) {
		if (u->user && (above[u->user->id] || is_capture(u)))
			continue;
		moved++;
		if (!u->user) {
			graph_set_output(g, u->index, to);
			continue;
		}
		vec_push(&users, u->user);
		node_set_input(u->user, u->index, to);
	}
	free(above);
	graph_sort(g, d);
	for (size_t i = 0; i < users.count; i++)
		lua_retype(users.items[i], d);
	vec_free(&users);
	return moved;
}

static void check_not_captured(lua_State *L, const struct value *v)
{
	if (is_captured(v))
		luaL_error(L, "'%s' is used by name in a subgraph of a node; inline or change that node first",
			   v->name);
}

int lua_model_replace_uses(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	struct value *from = lua_check_value(L, m, lua_check_text(L, 2, "the value"));
	struct value *to = lua_check_value(L, m, lua_check_text(L, 3, "the new value"));
	struct diags d = { .file = m->file };
	check_not_captured(L, from);
	lua_edited(m);
	size_t moved = from == to ? 0 : move_uses(m->graph, from, to, &d);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	lua_pushinteger(L, (lua_Integer)moved);
	return 1;
}

int lua_node_set_input(lua_State *L)
{
	struct node *n = lua_check_node(L, 1, NULL);
	struct lua_model *m = lua_node_model(L, 1);
	lua_Integer i = luaL_checkinteger(L, 2);
	const char *name = lua_check_text(L, 3, "the value");
	struct value *v = *name ? lua_check_value(L, m, name) : NULL;
	struct diags d = { .file = m->file }, ignored = { 0 };
	luaL_argcheck(L, i >= 1 && i <= (lua_Integer)n->n_inputs + 1, 2, "there is no such input");
	check_no_cycle(L, v, n);
	lua_charge(L, m, SLOT_BYTES);
	lua_edited(m);
	size_t slot = (size_t)(i - 1);
	bool longer = slot == n->n_inputs;
	struct value *old = node_input(n, slot);
	bool pinned = old && old->is_pinned;
	if (old)
		old->is_pinned = true; /* a constant that is read nowhere else would go */
	if (longer)
		node_append_input(n, v);
	else
		node_set_input(n, slot, v);
	graph_sort(m->graph, &d);
	lua_retype(n, &d);
	if (d.errors && longer)
		node_truncate_inputs(n, slot);
	else if (d.errors)
		node_set_input(n, slot, old);
	if (d.errors)
		lua_retype(n, &ignored);
	if (old)
		old->is_pinned = pinned;
	diags_free(&ignored);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

/* ---- new nodes ---- */

/* What m:insert and m:replace take, checked; at the indices of the stack that are named here. */
struct wanted {
	const struct op *op;
	int table;
	struct value **inputs;
	size_t n_inputs, n_outputs;
	const char *name;
};

static const struct op *find_operator(lua_State *L, const char *name, const char *domain)
{
	struct nearest near = { .word = name };
	for (size_t i = 0; i < op_table_size; i++) {
		const struct op *op = op_table[i];
		if (!strcmp(op->name, name) && (!domain || op_find(domain, name) == op))
			return op;
		nearest_consider(&near, op->name);
	}
	const char *meant = nearest_name(&near);
	if (meant && strcmp(meant, name) != 0)
		luaL_error(L, "there is no operator '%s'; did you mean '%s'?", name, meant);
	luaL_error(L, "there is no operator '%s'%s%s; qcc operators shows all", name, domain ? " in domain " : "",
		   domain ? domain : "");
	return NULL;
}

static void check_keys(lua_State *L, int table)
{
	static const char *const keys[] = { "attrs", "before", "domain", "inputs", "name", "op", "outputs" };
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		bool known = false;
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			known |= !strcmp(key, keys[i]);
		if (!known)
			luaL_error(L, "a new node has op, inputs, outputs, attrs, name, domain and before, not '%s'",
				   key);
	}
}

/* The text at a key of the table; NULL where it is absent. It stays on the stack. */
static const char *text_field(lua_State *L, int table, const char *key)
{
	return lua_getfield(L, table, key) == LUA_TNIL ? NULL : lua_check_text(L, lua_gettop(L), key);
}

/* The values that the list at the top of the stack names, "" for one left out; the array is Lua's. */
static struct value **values_of(lua_State *L, const struct lua_model *m, size_t *count)
{
	int list = lua_gettop(L);
	luaL_checktype(L, list, LUA_TTABLE);
	*count = (size_t)lua_rawlen(L, list);
	if (*count > MOST_SLOTS)
		luaL_error(L, "a node has at most %d inputs", MOST_SLOTS);
	struct value **values = lua_newuserdatauv(L, (*count + 1) * sizeof *values, 0);
	for (size_t i = 0; i < *count; i++) {
		lua_rawgeti(L, list, (lua_Integer)i + 1);
		const char *name = lua_check_text(L, lua_gettop(L), "an input");
		values[i] = *name ? lua_check_value(L, m, name) : NULL;
		lua_pop(L, 1);
	}
	return values;
}

static size_t count_outputs(lua_State *L, int table)
{
	lua_Integer count = 1;
	switch (lua_getfield(L, table, "outputs")) {
	case LUA_TNIL: break;
	case LUA_TNUMBER: count = luaL_checkinteger(L, -1); break;
	case LUA_TTABLE: count = (lua_Integer)lua_rawlen(L, -1); break;
	default: luaL_error(L, "outputs is a number of them or a list of names");
	}
	lua_pop(L, 1);
	if (count < 1 || count > MOST_SLOTS)
		luaL_error(L, "a node has 1 to %d outputs", MOST_SLOTS);
	return (size_t)count;
}

/* old: whose inputs and outputs stand for those that are not named; NULL: none. */
static struct wanted read_wanted(lua_State *L, const struct lua_model *m, int table, const struct node *old)
{
	struct wanted w = { .table = table };
	luaL_checktype(L, table, LUA_TTABLE);
	luaL_checkstack(L, 24, NULL);
	check_keys(L, table);
	const char *op = text_field(L, table, "op"), *domain = text_field(L, table, "domain");
	w.name = text_field(L, table, "name");
	if (!op)
		luaL_error(L, "a new node needs an operator: {op=\"Mul\", inputs={\"x\", \"y\"}}");
	w.op = find_operator(L, op, domain);
	w.n_outputs = old ? old->n_outputs : count_outputs(L, table);
	if (lua_getfield(L, table, "inputs") == LUA_TNIL && old) {
		w.n_inputs = old->n_inputs;
		w.inputs = lua_newuserdatauv(L, (w.n_inputs + 1) * sizeof *w.inputs, 0);
		for (size_t i = 0; i < w.n_inputs; i++)
			w.inputs[i] = old->inputs[i].value;
	} else {
		w.inputs = values_of(L, m, &w.n_inputs);
	}
	return w;
}

/* Behind the last node that computes one of the inputs; NULL: at the end. */
static struct node *earliest_place(const struct graph *g, const struct wanted *w)
{
	for (const struct node *n = g->last; n; n = n->prev)
		for (size_t i = 0; i < w->n_inputs; i++)
			if (w->inputs[i] && w->inputs[i]->producer == n)
				return n->next;
	return g->first;
}

static struct node *place_of(lua_State *L, const struct lua_model *m, const struct wanted *w)
{
	if (lua_getfield(L, w->table, "before") == LUA_TNIL)
		return earliest_place(m->graph, w);
	struct node *before = lua_check_node(L, lua_gettop(L), m);
	for (const struct node *n = before; n; n = n->next)
		for (size_t i = 0; i < w->n_inputs; i++)
			if (w->inputs[i] && w->inputs[i]->producer == n)
				luaL_error(L, "'%s' is not computed yet before node '%s'", w->inputs[i]->name,
					   node_label(before));
	return before;
}

/* Arguments: the table, the node and the model as pointers. Errors leave the node as it is: the caller takes it out. */
static int finish_node(lua_State *L)
{
	struct node *n = lua_touserdata(L, 2);
	struct lua_model *m = lua_touserdata(L, 3);
	if (lua_getfield(L, 1, "attrs") != LUA_TNIL) {
		int attrs = lua_gettop(L);
		luaL_checktype(L, attrs, LUA_TTABLE);
		for (lua_pushnil(L); lua_next(L, attrs); lua_pop(L, 1)) {
			if (lua_type(L, -2) != LUA_TSTRING)
				luaL_error(L, "attributes are written as {name=value}");
			lua_set_attr(L, m, n, lua_check_text(L, lua_gettop(L) - 1, "an attribute's name"));
		}
	}
	struct diags d = { .file = m->file };
	if (!n->op->infer || node_infer(n, &d) == 0)
		node_check_arity(n, &d);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

/* Takes out a node that nothing reads; constants that only it read stay. */
static void take_out(struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++) {
		struct value *v = n->inputs[i].value;
		bool pinned = v && v->is_pinned;
		if (v)
			v->is_pinned = true;
		node_set_input(n, i, NULL);
		if (v)
			v->is_pinned = pinned;
	}
	node_remove(n);
}

static struct node *make_node(lua_State *L, struct lua_model *m, const struct wanted *w, struct node *before)
{
	lua_charge(L, m, NODE_BYTES + SLOT_BYTES * (int64_t)(w->n_inputs + w->n_outputs));
	lua_edited(m);
	luaL_checkstack(L, 8, NULL);
	struct node *n =
		node_new(m->graph, before, w->op->domain, w->op->name, w->inputs, w->n_inputs, w->n_outputs, w->name);
	lua_pushcfunction(L, finish_node);
	lua_pushvalue(L, w->table);
	lua_pushlightuserdata(L, n);
	lua_pushlightuserdata(L, m);
	if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
		take_out(n);
		lua_error(L);
	}
	return n;
}

/* Gives the outputs the names in the list; NULL, or the name that cannot be had. */
static const char *name_outputs(lua_State *L, struct node *n, int list)
{
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		const char *name = lua_rawgeti(L, list, i + 1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
		lua_pop(L, 1);
		if (!*name || !value_rename(n->graph, n->outputs[i], name))
			return name;
	}
	return NULL;
}

int lua_model_insert(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	lua_settop(L, 2);
	struct wanted w = read_wanted(L, m, 2, NULL);
	struct node *n = make_node(L, m, &w, place_of(L, m, &w));
	if (lua_getfield(L, 2, "outputs") == LUA_TTABLE) {
		const char *taken = name_outputs(L, n, lua_gettop(L));
		if (taken)
			take_out(n);
		if (taken && *taken)
			return luaL_error(L, "there is a value '%s' already", taken);
		if (taken)
			return luaL_error(L, "outputs is a list of names, none of them empty");
	}
	lua_push_node(L, 1, n);
	return 1;
}

/* ---- nodes out, and in the place of others ---- */

static void check_unused(lua_State *L, const struct node *n, uint32_t first)
{
	for (uint32_t i = first; i < n->n_outputs; i++) {
		const struct use *u = n->outputs[i] ? n->outputs[i]->uses : NULL;
		if (u && u->user)
			luaL_error(
				L,
				"output '%s' is read by node '%s'; m:remove(node, value) gives its readers another value",
				n->outputs[i]->name, node_label(u->user));
		if (u || (n->outputs[i] && n->outputs[i]->is_pinned))
			luaL_error(L,
				   "'%s' is an output of the network; m:remove(node, value) puts another value there",
				   n->outputs[i]->name);
	}
}

int lua_model_remove(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	struct node *n = lua_check_node(L, 2, m);
	bool bypass = !lua_isnoneornil(L, 3);
	struct value *instead = bypass ? lua_check_value(L, m, lua_check_text(L, 3, "the value")) : NULL;
	struct diags d = { .file = m->file };
	struct value *out = node_output(n, 0);
	check_unused(L, n, bypass);
	if (bypass && out) {
		check_no_cycle(L, instead, n);
		check_not_captured(L, out);
		move_uses(m->graph, out, instead, &d);
	}
	lua_edited(m);
	if (out && out->uses) /* by what the new value is computed from */
		diag_error(&d, NULL, "'%s' is still read by node '%s'", out->name, node_label(out->uses->user));
	else
		node_remove(n);
	return lua_push_errors(L, &d) ? lua_raise(L) : 0;
}

/* The new node's outputs take the place and the names of the old one's. */
static void take_over(struct node *n, struct node *old)
{
	struct graph *g = n->graph;
	const char **names = xcalloc(n->n_outputs + 1, sizeof *names);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (old->outputs[i]) {
			names[i] = old->outputs[i]->name;
			value_replace_uses(old->outputs[i], n->outputs[i]);
		}
	node_remove(old);
	for (uint32_t i = 0; i < n->n_outputs; i++)
		if (names[i])
			value_rename(g, n->outputs[i], names[i]);
	free(names);
}

int lua_model_replace(lua_State *L)
{
	struct lua_model *m = check_model(L, 1);
	struct node *old = lua_check_node(L, 2, m);
	struct diags d = { .file = m->file };
	lua_settop(L, 3);
	struct wanted w = read_wanted(L, m, 3, old);
	bool *below = values_below(old);
	const char *later = NULL;
	for (size_t i = 0; i < w.n_inputs; i++)
		if (w.inputs[i] && below[w.inputs[i]->id])
			later = w.inputs[i]->name;
	free(below);
	if (later)
		return luaL_error(L, "'%s' is computed from node '%s': reading it there would make a cycle", later,
				  node_label(old));
	for (uint32_t i = 0; i < old->n_outputs; i++)
		if (old->outputs[i])
			check_not_captured(L, old->outputs[i]);
	struct node *n = make_node(L, m, &w, earliest_place(m->graph, &w));
	take_over(n, old);
	graph_sort(m->graph, &d);
	graph_for_each_node (m->graph, reader)
		for (uint32_t i = 0; i < reader->n_inputs && !d.errors; i++)
			if (reader->inputs[i].value && reader->inputs[i].value->producer == n)
				lua_retype(reader, &d);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	lua_push_node(L, 1, n);
	return 1;
}

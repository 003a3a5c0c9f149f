/* unique-names: readable names. Nodes become MatMul_0, MatMul_1, ...; values MatMul_0_out0, their constants
 * MatMul_0_param0. The names of inputs and outputs, the model's interface, stay. */
#include <stdint.h>

#include "passes/edit.h"
#include "passes/pass.h"

void numbered_name(struct map *counts, const char *kind, struct strbuf *name)
{
	uintptr_t number = (uintptr_t)map_get(counts, kind);
	map_set(counts, kind, (void *)(number + 1));
	strbuf_puts(name, kind);
	strbuf_puts(name, "_");
	strbuf_int(name, (int64_t)number);
}

static void name_node(void *user, const struct node *n, struct strbuf *name)
{
	numbered_name(user, n->op_type, name);
}

static void add_name(struct strbuf *name, const struct node *n, const char *what, uint32_t i)
{
	strbuf_puts(name, n->name);
	strbuf_puts(name, what);
	strbuf_int(name, i);
}

static void name_value(void *user, const struct value *v, struct strbuf *name)
{
	(void)user;
	if (v->producer) {
		uint32_t i = 0;
		while (v->producer->outputs[i] != v)
			i++;
		add_name(name, v->producer, "_out", i);
		return;
	}
	const struct use *last = NULL; /* the list is newest first: a shared constant goes by its first user */
	for (const struct use *u = v->uses; u; u = u->next)
		if (u->user)
			last = u;
	if (last)
		add_name(name, last->user, "_param", last->index ? last->index - 1 : 0);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct map counts = { 0 };
	graph_rename(ctx->graph, &(struct renaming){ name_node, name_value, &counts });
	map_free(&counts);
	ctx->graph->names_due = false;
	return PASS_UNCHANGED;
}

const struct pass pass_unique_names = {
	.name = "unique-names",
	.summary = "gives nodes and values readable, unique names",
	.help = "Nodes become MatMul_0, MatMul_1, ...; what they compute MatMul_0_out0, their constants MatMul_0_param0.\n"
		"Inputs and outputs of the graph keep their names.",
	.preserves = ~0u,
	.run = run,
	.renames_all = true,
};

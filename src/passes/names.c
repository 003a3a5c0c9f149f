/* unique-names: readable names. Nodes become MatMul_0, MatMul_1, ...; values MatMul_0_out0, their constants
 * MatMul_0_param0. The names of inputs and outputs, the model's interface, stay. */
#include <stdio.h>
#include <stdlib.h>

#include "passes/pass.h"

struct naming {
	struct graph *graph;
	struct map counts;	/* op_type -> how many so far, as an integer */
};

static void name_node(struct naming *names, struct node *n)
{
	size_t number = (size_t)(uintptr_t)map_get(&names->counts, n->op_type);
	map_set(&names->counts, n->op_type, (void *)(uintptr_t)(number + 1));
	n->name = arena_printf(&names->graph->arena, "%s_%zu", n->op_type, number);
}

static const char *name_of(void *user, const struct value *v)
{
	struct graph *g = user;
	if (v->producer) {
		uint32_t i = 0;
		while (v->producer->outputs[i] != v)
			i++;
		return arena_printf(&g->arena, "%s_out%u", v->producer->name, i);
	}
	const struct use *last = NULL;	/* the list is newest first: a shared constant goes by its first user */
	for (const struct use *u = v->uses; u; u = u->next)
		if (u->user)
			last = u;
	if (!last)
		return NULL;
	return arena_printf(&g->arena, "%s_param%u", last->user->name, last->index ? last->index - 1 : 0);
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct naming names = { .graph = ctx->graph };
	for (struct node *n = ctx->graph->first; n; n = n->next)
		name_node(&names, n);
	graph_rename_values(ctx->graph, name_of, ctx->graph);
	map_free(&names.counts);
	return PASS_UNCHANGED;
}

const struct pass pass_unique_names = {
	.name = "unique-names",
	.summary = "gives nodes and values readable, unique names",
	.help = "Nodes become MatMul_0, MatMul_1, ...; what they compute MatMul_0_out0, their constants MatMul_0_param0.\n"
		"Inputs and outputs of the graph keep their names.",
	.preserves = ~0u,
	.run = run,
};

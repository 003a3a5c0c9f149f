/* Decides the names of the outputs in a written file. A value that is an output takes the interface's name, unless it
 * is an input, is named by a subgraph, or is another output already: then an Identity gives the name. Any other value
 * inside the graph that has this name gets a different one. */
#include <stdlib.h>
#include <string.h>

#include "ir/onnx_names.h"

static bool keeps_name(const struct output_names *names, const struct value *v)
{
	return v->is_input || v->is_pinned || names->is_output[v->id];
}

/* Another value has the name that output i needs: it is called name_1, name_2, ... instead. */
static int give_way(struct output_names *names, const struct graph *g, struct value *v, const char *wanted,
		    struct diags *d)
{
	if (keeps_name(names, v))
		return diag_error(d, "rename one of them",
				  "output '%s' cannot have its name: '%s' is another value "
				  "of the graph's interface",
				  wanted, v->name);
	char *name;
	unsigned i = 1;
	do
		name = arena_printf(&names->arena, "%s_%u", wanted, i++);
	while (graph_value(g, name) || map_has(&names->claimed, name));
	names->names[v->id] = name;
	return 0;
}

static int claim_names(struct output_names *names, const struct graph *g, struct diags *d)
{
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const char *name = g->output_names[i];
		if (map_has(&names->claimed, name))
			return diag_error(d, "rename one of them", "two outputs of the graph are called '%s'", name);
		map_set(&names->claimed, name, names);
	}
	return 0;
}

/* Outputs whose value has the right name already, then those that take it over, then aliases. */
static int name_outputs(struct output_names *names, const struct graph *g, struct diags *d)
{
	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (strcmp(g->outputs[i].value->name, g->output_names[i]) == 0)
			names->is_output[g->outputs[i].value->id] = true;
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		const struct value *v = g->outputs[i].value;
		const char *wanted = g->output_names[i];
		if (strcmp(output_names_of(names, v), wanted) == 0)
			continue;
		struct value *other = graph_value(g, wanted);
		if (other && other != v && strcmp(output_names_of(names, other), wanted) == 0 &&
		    give_way(names, g, other, wanted, d) < 0)
			return -1;
		if (keeps_name(names, v)) {
			names->aliased[i] = true;
		} else {
			names->names[v->id] = wanted;
			names->is_output[v->id] = true;
		}
	}
	return 0;
}

int output_names_find(struct output_names *names, const struct graph *g, struct diags *d)
{
	arena_init(&names->arena);
	names->names = xcalloc(g->next_value_id, sizeof *names->names);
	names->is_output = xcalloc(g->next_value_id, sizeof *names->is_output);
	names->aliased = xcalloc(g->n_outputs, sizeof *names->aliased);
	if (claim_names(names, g, d) < 0)
		return -1;
	return name_outputs(names, g, d);
}

void output_names_free(struct output_names *names)
{
	free(names->names);
	free(names->is_output);
	free(names->aliased);
	map_free(&names->claimed);
	arena_free(&names->arena);
}

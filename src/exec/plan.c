/* Plans: the order of execution, which values are constant, and where each value is used last. */
#include "exec/plan.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/arena.h"

static bool inputs_constant(const struct exec_plan *p, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (n->inputs[i].value && !p->constants[n->inputs[i].value->id])
			return false;
	return true;
}

static int fold(struct exec_plan *p, struct exec_step *s, struct exec_budget *left, struct diags *d)
{
	const struct node *n = s->node;
	struct tensor **in = xcalloc(p->widest, 2 * sizeof *in), **out = in + p->widest;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		in[i] = n->inputs[i].value ? p->constants[n->inputs[i].value->id] : NULL;
	struct exec_how how = { 1, exec_nested, left, SHAPES_DECLARED };
	int result = node_execute_with(n, in, out, &how, d);
	for (uint32_t i = 0; i < n->n_outputs && result == 0; i++) {
		left->bytes -= n->outputs[i] ? tensor_bytes(out[i]) : 0;
		if (n->outputs[i])
			p->constants[n->outputs[i]->id] = out[i];
		else
			tensor_unref(out[i]);
	}
	s->folded = result == 0;
	free(in);
	return result;
}

static int plan_steps(struct exec_plan *p, struct diags *d)
{
	size_t i = 0;
	struct exec_budget left = exec_budget_of(p->constant_bytes, d);
	for (const struct node *n = p->graph->first; n; n = n->next, i++) {
		struct exec_step *s = &p->steps[i];
		s->node = n;
		if (node_check_arity(n, d) != 0)
			return -1;
		bool pure = n->op && !(n->op->flags & OP_IMPURE) && n->n_captures == 0;
		if (pure && inputs_constant(p, n) && fold(p, s, &left, d) != 0)
			return -1;
	}
	return 0;
}

/* Walks backwards: the first use met is the last one. Outputs, constants and captured values stay. */
static void plan_frees(struct exec_plan *p)
{
	const struct graph *g = p->graph;
	bool *kept = xcalloc(g->next_value_id, sizeof *kept);
	uint32_t count = 0;
	for (uint32_t i = 0; i < g->n_outputs; i++)
		kept[g->outputs[i].value->id] = true;
	for (size_t i = p->n_steps; i-- > 0;) {
		struct exec_step *s = &p->steps[i];
		s->first_free = count;
		for (uint32_t k = 0; k < s->node->n_inputs + s->node->n_outputs; k++) {
			/* an output that is not used is freed at once */
			const struct value *v = k < s->node->n_inputs ? s->node->inputs[k].value
								      : s->node->outputs[k - s->node->n_inputs];
			if (!v || kept[v->id] || v->is_pinned || p->constants[v->id])
				continue;
			kept[v->id] = true;
			p->frees[count++] = v->id;
		}
		s->n_free = count - s->first_free;
	}
	free(kept);
}

static void count_all(struct exec_plan *p, size_t *slots)
{
	for (const struct node *n = p->graph->first; n; n = n->next) {
		size_t most = n->n_inputs > n->n_outputs ? n->n_inputs : n->n_outputs;
		p->n_steps++;
		p->widest = most > p->widest ? most : p->widest;
		*slots += n->n_inputs + n->n_outputs;
	}
	p->widest = p->widest ? p->widest : 1;
}

struct exec_plan *exec_plan_new(const struct graph *g, struct diags *d)
{
	struct exec_plan *p = xcalloc(1, sizeof *p);
	size_t slots = 0;
	p->graph = g;
	p->batch = 1;
	p->n_inputs = graph_data_inputs(g, NULL, 0);
	p->inputs = xcalloc(p->n_inputs, sizeof *p->inputs);
	graph_data_inputs(g, p->inputs, p->n_inputs);
	count_all(p, &slots);
	p->steps = xcalloc(p->n_steps, sizeof *p->steps);
	p->frees = xcalloc(slots, sizeof *p->frees);
	p->constants = xcalloc(g->next_value_id, sizeof(struct tensor *));
	for (const struct value *v = g->values; v; v = v->next)
		if (value_is_constant(v))
			p->constants[v->id] = tensor_ref(v->constant);
	p->constant_bytes = constant_bytes(g);
	if (plan_steps(p, d) != 0) {
		exec_plan_free(p);
		return NULL;
	}
	plan_frees(p);
	plan_find_batches(p);
	return p;
}

void exec_plan_free(struct exec_plan *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->graph->next_value_id; i++)
		tensor_unref(p->constants[i]);
	free(p->constants);
	free(p->frees);
	free(p->steps);
	free(p->inputs);
	free(p);
}

/* Execution of a plan: one pass over its steps. */
#include "exec/exec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/plan.h"
#include "ops/op.h"
#include "util/arena.h"
#include "util/integers.h"

/* The values of one execution. */
struct frame {
	const struct exec_plan *plan;
	const struct exec_options *options;
	struct tensor **values;	   /* by value id; owned, but for the plan's constants */
	struct tensor **in, **out; /* of the node at hand */
	struct exec_budget left;
	struct diags *diags;
};

static void observe(const struct frame *f, const struct value *v)
{
	const struct exec_options *o = f->options;
	if (!o || !o->observe || !v)
		return;
	const struct tensor *t = f->plan->constants[v->id];
	o->observe(o->user, v, t ? t : f->values[v->id]);
}

static struct tensor *frame_value(const struct frame *f, const struct value *v)
{
	if (!v)
		return NULL;
	struct tensor *constant = f->plan->constants[v->id];
	return constant ? constant : f->values[v->id];
}

/* A step that reshapes each sample by itself, given more samples than the model's batch: the declared shape, with
 * the first dim of the data. */
static int view_samples(struct frame *f, const struct exec_step *s)
{
	const struct value *to = s->node->outputs[0];
	const struct tensor *t = f->in[0];
	int64_t dims[MAX_RANK];
	memcpy(dims, to->dims, (size_t)to->rank * sizeof *dims);
	dims[0] = t->dims[0];
	if (shape_count(to->rank, dims, (enum elem_type)t->elem) != t->count)
		return diag_node_error(f->diags, s->node, "re-export the model with consistent shapes",
				       "the declared shape of '%s' does not hold its elements", to->name);
	f->out[0] = tensor_view(t, to->rank, dims);
	return 0;
}

static int run_step(struct frame *f, const struct exec_step *s, bool in_batches)
{
	const struct node *n = s->node;
	int threads = f->options && f->options->threads > 0 ? f->options->threads : 1;
	for (uint32_t i = 0; i < n->n_inputs; i++)
		f->in[i] = frame_value(f, n->inputs[i].value);
	struct exec_how how = { threads, exec_nested, &f->left, in_batches ? SHAPES_OF_SAMPLES : SHAPES_DECLARED };
	int result =
		in_batches && s->keeps_batch ? view_samples(f, s) : node_execute_with(n, f->in, f->out, &how, f->diags);
	if (result != 0)
		return -1;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		f->left.bytes -= n->outputs[i] ? tensor_bytes(f->out[i]) : 0;
		if (n->outputs[i])
			f->values[n->outputs[i]->id] = f->out[i];
		else
			tensor_unref(f->out[i]);
	}
	return 0;
}

static int run_steps(struct frame *f, bool in_batches)
{
	const struct exec_plan *p = f->plan;
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct exec_step *s = &p->steps[i];
		if (!s->folded && run_step(f, s, in_batches) != 0)
			return -1;
		for (uint32_t k = 0; k < s->node->n_outputs; k++)
			observe(f, s->node->outputs[k]);
		for (uint32_t k = 0; k < s->n_free; k++) {
			struct tensor **value = &f->values[p->frees[s->first_free + k]];
			f->left.bytes += tensor_bytes(*value);
			tensor_unref(*value);
			*value = NULL;
		}
	}
	return 0;
}

static int64_t given_bytes(const struct exec_plan *p, struct tensor *const *inputs)
{
	int64_t bytes = p->constant_bytes;
	for (size_t i = 0; i < p->n_inputs; i++)
		bytes = add_clamped(bytes, tensor_bytes(inputs[i]));
	return bytes;
}

static int take_outputs(const struct frame *f, struct tensor **outputs)
{
	const struct graph *g = f->plan->graph;
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		struct tensor *t = frame_value(f, g->outputs[i].value);
		outputs[i] = tensor_ref(t);
		if (!t)
			return diag_error(f->diags, NULL, "output '%s' is never computed", g->outputs[i].value->name);
	}
	return 0;
}

int plan_execute(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		 const struct exec_options *o, bool in_batches, struct diags *d)
{
	size_t n_values = p->graph->next_value_id;
	struct frame f = { .plan = p, .options = o, .diags = d, .left = exec_budget_of(given_bytes(p, inputs), d) };
	f.values = xcalloc(n_values + 2 * p->widest, sizeof *f.values);
	f.in = f.values + n_values;
	f.out = f.in + p->widest;
	memset(outputs, 0, p->graph->n_outputs * sizeof *outputs);
	for (size_t i = 0; i < p->n_inputs; i++) {
		f.values[p->inputs[i]->id] = tensor_ref(inputs[i]);
		observe(&f, p->inputs[i]);
	}
	int result = run_steps(&f, in_batches);
	if (result == 0)
		result = take_outputs(&f, outputs);
	for (size_t i = 0; i < n_values; i++)
		tensor_unref(f.values[i]);
	free(f.values);
	for (uint32_t i = 0; i < p->graph->n_outputs && result != 0; i++) {
		tensor_unref(outputs[i]);
		outputs[i] = NULL;
	}
	return result;
}

int exec_plan_run(const struct exec_plan *p, struct tensor *const *inputs, struct tensor **outputs,
		  const struct exec_options *o, struct diags *d)
{
	int64_t samples;
	if (check_inputs(p, inputs, false, &samples, d) != 0)
		return -1;
	return plan_execute(p, inputs, outputs, o, false, d);
}

int exec_graph(const struct graph *g, struct tensor *const *inputs, struct tensor **outputs,
	       const struct exec_options *o, struct diags *d)
{
	struct exec_plan *p = exec_plan_new(g, d);
	int result = p ? exec_plan_run(p, inputs, outputs, o, d) : -1;
	exec_plan_free(p);
	return result;
}

int exec_nested(const struct graph *g, struct tensor *const *in, struct tensor **out, int threads, struct diags *d)
{
	struct exec_options o = { .threads = threads };
	return exec_graph(g, in, out, &o, d);
}

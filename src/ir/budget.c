/* What executions may take, and the shapes that results must have. */
#include "ir/op.h"
#include "util/integers.h"
#include "util/limits.h"
#include "util/strbuf.h"

struct exec_budget exec_budget_of(int64_t given, const struct diags *d)
{
	enum { TIMES_GIVEN = 64, STEPS_PER_BYTE = 1 << 16 };
	const int64_t base = INT64_C(64) << 20, steps = INT64_C(1) << 30;
	const struct limits *l = d->limits;
	struct exec_budget b = { add_clamped(base, multiply_clamped(given, TIMES_GIVEN)),
				 add_clamped(steps, multiply_clamped(given, STEPS_PER_BYTE)) };
	if (l && l->memory > 0)
		b.bytes = l->memory;
	if (l && l->seconds > 0)
		b.work = l->seconds < 1e9 ? (int64_t)(l->seconds * 1e9) + 1 : INT64_MAX;
	return b;
}

int64_t constant_bytes(const struct graph *g)
{
	int64_t bytes = 0;
	for (const struct value *v = g->values; v; v = v->next)
		bytes = add_clamped(bytes, tensor_bytes(v->constant));
	return bytes;
}

struct exec_budget exec_budget_of_constants(const struct graph *g, const struct diags *d)
{
	return exec_budget_of(constant_bytes(g), d);
}

int64_t tensor_bytes(const struct tensor *t)
{
	int64_t size = t ? (int64_t)elem_size((enum elem_type)t->elem) : 0;
	return t ? multiply_clamped(t->count, size < 4 ? 4 : size) : 0;
}

int exec_work(struct exec_ctx *x, int64_t count, int64_t steps)
{
	int64_t work = multiply_clamped(count, steps);
	if (work > x->left->work)
		return diag_node_error(x->diags, x->node, "allow more with --max-seconds",
				       "it takes about %.2g steps, more than the model may take in all (%.2g left)",
				       (double)work, (double)x->left->work);
	x->left->work -= work;
	return limits_check(x->diags);
}

/* The declared shape that output i must have; what is not known fits. */
static bool fits_declared(const struct exec_ctx *x, size_t i, int rank, const int64_t *dims)
{
	const struct value *v = node_output(x->node, i);
	if (x->shapes == SHAPES_ANY || !v || v->rank < 0)
		return true;
	bool fits = v->rank == rank;
	for (int k = x->shapes == SHAPES_OF_SAMPLES; k < rank && fits; k++)
		fits = v->dims[k] < 0 || v->dims[k] == dims[k];
	return fits;
}

int exec_check_shape(struct exec_ctx *x, size_t i, int rank, const int64_t *dims)
{
	if (fits_declared(x, i, rank, dims))
		return 0;
	const struct value *v = node_output(x->node, i);
	struct strbuf declared = { 0 }, computed = { 0 };
	shape_text(&declared, v->rank, v->dims);
	shape_text(&computed, rank, dims);
	diag_node_error(x->diags, x->node, "re-export the model, or remove the wrong value_info",
			"'%s' is declared with shape %s, but computed with shape %s", v->name, declared.text,
			computed.text);
	strbuf_free(&declared);
	strbuf_free(&computed);
	return -1;
}

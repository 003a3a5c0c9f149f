/* Executing a network on the rows of a data set (see predict.h). */
#include "data/predict.h"

#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "ops/op.h"
#include "util/arena.h"

enum { ROWS_AT_ONCE = 4096 };

struct value *predict_input(const struct graph *g, struct diags *d)
{
	struct value *v = NULL;
	size_t n = graph_data_inputs(g, &v, 1);
	if (n == 1 && g->n_outputs >= 1)
		return v;
	diag_error(d, NULL, "has %zu inputs and %u outputs; one of each is wanted", n, g->n_outputs);
	return NULL;
}

static bool is_scalar_op(const struct node *n, const struct op *op, double x)
{
	double c;
	return n && n->op == op && n->n_inputs == 2 && value_scalar(node_input(n, 1), &c) && c == x;
}

/* The input is declared BIPOLAR, or (x + 1) / 2 comes first, as bipolar-input writes it. */
static bool takes_bipolar(const struct value *v)
{
	struct use *u = value_only_use(v);
	if (v->datatype.kind == DT_BIPOLAR)
		return true;
	struct node *add = u ? u->user : NULL;
	if (!is_scalar_op(add, &op_Add, 1))
		return false;
	u = value_only_use(add->outputs[0]);
	return u && (is_scalar_op(u->user, &op_Div, 2) || is_scalar_op(u->user, &op_Mul, 0.5));
}

/* Probabilities and bits are halved at 0.5, everything else at 0. */
static double middle_of(const struct value *v)
{
	bool sigmoid = v->producer && v->producer->op == &op_Sigmoid;
	return sigmoid || (datatype_is_integer(v->datatype) && !datatype_is_signed(v->datatype)) ? 0.5 : 0;
}

int feeding_find(struct feeding *f, const struct graph *g, const struct dataset *s, struct diags *d)
{
	const struct value *v = predict_input(g, d);
	if (!v)
		return -1;
	*f = (struct feeding){ .length = 1, .middle = middle_of(g->outputs[0].value) };
	for (int i = 1; i < v->rank; i++)
		f->length = v->dims[i] > 0 ? f->length * v->dims[i] : -1;
	if (v->rank < 1 || f->length < 1)
		return diag_error(d, "set-shapes gives open dimensions numbers", "the shape of input '%s' is not known",
				  v->name);
	f->bipolar = s->binary && takes_bipolar(v);
	f->pads = f->length - s->row;
	if (f->pads < 0 || (f->pads > 0 && !s->binary))
		return diag_error(d, NULL, "input '%s' has %lld elements, but a row of the data has %lld", v->name,
				  (long long)f->length, (long long)s->row);
	return 0;
}

struct tensor *feeding_rows(const struct feeding *f, const struct value *input, const struct dataset *s, int64_t first,
			    int64_t count)
{
	int64_t dims[MAX_RANK];
	memcpy(dims, input->dims, (size_t)input->rank * sizeof *dims);
	dims[0] = count;
	struct tensor *t = tensor_try_raw(ELEM_FLOAT, input->rank, dims);
	float *to = t ? t->data : NULL, lo = f->bipolar ? -1 : 0, step = f->bipolar ? 2 : 1;
	for (int64_t r = first; t && r < first + count; r++, to += f->length)
		for (int64_t i = 0; i < f->length; i++)
			to[i] = i < s->row ? dataset_at(s, r, i) * step + lo : lo;
	return t;
}

/* Moves the rows of a part to their place; the first part says how long a row is. */
static int put_part(struct tensor **all, const struct tensor *part, const struct dataset *s, int64_t first,
		    int64_t count, struct diags *d)
{
	int64_t dims[] = { s->rows, part->count / count };
	if (!*all)
		*all = tensor_try_new((enum elem_type)part->elem, 2, dims);
	if (!*all || (*all)->dims[1] * count != part->count)
		return diag_error(d, NULL, "the outputs of its rows cannot be joined");
	size_t bytes = elem_size((enum elem_type)part->elem) * (size_t)(*all)->dims[1];
	memcpy((char *)(*all)->data + bytes * (size_t)first, part->data, bytes * (size_t)count);
	return 0;
}

/* Rows for one call: whole batches. -1: fewer are left. */
static int64_t part_size(const struct value *input, int64_t left)
{
	int64_t batch = input->dims[0] > 0 ? input->dims[0] : 1, n = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
	return n < batch ? -1 : n - n % batch;
}

static struct tensor *predict_rows(const struct exec_plan *p, const struct graph *g, const struct feeding *f,
				   const struct dataset *s, struct diags *d)
{
	struct value *input = predict_input(g, d);
	const struct exec_options o = { 0 };
	struct tensor *all = NULL, **outputs = xcalloc(g->n_outputs, sizeof *outputs);
	int status = 0;
	for (int64_t first = 0, n; first < s->rows && status == 0; first += n) {
		n = part_size(input, s->rows - first);
		if (n < 0) {
			status = diag_error(d, "use fix-batch(size=1)",
					    "its batch of %lld does not divide the %lld rows",
					    (long long)input->dims[0], (long long)s->rows);
			break;
		}
		struct tensor *x = feeding_rows(f, input, s, first, n);
		status = x ? exec_plan_batch(p, &x, outputs, &o, NULL, d) : -1;
		tensor_unref(x);
		if (status == 0)
			status = put_part(&all, outputs[0], s, first, n, d);
		for (uint32_t i = 0; i < g->n_outputs; i++) {
			tensor_unref(outputs[i]);
			outputs[i] = NULL;
		}
	}
	free(outputs);
	if (status == 0)
		return all;
	tensor_unref(all);
	return NULL;
}

struct tensor *predict(const struct graph *g, const struct feeding *f, const struct dataset *s, struct diags *d)
{
	struct exec_plan *p = exec_plan_new(g, d);
	struct tensor *t = p ? predict_rows(p, g, f, s, d) : NULL;
	if (p)
		exec_plan_free(p);
	return t;
}

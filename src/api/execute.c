/* The public face of libqcc: executing a network on arrays. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "exec/exec.h"
#include "pipeline/execute.h"

_Static_assert((int)QCC_MAX_RANK == (int)MAX_RANK, "arrays have as many axes as tensors");
_Static_assert((int)QCC_UINT64 == (int)ELEM_UINT64 && (int)QCC_DOUBLE == (int)ELEM_DOUBLE, "types have ONNX's numbers");

static bool is_numeric(enum elem_type elem)
{
	return elem == ELEM_FLOAT || elem == ELEM_DOUBLE || elem == ELEM_BOOL ||
	       (elem_is_integer(elem) && elem != ELEM_UINT4 && elem != ELEM_INT4 && elem != ELEM_UINT2 &&
		elem != ELEM_INT2);
}

/* The array in a tensor of its own. NULL with a diagnostic. */
static struct tensor *tensor_of(const struct qcc_array *a, const char *name, struct diags *d)
{
	enum elem_type elem = (enum elem_type)a->type;
	struct tensor *t = NULL;
	if (a->rank >= 0 && a->rank <= MAX_RANK && is_numeric(elem))
		t = tensor_try_raw(elem, a->rank, a->dims);
	if (!t) {
		diag_error(d, NULL, "the array for input '%s' has no shape or type that can be used", name);
		return NULL;
	}
	if (t->count)
		memcpy(t->data, a->data, (size_t)t->count * elem_size(elem));
	return t;
}

/* As the type that the model stores. Takes over t. */
static struct tensor *converted(struct tensor *t, const struct value *input, struct diags *d)
{
	enum elem_type wanted = (enum elem_type)input->elem;
	if (!t || wanted == ELEM_UNDEFINED || t->elem == wanted)
		return t;
	struct tensor *cast = is_numeric(wanted) || elem_is_float(wanted) ? tensor_try_cast(t, wanted) : NULL;
	int64_t bad = cast ? -1 : 0;
	for (int64_t i = 0; cast && bad < 0 && i < t->count; i++)
		if (!elem_is_float(wanted) && tensor_at(cast, i) != tensor_at(t, i))
			bad = i;
	if (bad >= 0) {
		diag_error(d, NULL, "element %lld of the array for input '%s' is no %s", (long long)bad, input->name,
			   elem_name(wanted));
		tensor_unref(cast);
		cast = NULL;
	}
	tensor_unref(t);
	return cast;
}

/* As an array that the caller owns. */
static int array_of(const struct tensor *t, struct qcc_array *out)
{
	size_t size = (size_t)t->count * elem_size((enum elem_type)t->elem);
	*out = (struct qcc_array){ .type = QCC_UNDEFINED };
	if (!is_numeric((enum elem_type)t->elem))
		return -1;
	out->data = malloc(size ? size : 1);
	if (!out->data)
		return -1;
	out->type = (enum qcc_type)t->elem;
	out->rank = t->rank;
	memcpy(out->dims, t->dims, t->rank * sizeof *t->dims);
	memcpy(out->data, t->data, size);
	return 0;
}

void qcc_array_free(struct qcc_array *a)
{
	free(a->data);
	a->data = NULL;
}

int qcc_value_constant(const struct qcc_value *value, struct qcc_array *out)
{
	const struct value *v = (const struct value *)value;
	return v->constant ? array_of(v->constant, out) : -1;
}

static int take_inputs(struct qcc_model *m, const struct qcc_array *arrays, struct tensor **tensors, size_t n)
{
	struct value **inputs = xcalloc(n, sizeof(struct value *));
	int status = 0;
	graph_data_inputs(m->graph, inputs, n);
	for (size_t i = 0; i < n && status == 0; i++) {
		tensors[i] = converted(tensor_of(&arrays[i], inputs[i]->name, &m->diags), inputs[i], &m->diags);
		status = tensors[i] ? 0 : -1;
	}
	free(inputs);
	return status;
}

static int give_outputs(struct qcc_model *m, struct tensor *const *tensors, struct qcc_array *arrays, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (array_of(tensors[i], &arrays[i]) < 0)
			return diag_error(&m->diags, NULL, "output '%s' is of a type that has no array",
					  m->graph->output_names[i]);
	return 0;
}

static int check_counts(struct qcc_model *m, size_t n_inputs, size_t n_outputs)
{
	size_t inputs = graph_data_inputs(m->graph, NULL, 0);
	if (n_inputs == inputs && n_outputs == m->graph->n_outputs)
		return 0;
	return diag_error(&m->diags, NULL,
			  "the network has %zu inputs and %u outputs; arrays were given for %zu and %zu", inputs,
			  m->graph->n_outputs, n_inputs, n_outputs);
}

struct execution {
	struct qcc_model *m;
	const struct qcc_array *inputs;
	struct qcc_array *outputs;
	size_t n_inputs, n_outputs;
};

static int execute(void *user)
{
	const struct execution *e = user;
	struct qcc_model *m = e->m;
	if (check_counts(m, e->n_inputs, e->n_outputs) < 0)
		return -1;
	api_start(m);
	struct tensor **in = xcalloc(e->n_inputs, sizeof(struct tensor *)),
		      **out = xcalloc(e->n_outputs, sizeof(struct tensor *));
	int status = take_inputs(m, e->inputs, in, e->n_inputs);
	if (status == 0 && !api_proceed(m, "execute", 0))
		status = -1;
	if (status == 0)
		status = execute_any(m->graph, in, out, &m->diags);
	if (status == 0)
		status = give_outputs(m, out, e->outputs, e->n_outputs);
	for (size_t i = 0; i < e->n_inputs; i++)
		tensor_unref(in[i]);
	for (size_t i = 0; i < e->n_outputs; i++)
		tensor_unref(out[i]);
	free(in);
	free(out);
	return status;
}

int qcc_execute(struct qcc_model *m, const struct qcc_array *inputs, size_t n_inputs, struct qcc_array *outputs,
		size_t n_outputs)
{
	for (size_t i = 0; i < n_outputs; i++)
		outputs[i] = (struct qcc_array){ .type = QCC_UNDEFINED };
	struct execution e = { m, inputs, outputs, n_inputs, n_outputs };
	int status = m->graph ? api_guarded(execute, &e, m) : -1;
	for (size_t i = 0; i < n_outputs && status < 0; i++)
		qcc_array_free(&outputs[i]);
	return status;
}

/* What the executor asks of its inputs: type, shape, no NaN where integers are meant, values that the
 * datatype annotation allows. */
#include <math.h>

#include "exec/plan.h"
#include "util/strbuf.h"

static int shape_error(const struct value *v, const struct tensor *t, bool many, struct diags *d)
{
	struct strbuf want = { 0 }, got = { 0 };
	shape_text(&want, v->rank, v->dims);
	shape_text(&got, t->rank, t->dims);
	diag_error(d, many ? "the first axis may be any multiple of the model's" : NULL,
		   "input '%s' has shape %s, the model expects %s", v->name, got.text, want.text);
	strbuf_free(&want);
	strbuf_free(&got);
	return -1;
}

/* How many model batches the tensor holds; -1 where its shape does not fit. */
static int64_t multiple_of(const struct value *v, const struct tensor *t, bool many)
{
	int64_t times = 1;
	if (v->rank < 0)
		return 1;
	if (t->rank != v->rank)
		return -1;
	for (int i = 0; i < v->rank; i++) {
		if (v->dims[i] == t->dims[i])
			continue;
		if (i > 0 || !many) {
			if (v->dims[i] >= 0)
				return -1;
			continue;
		}
		int64_t unit = v->dims[0] < 0 ? 1 : v->dims[0];
		if (unit == 0 || t->dims[0] % unit || !t->dims[0])
			return -1;
		times = t->dims[0] / unit;
	}
	return times;
}

/* Index of the first element that the datatype does not allow; -1 where all are fine. */
static int64_t first_forbidden(struct datatype type, const struct tensor *t)
{
	double lo = datatype_min(type), hi = datatype_max(type);
	bool simple = datatype_is_integer(type) && datatype_bits(type) <= 24 && type.kind != DT_BIPOLAR;
	if (simple && t->elem == ELEM_FLOAT) {
		const float *x = t->data, least = (float)lo, most = (float)hi;
		int64_t bad = 0; /* the whole tensor without a branch; which one is found below */
		for (int64_t i = 0; i < t->count; i++) {
			bool inside = x[i] >= least && x[i] <= most;
			bad |= !inside || (float)(int32_t)(inside ? x[i] : 0) != (inside ? x[i] : 0);
		}
		if (!bad)
			return -1;
	}
	for (int64_t i = 0; i < t->count; i++)
		if (!datatype_allows(type, tensor_at(t, i)))
			return i;
	return -1;
}

static int check_values(const struct value *v, const struct tensor *t, struct diags *d)
{
	char name[DATATYPE_NAME_SIZE];
	struct datatype type = v->datatype;
	if (t->elem == ELEM_STRING || (!datatype_is_integer(type) && type.kind != DT_FIXED && type.kind != DT_FLOAT))
		return 0;
	int64_t bad = first_forbidden(type, t);
	if (bad < 0)
		return 0;
	double x = tensor_at(t, bad);
	if (isnan(x))
		return diag_error(d, NULL, "input '%s' is annotated %s, but element %lld is NaN", v->name,
				  datatype_name(type, name), (long long)bad);
	return diag_error(d, "quantise the input, or change its datatype",
			  "input '%s' is annotated %s, which does not "
			  "allow %.9g (element %lld)",
			  v->name, datatype_name(type, name), x, (long long)bad);
}

static int check_input(const struct value *v, const struct tensor *t, bool many, int64_t *times, struct diags *d)
{
	if (!t)
		return diag_error(d, NULL, "input '%s' is not given", v->name);
	if (v->elem != ELEM_UNDEFINED && t->elem != v->elem)
		return diag_error(d, NULL, "input '%s' is given as %s, the model expects %s", v->name,
				  elem_name((enum elem_type)t->elem), elem_name((enum elem_type)v->elem));
	*times = multiple_of(v, t, many);
	if (*times < 0)
		return shape_error(v, t, many, d);
	return check_values(v, t, d);
}

int check_inputs(const struct exec_plan *p, struct tensor *const *inputs, bool many, int64_t *samples, struct diags *d)
{
	int result = 0;
	const struct value *first = NULL;
	*samples = 1;
	for (size_t i = 0; i < p->n_inputs; i++) {
		int64_t times = 1;
		const struct value *v = p->inputs[i];
		if (check_input(v, inputs[i], many, &times, d) != 0) {
			result = -1;
			continue;
		}
		if (inputs[i]->rank == 0) /* shared by all samples */
			continue;
		if (first && times != *samples)
			result = diag_error(d, NULL, "inputs '%s' and '%s' hold different numbers of samples",
					    first->name, v->name);
		first = v;
		*samples = times;
	}
	return result;
}

/* Weights rearranged for channels-last data. */
#include <stdio.h>

#include "passes/lower_convs.h"
#include "util/integers.h"

/* The constant with w's name and datatype; the zeros between groups make bipolar weights ternary. */
static struct value *typed_weights(struct graph *g, const struct value *w, struct tensor *t, int64_t groups)
{
	struct value *v = value_new_constant(g, w->name, t);
	v->datatype = w->datatype;
	if (groups > 1 && v->datatype.kind == DT_BIPOLAR)
		v->datatype = datatype_of_kind(DT_TERNARY);
	return v;
}

struct value *lower_weights(struct graph *g, const struct value *w, int64_t groups)
{
	int64_t out = w->dims[0], in = w->dims[1], taps = 1;
	taps = dims_product(w->dims, 2, w->rank);
	int64_t channels = in * groups;
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ taps * channels, out });
	for (int64_t o = 0; o < out; o++)
		for (int64_t i = 0; i < in; i++)
			for (int64_t k = 0; k < taps; k++) {
				int64_t channel = o / (out / groups) * in + i;
				tensor_put(t, (k * channels + channel) * out + o,
					   tensor_at(w->constant, (o * in + i) * taps + k));
			}
	return typed_weights(g, w, t, groups);
}

struct value *lower_transposed_weights(struct graph *g, const struct value *w, int64_t groups)
{
	int64_t in = w->dims[0], out = w->dims[1], taps = 1, outputs = out * groups;
	taps = dims_product(w->dims, 2, w->rank);
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ taps * in, outputs });
	for (int64_t i = 0; i < in; i++)
		for (int64_t o = 0; o < out; o++)
			for (int64_t k = 0; k < taps; k++) {
				int64_t output = i / (in / groups) * out + o;
				tensor_put(t, ((taps - 1 - k) * in + i) * outputs + output,
					   tensor_at(w->constant, (i * out + o) * taps + k));
			}
	return typed_weights(g, w, t, groups);
}

void mark_depthwise(struct graph *g, struct value *w, int64_t rows, int64_t columns)
{
	char text[96];
	snprintf(text, sizeof text, "{'dw': {'kernel_shape': [%lld, %lld]}}", (long long)rows, (long long)columns);
	property_add(g, &value_extra(g, w)->annotations, "tensor_sparsity", text);
}

struct value *permute_rows(struct graph *g, const struct value *w, int64_t channels, int64_t pixels)
{
	int64_t columns = w->dims[1];
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, w->dims);
	for (int64_t c = 0; c < channels; c++)
		for (int64_t p = 0; p < pixels; p++)
			for (int64_t o = 0; o < columns; o++)
				tensor_put(t, (p * channels + c) * columns + o,
					   tensor_at(w->constant, (c * pixels + p) * columns + o));
	struct value *v = value_new_constant(g, w->name, t);
	v->datatype = w->datatype;
	return v;
}

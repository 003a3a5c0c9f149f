/* StreamingConcat: joins the channels of several streams. */
#include <string.h>

#include "hw/kinds/exec.h"

/* Channels of each stream: FINN 0.10, or before. */
static const int64_t *parts_of(const struct node *n, size_t *count)
{
	const int64_t *parts = node_attr_ints(n, "ChannelsPerStream", count);
	return parts ? parts : node_attr_ints(n, "ElemsPerStream", count);
}

static int read_concat(const struct node *n, struct hw_layer *l, struct diags *d)
{
	size_t count = 0;
	const int64_t *parts = parts_of(n, &count);
	if (count != n->n_inputs)
		return diag_node_error(d, n, NULL, "ChannelsPerStream has %zu entries for %u streams", count,
				       n->n_inputs);
	l->in_turn = node_attr(n, "SIMD") != NULL;
	for (size_t i = 0; i < count; i++) {
		if (parts[i] < 1)
			return diag_node_error(d, n, NULL, "ChannelsPerStream is not positive");
		l->mh += parts[i];
		if (l->in_turn)
			l->max_simd = i ? common_divisor(l->max_simd, parts[i]) : parts[0];
	}
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->elements[1] = l->vectors * l->mh;
	return 0;
}

/* By the part's own datatype, which may be narrower than the whole's. */
static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	size_t count = 0;
	const int64_t *parts = parts_of(l->node, &count);
	const struct value *v = node_input(l->node, i);
	int bits = v && datatype_is_integer(v->datatype) ? datatype_bits(v->datatype) : l->in_bits;
	if (i >= count)
		return hw_stream_of(l->in_bits, 1, 1);
	return hw_stream_of(bits, l->in_turn ? c->simd : parts[i], l->vectors * parts[i]);
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->out_bits, l->in_turn ? c->simd : l->mh, l->elements[1]);
}

/* Words come from the streams in turn, or each from all. */
static bool takes(const struct hw_layer *l, const struct hw_progress *p, size_t k)
{
	size_t count;
	const int64_t *parts = parts_of(l->node, &count);
	int64_t at = p->at * l->now.simd % l->mh;
	if (!l->in_turn)
		return true;
	for (size_t i = 0; i < k && i < count; i++)
		at -= parts[i];
	return k < count && at >= 0 && at < parts[k];
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	size_t count = 0;
	const int64_t *parts = parts_of(x->node, &count);
	int64_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += parts[i];
	return hw_infer_last(x, total);
}

static int exec(struct exec_ctx *x)
{
	int64_t dims[MAX_RANK], total = 0, rows = -1, at = 0;
	int rank = x->in[0]->rank;
	for (size_t i = 0; i < x->n_in; i++) {
		const struct tensor *t = x->in[i];
		if (!t || t->rank != rank || rank < 1 || t->dims[rank - 1] < 1 || t->elem != ELEM_FLOAT)
			return exec_unsupported(x, "its inputs differ in rank, or are no float tensors");
		int64_t these = t->count / t->dims[rank - 1];
		if (rows >= 0 && these != rows)
			return exec_unsupported(x, "its inputs differ in shape");
		rows = these;
		total += t->dims[rank - 1];
	}
	memcpy(dims, x->in[0]->dims, (size_t)rank * sizeof *dims);
	dims[rank - 1] = total;
	struct tensor *y = exec_output(x, 0, ELEM_FLOAT, rank, dims);
	for (size_t i = 0; y && i < x->n_in; i++) {
		int64_t part = x->in[i]->dims[rank - 1];
		for (int64_t r = 0; r < rows; r++)
			memcpy((float *)y->data + r * total + at, tensor_floats(x->in[i]) + r * part,
			       (size_t)part * sizeof(float));
		at += part;
	}
	return y ? 0 : -1;
}

static const struct hw_kind kind = {
	.streams = -1,
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = read_concat,
	.input = input,
	.output = output,
	.steps = hw_output_words,
	.takes = takes,
};

const struct op op_StreamingConcat = {
	.domain = DOMAIN_FINN,
	.name = "StreamingConcat",
	.summary = "Hardware: joins the channels of streams",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

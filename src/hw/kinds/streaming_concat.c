/* StreamingConcat: joins the channels of several streams. */
#include "hw/kinds/exec.h"
#include "util/integers.h"

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
		total = parts[i] < 0 ? -1 : add_clamped(total, parts[i]);
	return hw_infer_last(x, count ? parts[0] : -1, total);
}

/* Vectors of each stream, or -1 with a diagnostic. */
static int64_t vectors_of(const struct exec_ctx *x, const int64_t *parts, size_t count)
{
	int64_t vectors = -1;
	for (size_t i = 0; i < x->n_in; i++) {
		const struct tensor *t = x->in[i];
		bool fits = t && t->elem == hw_elem(x) && t->rank > 0 && i < count && t->count % parts[i] == 0;
		if (!fits || (vectors >= 0 && t->count / parts[i] != vectors))
			return diag_node_error(x->diags, x->node, NULL,
					       "its inputs differ in shape from what its "
					       "ChannelsPerStream says");
		vectors = t->count / parts[i];
	}
	return vectors;
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	size_t count;
	int64_t dims[MAX_RANK], at = 0;
	const int64_t *parts = parts_of(x->node, &count);
	int64_t vectors = hw_layer_read(x->node, &l, x->diags) == 0 ? vectors_of(x, parts, count) : -1;
	if (vectors < 0)
		return -1;
	int rank = hw_input_shape(x->node, parts[0], x->in[0]->rank, x->in[0]->dims, dims);
	dims[rank - 1] = l.mh;
	struct tensor *y = exec_output(x, 0, hw_elem(x), rank, dims);
	for (size_t i = 0; y && i < x->n_in; i++) {
		for (int64_t v = 0; v < vectors; v++)
			hw_copy(y, v * l.mh + at, x->in[i], v * parts[i], parts[i]);
		at += parts[i];
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

/* Hardware layers that work on streams element by element: AddStreams, StreamingEltwise, ChannelwiseOp,
 * DuplicateStreams, StreamingConcat, LabelSelect, GlobalAccPool, Lookup, StreamingDataWidthConverter and
 * StreamingFIFO. Channels last. */
#include <string.h>

#include "ops/hw_ops.h"
#include "ops/ranges.h"

/* ---- two streams ---- */

static float combine(const char *op, float a, float b)
{
	if (strcmp(op, "Sub") == 0)
		return a - b;
	if (strcmp(op, "AbsDiff") == 0)
		return a > b ? a - b : b - a;
	if (strcmp(op, "Mul") == 0 || strcmp(op, "mul") == 0)
		return a * b;
	if (strcmp(op, "cmp_ge") == 0)
		return a >= b ? 1 : 0;
	if (strcmp(op, "cmp_le") == 0)
		return a <= b ? 1 : 0;
	return a + b;
}

/* Elements of a and b that belong to one sample: where b is one pixel for each of several samples, not all of b. */
static void sample_sizes(const struct tensor *a, const struct tensor *b, int64_t *of_a, int64_t *of_b)
{
	bool several = a->rank == b->rank && a->rank > 1 && a->dims[0] == b->dims[0];
	*of_a = several && a->dims[0] ? a->count / a->dims[0] : a->count;
	*of_b = several && a->dims[0] ? b->count / a->dims[0] : b->count;
}

/* Output 0 from input 0 and input 1, which repeats along the leading axes. */
static int run_pairs(struct exec_ctx *x, const char *op)
{
	struct tensor *a = hw_floats(x, 0), *b = a ? hw_floats(x, 1) : NULL;
	struct tensor *y = b ? exec_output(x, 0, ELEM_FLOAT, a->rank, a->dims) : NULL;
	if (y && (b->count < 1 || a->count % b->count)) {
		diag_node_error(x->diags, x->node, NULL, "its inputs differ in shape");
		y = NULL;
	}
	int64_t of_a, of_b;
	if (y)
		sample_sizes(a, b, &of_a, &of_b);
	for (int64_t i = 0; y && i < a->count; i++)
		((float *)y->data)[i] = combine(op, tensor_floats(a)[i], tensor_floats(b)[i / of_a * of_b + i % of_b]);
	tensor_unref(a);
	tensor_unref(b);
	return y ? 0 : -1;
}

static int exec_add(struct exec_ctx *x)
{
	return run_pairs(x, "Add");
}

static int exec_eltwise(struct exec_ctx *x)
{
	return run_pairs(x, node_attr_string(x->node, "eltwiseOp", "Add"));
}

static int exec_channelwise(struct exec_ctx *x)
{
	return run_pairs(x, node_attr_string(x->node, "Func", "cmp_le"));
}

static struct datatype multiplied(struct datatype a, struct datatype b)
{
	int64_t lo = 0, hi = 0;
	for (int i = 0; i < 4; i++) {
		int64_t p, x = i & 1 ? datatype_int_max(a) : datatype_int_min(a),
			   y = i & 2 ? datatype_int_max(b) : datatype_int_min(b);
		if (__builtin_mul_overflow(x, y, &p))
			return datatype_of_kind(DT_NONE);
		lo = i && lo < p ? lo : p;
		hi = i && hi > p ? hi : p;
	}
	return datatype_for_range(lo, hi);
}

/* Bounds of op over two datatypes, as the smallest that holds them. */
static struct datatype combined(const char *op, struct datatype a, struct datatype b)
{
	int64_t lo = datatype_int_min(a), hi = datatype_int_max(a);
	if (!datatype_is_integer(a) || !datatype_is_integer(b))
		return datatype_of_kind(DT_NONE);
	if (strcmp(op, "Add") == 0)
		return datatype_for_range(lo + datatype_int_min(b), hi + datatype_int_max(b));
	if (strcmp(op, "Mul") == 0)
		return multiplied(a, b);
	int64_t low = lo - datatype_int_max(b), high = hi - datatype_int_min(b);
	if (strcmp(op, "Sub") == 0)
		return datatype_for_range(low, high);
	return datatype_for_range(0, -low > high ? -low : high);
}

static struct datatype datatype_add(const struct node *n, size_t i)
{
	(void)i;
	struct datatype t = hw_datatype(n, "inputDataType");
	return combined("Add", t, t);
}

static struct datatype datatype_eltwise(const struct node *n, size_t i)
{
	(void)i;
	return combined(node_attr_string(n, "eltwiseOp", "Add"), hw_datatype(n, "inputDataType0"),
			hw_datatype(n, "inputDataType1"));
}

const struct op op_AddStreams = {
	.domain = DOMAIN_FINN,
	.name = "AddStreams",
	.summary = "Hardware: sum of two streams",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = datatype_add,
	.exec = exec_add,
};

const struct op op_StreamingEltwise = {
	.domain = DOMAIN_FINN,
	.name = "StreamingEltwise",
	.summary = "Hardware: sum, difference or its absolute value, or product, of two streams",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = datatype_eltwise,
	.exec = exec_eltwise,
};

const struct op op_ChannelwiseOp = {
	.domain = DOMAIN_FINN,
	.name = "ChannelwiseOp",
	.summary = "Hardware: adds, multiplies or compares with a constant a channel",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.datatype = hw_output_datatype,
	.exec = exec_channelwise,
};

/* ---- one stream to several, several to one ---- */

static int infer_duplicate(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	for (size_t i = 0; i < x->node->n_outputs; i++)
		infer_output(x, i, (enum elem_type)in->elem, in->rank, in->dims);
	return 0;
}

static int exec_copies(struct exec_ctx *x)
{
	for (size_t i = 0; i < x->n_out; i++)
		x->out[i] = tensor_ref(x->in[0]);
	return 0;
}

const struct op op_DuplicateStreams = {
	.domain = DOMAIN_FINN,
	.name = "DuplicateStreams",
	.summary = "Hardware: copies of a stream",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = -1,
	.flags = OP_MOVES,
	.infer = infer_duplicate,
	.datatype = datatype_same,
	.exec = exec_copies,
};

static int infer_concat(struct infer_ctx *x)
{
	size_t count = 0;
	const int64_t *parts = hw_concat_parts(x->node, &count);
	int64_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += parts[i];
	return hw_infer_last(x, total);
}

static int exec_concat(struct exec_ctx *x)
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

const struct op op_StreamingConcat = {
	.domain = DOMAIN_FINN,
	.name = "StreamingConcat",
	.summary = "Hardware: joins the channels of streams",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_concat,
	.datatype = hw_input_datatype,
	.exec = exec_concat,
};

/* ---- LabelSelect ---- */

static int infer_labels(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[i];
	if (in->rank > 0)
		dims[in->rank - 1] = node_attr_int(x->node, "K", 1);
	infer_output(x, 0, ELEM_INT64, in->rank, dims);
	return 0;
}

/* Indices of the k largest, largest first; of equal ones the first. */
static void largest(const float *in, int64_t n, int64_t k, int64_t *out)
{
	for (int64_t i = 0; i < k; i++) {
		int64_t best = -1;
		for (int64_t j = 0; j < n; j++) {
			bool taken = false;
			for (int64_t seen = 0; seen < i; seen++)
				taken = taken || out[seen] == j;
			if (!taken && (best < 0 || in[j] > in[best]))
				best = j;
		}
		out[i] = best;
	}
}

static int exec_labels(struct exec_ctx *x)
{
	int64_t dims[MAX_RANK], k = node_attr_int(x->node, "K", 1);
	struct tensor *in = hw_floats(x, 0);
	if (!in || in->rank < 1 || k < 1 || k > in->dims[in->rank - 1]) {
		tensor_unref(in);
		return in ? exec_unsupported(x, "K is larger than the number of labels") : -1;
	}
	int64_t n = in->dims[in->rank - 1];
	memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
	dims[in->rank - 1] = k;
	struct tensor *y = exec_output(x, 0, ELEM_INT64, in->rank, dims);
	for (int64_t i = 0; y && i < in->count / n; i++)
		largest(tensor_floats(in) + i * n, n, k, (int64_t *)y->data + i * k);
	tensor_unref(in);
	return y ? 0 : -1;
}

const struct op op_LabelSelect = {
	.domain = DOMAIN_FINN,
	.name = "LabelSelect",
	.summary = "Hardware: indices of the K largest of a vector",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_labels,
	.datatype = hw_output_datatype,
	.exec = exec_labels,
};

/* ---- GlobalAccPool ---- */

static int infer_global(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	if (in->rank == 4)
		return hw_infer_image(x, 1, 1, in->dims[3]);
	return infer_same(x);
}

static struct datatype datatype_global(const struct node *n, size_t i)
{
	struct datatype in = hw_datatype(n, "inputDataType");
	const struct value *v = node_input(n, 0);
	(void)i;
	if (!datatype_is_integer(in) || v->rank != 4 || v->dims[1] < 1 || v->dims[2] < 1)
		return datatype_of_kind(DT_NONE);
	int64_t pixels = v->dims[1] * v->dims[2];
	return datatype_for_range(pixels * datatype_int_min(in), pixels * datatype_int_max(in));
}

static int exec_global(struct exec_ctx *x)
{
	struct tensor *in = hw_floats(x, 0);
	if (!in || in->rank != 4) {
		tensor_unref(in);
		return in ? exec_unsupported(x, "its input must be an image, channels last") : -1;
	}
	int64_t pixels = in->dims[1] * in->dims[2], channels = in->dims[3];
	struct tensor *y = exec_output(x, 0, ELEM_FLOAT, 4, (int64_t[]){ in->dims[0], 1, 1, channels });
	for (int64_t i = 0; y && i < in->dims[0] * channels; i++) {
		const float *from = tensor_floats(in) + i / channels * pixels * channels + i % channels;
		double sum = 0;
		for (int64_t p = 0; p < pixels; p++)
			sum += (double)from[p * channels];
		((float *)y->data)[i] = (float)sum;
	}
	tensor_unref(in);
	return y ? 0 : -1;
}

const struct op op_GlobalAccPool = {
	.domain = DOMAIN_FINN,
	.name = "GlobalAccPool",
	.summary = "Hardware: sum over all pixels of an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_global,
	.datatype = datatype_global,
	.exec = exec_global,
};

/* ---- Lookup ---- */

static int infer_lookup(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	if (in->rank < 0 || in->rank >= MAX_RANK)
		return 0;
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[i];
	dims[in->rank] = node_attr_int(x->node, "EmbeddingDim", -1);
	infer_output(x, 0, ELEM_FLOAT, in->rank + 1, dims);
	return 0;
}

static struct datatype datatype_lookup(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "EmbeddingType");
}

static int exec_lookup(struct exec_ctx *x)
{
	struct tensor *table = hw_floats(x, 1);
	const struct tensor *in = x->in[0];
	int64_t dims[MAX_RANK], size = table && table->rank == 2 ? table->dims[1] : 0;
	struct tensor *y = NULL;
	if (size && in->rank < MAX_RANK) {
		memcpy(dims, in->dims, (size_t)in->rank * sizeof *dims);
		dims[in->rank] = size;
		y = exec_output(x, 0, ELEM_FLOAT, in->rank + 1, dims);
	}
	for (int64_t i = 0; y && i < in->count; i++) {
		int64_t row = tensor_int_at(in, i);
		if (row < 0 || row >= table->dims[0]) {
			tensor_unref(table);
			return diag_node_error(x->diags, x->node, NULL, "index %lld is outside of the table",
					       (long long)row);
		}
		memcpy((float *)y->data + i * size, tensor_floats(table) + row * size, (size_t)size * sizeof(float));
	}
	tensor_unref(table);
	return y ? 0 : exec_unsupported(x, "the table must be a matrix");
}

const struct op op_Lookup = {
	.domain = DOMAIN_FINN,
	.name = "Lookup",
	.summary = "Hardware: rows of a table by index",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_lookup,
	.datatype = datatype_lookup,
	.exec = exec_lookup,
};

/* ---- plumbing ---- */

static struct datatype datatype_plumbing(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "dataType");
}

const struct op op_StreamingDataWidthConverter = {
	.domain = DOMAIN_FINN,
	.name = "StreamingDataWidthConverter",
	.summary = "Hardware: the same elements in words of another width",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_same,
	.datatype = datatype_plumbing,
	.exec = exec_copies,
};

const struct op op_StreamingFIFO = {
	.domain = DOMAIN_FINN,
	.name = "StreamingFIFO",
	.summary = "Hardware: a queue between two layers",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_same,
	.datatype = datatype_plumbing,
	.exec = exec_copies,
};

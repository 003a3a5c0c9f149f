/* DepthToSpace, SpaceToDepth, Tile, Expand and ReverseSequence: elements moved or repeated by a rule. */
#include <string.h>

#include "ops/form.h"
#include "ops/move.h"

static int shape_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check its attributes and the input's shape",
			       "its parameters do not fit the shape of the input");
}

/* ---- DepthToSpace, SpaceToDepth: channels to blocks of pixels and back (NCHW) ---- */

static int block_shape(const struct node *n, bool to_space, const int64_t *in, int64_t *out)
{
	int64_t b = node_attr_int(n, "blocksize", 0);
	if (b < 1 || b > INT16_MAX)
		return -1;
	for (int i = 0; i < 4; i++) {
		bool divides = (i == 1) == to_space;
		int64_t factor = i == 1 ? b * b : b;
		out[i] = in[i];
		if (i == 0 || in[i] < 0)
			continue;
		if (divides && in[i] % factor != 0)
			return -1;
		if (divides)
			out[i] = in[i] / factor;
		else if (__builtin_mul_overflow(in[i], factor, &out[i]))
			return -1;
	}
	return 0;
}

static int infer_blocks(struct infer_ctx *x, bool to_space)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[4];
	if (in->rank >= 0 && (in->rank != 4 || block_shape(x->node, to_space, in->dims, dims) != 0))
		return shape_error(x->diags, x->node);
	infer_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	return 0;
}

static int infer_depth_to_space(struct infer_ctx *x)
{
	return infer_blocks(x, true);
}

static int infer_space_to_depth(struct infer_ctx *x)
{
	return infer_blocks(x, false);
}

/* Output (n, c, h b, w b) from the input's channels: block row and column before c (DCR) or after (CRD). */
static int exec_depth_to_space(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t dims[4], b = node_attr_int(x->node, "blocksize", 0);
	if (in->rank != 4 || block_shape(x->node, true, in->dims, dims) != 0)
		return shape_error(x->diags, x->node);
	bool channel_last = strcmp(node_attr_string(x->node, "mode", "DCR"), "DCR") == 0;
	int64_t w = in->dims[3], plane = in->dims[2] * w;
	int64_t channel = channel_last ? plane : plane * b * b;
	int64_t column = channel_last ? plane * dims[1] : plane;
	struct move m = { .x = x };
	move_axis(&m, dims[0], plane * in->dims[1]);
	move_axis(&m, dims[1], channel);
	move_axis(&m, in->dims[2], w);
	move_axis(&m, b, column * b);
	move_axis(&m, w, 1);
	move_axis(&m, b, column);
	return exec_move(x, 0, &m, in, NULL, 4, dims);
}

static int exec_space_to_depth(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t dims[4], b = node_attr_int(x->node, "blocksize", 0);
	if (in->rank != 4 || block_shape(x->node, false, in->dims, dims) != 0)
		return shape_error(x->diags, x->node);
	int64_t w = in->dims[3], plane = in->dims[2] * w;
	bool channel_last = strcmp(node_attr_string(x->node, "mode", "DCR"), "DCR") == 0;
	struct move m = { .x = x };
	move_axis(&m, dims[0], plane * in->dims[1]);
	if (!channel_last)
		move_axis(&m, in->dims[1], plane);
	move_axis(&m, b, w);
	move_axis(&m, b, 1);
	if (channel_last)
		move_axis(&m, in->dims[1], plane);
	move_axis(&m, dims[2], w * b);
	move_axis(&m, dims[3], b);
	return exec_move(x, 0, &m, in, NULL, 4, dims);
}

/* ---- Tile, Expand ---- */

static int infer_tile(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t repeats[MAX_RANK], dims[MAX_RANK];
	size_t count;
	bool known = constant_ints(node_input(x->node, 1), repeats, &count);
	if (known && in->rank >= 0 && (int)count != in->rank)
		return shape_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		if (!known || in->dims[i] < 0)
			dims[i] = -1;
		else if (repeats[i] < 0 || __builtin_mul_overflow(in->dims[i], repeats[i], &dims[i]))
			return shape_error(x->diags, x->node);
	infer_output(x, 0, (enum elem_type)in->elem, in->rank, dims);
	return 0;
}

static int exec_tile(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t repeats[2 * MAX_RANK], dims[MAX_RANK], strides[MAX_RANK];
	size_t count;
	if (!exec_ints(x, 1, NULL, repeats, &count) || (int)count != in->rank)
		return shape_error(x->diags, x->node);
	for (int i = 0; i < in->rank; i++)
		if (repeats[i] < 0 || repeats[i] > MOVE_EXTENT_LIMIT ||
		    __builtin_mul_overflow(in->dims[i], repeats[i], &dims[i]))
			return shape_error(x->diags, x->node);
	if (shape_count(in->rank, dims, ELEM_INT64) < 0)
		return shape_error(x->diags, x->node);
	row_major_strides(in->rank, in->dims, strides);
	struct move m = { .x = x };
	for (int i = 0; i < in->rank && shape_count(in->rank, dims, ELEM_INT64) > 0; i++) {
		move_axis(&m, repeats[i], 0);
		move_axis(&m, in->dims[i], strides[i]);
	}
	return exec_move(x, 0, &m, in, NULL, in->rank, dims);
}

static int infer_expand(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0), *shape = node_input(x->node, 1);
	int64_t to[MAX_RANK], dims[MAX_RANK];
	size_t count;
	int rank = -1;
	if (in->rank >= 0 && constant_ints(shape, to, &count)) {
		if (!broadcast_shapes(in->rank, in->dims, (int)count, to, &rank, dims))
			return shape_error(x->diags, x->node);
	} else if (in->rank >= 0 && shape->rank == 1 && shape->dims[0] >= 0 && shape->dims[0] <= MAX_RANK) {
		rank = in->rank > shape->dims[0] ? in->rank : (int)shape->dims[0];
		for (int i = 0; i < rank; i++)
			dims[i] = -1;
	}
	infer_output(x, 0, (enum elem_type)in->elem, rank, dims);
	return 0;
}

static int exec_expand(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	int64_t to[2 * MAX_RANK], dims[2 * MAX_RANK], strides[MAX_RANK];
	size_t count;
	int rank;
	if (!exec_ints(x, 1, NULL, to, &count) || count > MAX_RANK ||
	    !broadcast_shapes(in->rank, in->dims, (int)count, to, &rank, dims) ||
	    shape_count(rank, dims, ELEM_INT64) < 0)
		return shape_error(x->diags, x->node);
	for (int i = 0; i < rank; i++)
		if (dims[i] > MOVE_EXTENT_LIMIT)
			return exec_unsupported(x, "an axis of that extent");
	row_major_strides(in->rank, in->dims, strides);
	struct move m = { .x = x };
	for (int i = 0; i < rank && shape_count(rank, dims, ELEM_INT64) > 0; i++) {
		int own = i - (rank - in->rank);
		move_axis(&m, dims[i], own < 0 || in->dims[own] == 1 ? 0 : strides[own]);
	}
	return exec_move(x, 0, &m, in, NULL, rank, dims);
}

/* ---- ReverseSequence ---- */

/* The first length elements of each batch entry, along the time axis, in reverse. */
static int exec_reverse_sequence(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *lengths = x->in[1];
	int batch = normal_axis(node_attr_int(x->node, "batch_axis", 1), in->rank);
	int time = normal_axis(node_attr_int(x->node, "time_axis", 0), in->rank);
	if (batch < 0 || time < 0 || batch > 1 || time > 1 || batch == time || lengths->count != in->dims[batch] ||
	    lengths->elem == ELEM_STRING)
		return shape_error(x->diags, x->node);
	for (int64_t b = 0; b < lengths->count; b++)
		if (tensor_int_at(lengths, b) < 0 || tensor_int_at(lengths, b) > in->dims[time])
			return shape_error(x->diags, x->node);
	struct tensor *out = exec_output(x, 0, in->elem, in->rank, in->dims);
	int64_t strides[MAX_RANK];
	row_major_strides(in->rank, in->dims, strides);
	int64_t inner = strides[1];
	for (int64_t b = 0; out && b < in->dims[batch]; b++) {
		int64_t length = tensor_int_at(lengths, b);
		for (int64_t t = 0; t < in->dims[time]; t++) {
			int64_t from = t < length ? length - 1 - t : t;
			elements_copy(out, b * strides[batch] + t * strides[time], in,
				      b * strides[batch] + from * strides[time], inner);
		}
	}
	return out ? 0 : -1;
}

const struct op op_DepthToSpace = {
	.name = "DepthToSpace",
	.domain = DOMAIN_ONNX,
	.summary = "channels become blocks of pixels",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_depth_to_space,
	.datatype = datatype_same,
	.exec = exec_depth_to_space,
};

const struct op op_SpaceToDepth = {
	.name = "SpaceToDepth",
	.domain = DOMAIN_ONNX,
	.summary = "blocks of pixels become channels",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_space_to_depth,
	.datatype = datatype_same,
	.exec = exec_space_to_depth,
};

const struct op op_Tile = {
	.name = "Tile",
	.domain = DOMAIN_ONNX,
	.summary = "the input repeated along axes",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_tile,
	.datatype = datatype_same,
	.exec = exec_tile,
};

const struct op op_Expand = {
	.name = "Expand",
	.domain = DOMAIN_ONNX,
	.summary = "the input broadcast to a shape",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_expand,
	.datatype = datatype_same,
	.exec = exec_expand,
};

const struct op op_ReverseSequence = {
	.name = "ReverseSequence",
	.domain = DOMAIN_ONNX,
	.summary = "the start of each sequence in reverse",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_MOVES,
	.infer = infer_same,
	.datatype = datatype_same,
	.exec = exec_reverse_sequence,
	.form = form_reverse_sequence,
};

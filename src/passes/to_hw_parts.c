/* to-hw: nodes that take parts of a value, or put zeros around it. A Split on streams of its own becomes StreamingSplit; every other
 * box of a value (passes/box.h) is what Crop leaves of it, of which windows of one pixel take every so manieth, in the middle of
 * what FMPadding adds. Those know rows and columns of images: a box on another axis is seen as one on the columns of an image
 * [batch, axes in front, axis, axes behind]. */
#include <string.h>

#include "passes/box.h"
#include "passes/edit.h"
#include "passes/to_hw.h"
#include "util/integers.h"

struct value *to_hw_view(struct node *before, struct value *v, int rank, const int64_t *dims)
{
	struct graph *g = before->graph;
	if (v->rank == rank && !memcmp(v->dims, dims, (size_t)rank * sizeof *dims))
		return v;
	struct value *shape = value_new_constant(g, "shape", tensor_int64(1, (int64_t[]){ rank }, dims));
	struct value *y = add_node2(g, before, DOMAIN_ONNX, "Reshape", v, shape, v->name);
	y->datatype = v->datatype;
	y->range = v->range && !v->range->channels ? v->range : NULL;
	return y;
}

/* An image, of which so many rows and columns are taken away or added: top, left, bottom, right. */
struct frame {
	int64_t dims[4], amount[4];
};

/* Crop or FMPadding; its output is typed. */
static struct value *insert_border(struct node *before, struct value *x, const struct frame *f, bool crop)
{
	static const char *const sides[] = { "CropNorth", "CropWest", "CropSouth", "CropEast" };
	struct graph *g = before->graph;
	x = to_hw_view(before, x, 4, f->dims);
	struct node *n = to_hw_insert(before, crop ? "Crop" : "FMPadding", x, crop ? "part" : "padded");
	node_set_ints(n, "ImgDim", f->dims + 1, 2);
	node_set_int(n, "NumChannels", f->dims[3]);
	node_set_int(n, "SIMD", 1);
	to_hw_set_datatype(n, crop ? "DataType" : "inputDataType", x->datatype);
	for (int i = 0; crop && i < 4; i++)
		node_set_int(n, sides[i], f->amount[i]);
	if (crop)
		node_set_ints(n, "numInputVectors", f->dims, 1);
	else
		node_set_ints(n, "Padding", f->amount, 4);
	int64_t rows = f->amount[0] + f->amount[2], columns = f->amount[1] + f->amount[3];
	value_set_type(g, n->outputs[0], ELEM_FLOAT, 4,
		       (int64_t[]){ f->dims[0], f->dims[1] + (crop ? -rows : rows),
				    f->dims[2] + (crop ? -columns : columns), f->dims[3] });
	n->outputs[0]->datatype = x->datatype;
	n->outputs[0]->range = x->range && !x->range->channels ? x->range : NULL;
	return n->outputs[0];
}

/* What is taken away (crop) or added on an axis, in front and behind. */
static int64_t amount(int64_t signed_amount, bool crop)
{
	int64_t n = crop ? -signed_amount : signed_amount;
	return n > 0 ? n : 0;
}

/* Rows and columns of an image at once, where nothing else changes. */
static struct value *on_image(struct node *before, struct value *x, const struct box *b, bool crop)
{
	struct frame f = { .amount = { amount(b->before[1], crop), amount(b->before[2], crop),
				       amount(b->after[1], crop), amount(b->after[2], crop) } };
	memcpy(f.dims, x->dims, sizeof f.dims);
	return insert_border(before, x, &f, crop);
}

/* On one axis, in steps of as many elements as fit. */
static struct value *on_axis(struct node *before, struct value *x, int axis, const struct box *b, bool crop)
{
	int64_t front = amount(b->before[axis], crop), behind = amount(b->after[axis], crop), dims[MAX_RANK];
	int64_t step = common_divisor(common_divisor(x->dims[axis], front), behind);
	struct frame f = { .dims = { x->dims[0], dims_product(x->dims, 1, axis), x->dims[axis] / step,
				     step * dims_product(x->dims, axis + 1, x->rank) },
			   .amount = { 0, front / step, 0, behind / step } };
	memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
	dims[axis] += crop ? -(front + behind) : front + behind;
	return to_hw_view(before, insert_border(before, x, &f, crop), x->rank, dims);
}

static bool is_wanted(const struct box *b, int axis, bool crop)
{
	return amount(b->before[axis], crop) || amount(b->after[axis], crop);
}

static struct value *with_border(struct node *before, struct value *x, const struct box *b, bool crop)
{
	bool others = false;
	for (int k = 3; k < x->rank; k++)
		others = others || is_wanted(b, k, crop);
	if (x->rank == 4 && !others && (is_wanted(b, 1, crop) || is_wanted(b, 2, crop)))
		return on_image(before, x, b, crop);
	for (int k = 1; k < b->rank; k++)
		if (is_wanted(b, k, crop))
			x = on_axis(before, x, k, b, crop);
	return x;
}

/* Every so manieth element of one axis: windows of one pixel, which become a layer where convert_all comes to them. */
static struct value *in_steps(struct node *before, struct value *x, int axis, int64_t step)
{
	struct graph *g = before->graph;
	int64_t dims[MAX_RANK], image[] = { x->dims[0], dims_product(x->dims, 1, axis), x->dims[axis],
					    dims_product(x->dims, axis + 1, x->rank) };
	memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
	dims[axis] = image[2] = (image[2] - 1) / step + 1;
	struct value *v = to_hw_view(before, x, 4, (int64_t[]){ image[0], image[1], x->dims[axis], image[3] });
	struct node *n = node_new(g, before, DOMAIN_QONNX, "Im2Col", &v, 1, 1, "steps");
	node_set_ints(n, "kernel_size", (int64_t[]){ 1, 1 }, 2);
	node_set_ints(n, "stride", (int64_t[]){ 1, step }, 2);
	value_set_type(g, n->outputs[0], ELEM_FLOAT, 4, image);
	n->outputs[0]->datatype = x->datatype;
	return to_hw_view(before, n->outputs[0], x->rank, dims);
}

static struct value *box_layers(struct node *before, struct value *x, const struct box *b)
{
	x = with_border(before, x, b, true);
	for (int k = 1; k < b->rank; k++)
		if (b->step[k] > 1)
			x = in_steps(before, x, k, b->step[k]);
	return with_border(before, x, b, false);
}

static bool adds_zeros(const struct box *b)
{
	for (int k = 0; k < b->rank; k++)
		if (b->before[k] > 0 || b->after[k] > 0)
			return true;
	return false;
}

/* ---- a stream for each part ---- */

static bool is_used(const struct node *n, uint32_t i)
{
	return node_output(n, i) && node_output(n, i)->uses;
}

/* The one axis on which the boxes of all outputs differ from the whole; 0: they are none, or an output is not used. */
static int split_axis(const struct node *n, const struct box *boxes)
{
	int axis = 0;
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		const struct box *b = &boxes[i];
		if (!is_used(n, i) || !b->rank)
			return 0;
		for (int k = 0; k < b->rank; k++)
			if (box_changes(b, k) && axis && axis != k)
				return 0;
			else if (box_changes(b, k))
				axis = k;
	}
	return axis;
}

static void set_split(struct node *hw, const struct value *x, const int64_t *parts, size_t count)
{
	node_set_string(hw, "backend", "fpgadataflow");
	node_set_int(hw, "SIMD", 1);
	node_set_ints(hw, "ChannelsPerStream", parts, count);
	to_hw_set_datatype(hw, "inputDataType", x->datatype);
	to_hw_set_vectors(hw, x);
}

static int convert_split(struct node *n, int axis)
{
	struct graph *g = n->graph;
	struct value *x = node_input(n, 0);
	int64_t inner = dims_product(x->dims, axis + 1, x->rank), dims[MAX_RANK];
	int64_t *parts = arena_array(&g->arena, int64_t, n->n_outputs);
	int rank = axis + 1;
	memcpy(dims, x->dims, (size_t)rank * sizeof *dims);
	dims[axis] *= inner;
	struct value *vectors = to_hw_view(n, x, rank, dims);
	struct node *hw =
		node_new(g, n, DOMAIN_FINN, "StreamingSplit", &vectors, 1, n->n_outputs, node_output(n, 0)->name);
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *old = node_output(n, i), *part = hw->outputs[i];
		dims[axis] = parts[i] = old->dims[axis] * inner;
		value_set_type(g, part, ELEM_FLOAT, rank, dims);
		part->datatype = x->datatype;
		value_replace_uses(old, to_hw_view(n, part, old->rank, old->dims));
	}
	set_split(hw, vectors, parts, n->n_outputs);
	node_remove(n);
	return 1;
}

/* ---- the operators ---- */

static int refuse(struct pass_ctx *ctx, const struct node *n, const char *what, const char *help)
{
	return diag_node_error(ctx->diags, n, help, "%s", what);
}

/* Reasons for which a box of integers has no hardware form: 0, or -1 with a diagnostic. */
static int check_box(struct pass_ctx *ctx, const struct node *n, const struct value *x, const struct box *b)
{
	if (box_changes(b, 0))
		return refuse(ctx, n, "takes samples from a batch, or adds some, which hardware cannot",
			      "leave the batch as it is");
	if (adds_zeros(b) && !datatype_allows(x->datatype, 0))
		return refuse(ctx, n, "pads with 0, which its input's datatype does not hold",
			      "give the activation a datatype that holds 0");
	return 0;
}

/* 1 where all outputs that are used have boxes that hardware can give, 0 where they are none, -1 with a diagnostic. */
static int check_boxes(struct pass_ctx *ctx, const struct node *n, const struct box *boxes)
{
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		if (is_used(n, i) && !boxes[i].rank)
			return 0;
		if (is_used(n, i) && check_box(ctx, n, node_input(n, 0), &boxes[i]) != 0)
			return -1;
	}
	return 1;
}

int to_hw_part(struct pass_ctx *ctx, struct node *n)
{
	struct value *x = node_input(n, 0);
	if ((n->op != &op_Slice && n->op != &op_Split && n->op != &op_Pad && n->op != &op_Gather) ||
	    !to_hw_is_integer(x))
		return 0;
	struct box *boxes = arena_array(&ctx->graph->arena, struct box, n->n_outputs);
	boxes_of(n, boxes);
	int form = check_boxes(ctx, n, boxes);
	if (form <= 0)
		return form;
	int axis = n->op == &op_Split ? split_axis(n, boxes) : 0;
	if (axis)
		return convert_split(n, axis);
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		struct value *out = node_output(n, i);
		if (is_used(n, i))
			value_replace_uses(out, to_hw_view(n, box_layers(n, x, &boxes[i]), out->rank, out->dims));
	}
	node_remove(n);
	return 1;
}

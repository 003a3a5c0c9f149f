/* lower-convs: operators that take a part of an image, or put zeros around it (passes/box.h). */
#include "passes/box.h"
#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "util/vec.h"

static struct value *axis_numbers(struct graph *g, const char *name, const int64_t *numbers, size_t count)
{
	return value_new_constant(g, name, tensor_int64(1, (int64_t[]){ (int64_t)count }, numbers));
}

/* Start, end and step of the twin's axes on which the box is a part of x; how many. */
static size_t slice_of(const struct value *x, const struct box *b, int64_t numbers[4][MAX_RANK])
{
	size_t count = 0;
	for (int k = 0; k < b->rank; k++) {
		if (b->before[k] >= 0 && b->after[k] >= 0 && b->step[k] == 1)
			continue;
		int64_t axis = axis_last(k);
		numbers[0][count] = b->before[k] < 0 ? -b->before[k] : 0;
		numbers[1][count] = x->dims[axis] + (b->after[k] < 0 ? b->after[k] : 0);
		numbers[2][count] = axis;
		numbers[3][count++] = b->step[k];
	}
	return count;
}

/* x without what the box leaves out. Steps have been there since opset 10 only, and with them these inputs. */
static struct value *insert_slice(struct node *before, struct value *x, const struct box *b)
{
	static const char *const names[] = { "starts", "ends", "axes", "steps" };
	struct graph *g = before->graph;
	int64_t numbers[4][MAX_RANK];
	size_t count = slice_of(x, b, numbers);
	bool by_input = graph_opset(g, DOMAIN_ONNX) >= 10;
	struct value *inputs[5] = { x };
	if (!count)
		return x;
	for (int i = 0; by_input && i < 4; i++)
		inputs[i + 1] = axis_numbers(g, names[i], numbers[i], count);
	struct node *n = node_new(g, before, DOMAIN_ONNX, "Slice", inputs, by_input ? 5 : 1, 1, "part");
	for (int i = 0; !by_input && i < 3; i++)
		node_set_ints(n, names[i], numbers[i], count);
	return twin_output(n, x);
}

/* x with the zeros that the box adds; x where it adds none. */
static struct value *insert_pad(struct node *before, struct value *x, const struct box *b)
{
	struct graph *g = before->graph;
	int64_t pads[8] = { 0 };
	bool any = false;
	for (int k = 0; k < b->rank; k++) {
		pads[axis_last(k)] = b->before[k] > 0 ? b->before[k] : 0;
		pads[4 + axis_last(k)] = b->after[k] > 0 ? b->after[k] : 0;
		any = any || b->before[k] > 0 || b->after[k] > 0;
	}
	if (!any)
		return x;
	bool by_input = graph_opset(g, DOMAIN_ONNX) >= 11;
	struct value *inputs[] = { x, by_input ? axis_numbers(g, "pads", pads, 8) : NULL };
	struct node *n = node_new(g, before, DOMAIN_ONNX, "Pad", inputs, by_input ? 2 : 1, 1, "padded");
	if (!by_input)
		node_set_ints(n, "pads", pads, 8);
	return n->outputs[0];
}

/* A part of an image, with its rank, is one of the twin. */
int nhwc_part(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0), *out = node_output(n, 0);
	struct box b;
	if (!is_image(x) || !is_image(out) || out->rank != x->rank || n->n_outputs != 1 ||
	    (!is_surely_image(l, x) && !is_read_by_window(out)))
		return 0;
	boxes_of(n, &b);
	if (!b.rank)
		return 0;
	struct value *part = insert_slice(n, twin_of(l, x, n), &b);
	set_twin(l, out, insert_pad(n, part, &b));
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* Whether all outputs are images, of which some value around is surely one. */
static bool splits_image(const struct lowering *l, const struct node *n)
{
	bool surely = is_surely_image(l, node_input(n, 0));
	for (uint32_t i = 0; i < n->n_outputs; i++) {
		if (!is_image(node_output(n, i)))
			return false;
		surely = surely || is_read_by_window(node_output(n, i));
	}
	return surely;
}

/* The same split of the twin, along the axis where it lies now. */
int nhwc_split(struct lowering *l, struct node *n)
{
	struct value *x = node_input(n, 0);
	if (!is_image(x) || !splits_image(l, n))
		return 0;
	struct value *inputs[] = { twin_of(l, x, n), node_input(n, 1) };
	struct node *new = node_new(l->g, n, DOMAIN_ONNX, "Split", inputs, n->n_inputs > 1 ? 2 : 1, n->n_outputs,
				    node_output(n, 0)->name);
	node_copy_attrs(new, n);
	node_set_int(new, "axis", axis_last(normal_axis(node_attr_int(n, "axis", 0), x->rank)));
	for (uint32_t i = 0; i < n->n_outputs; i++)
		set_twin(l, node_output(n, i), new->outputs[i]);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return 1;
}

/* lower-convs: the channels-last form of each image, which the code calls its twin. */
#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "util/vec.h"

bool is_image(const struct value *v)
{
	return v && datatype_is_integer(v->datatype) && (v->rank == 4 || v->rank == 3) && value_shape_known(v);
}

bool has_twin(const struct lowering *l, const struct value *v)
{
	return v->id < l->size && l->twin[v->id];
}

/* Ranges of channels on their new axis. */
static const struct range *range_last(struct graph *g, const struct range *r)
{
	if (!r || !r->channels || r->axis != 1)
		return r && !r->channels ? r : NULL;
	struct range *copy = arena_new(&g->arena, struct range);
	*copy = *r;
	copy->axis = 3;
	return copy;
}

/* Types y as the channels-last form of v. */
static void type_twin(struct graph *g, struct value *y, const struct value *v)
{
	int64_t width = v->rank == 4 ? v->dims[3] : 1;
	value_set_type(g, y, (enum elem_type)v->elem, 4, (int64_t[]){ v->dims[0], v->dims[2], width, v->dims[1] });
	y->datatype = v->datatype;
	y->layout = LAYOUT_NHWC;
	y->range = range_last(g, v->range);
}

void set_twin(struct lowering *l, struct value *v, struct value *y)
{
	type_twin(l->g, y, v);
	origin_inherit(v, y);
	if (v->id < l->size)
		l->twin[v->id] = y;
}

static struct value *axes_constant(struct graph *g, int64_t axis)
{
	return value_new_constant(g, "axes", tensor_int64(1, (int64_t[]){ 1 }, &axis));
}

static struct value *transpose(struct node *before, struct value *v, const int64_t *perm)
{
	struct node *n = node_new(before->graph, before, DOMAIN_ONNX, "Transpose", &v, 1, 1, v->name);
	node_set_ints(n, "perm", perm, 4);
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	return n->outputs[0];
}

/* A single pixel has its channels last already. */
static struct value *as_pixel(struct node *before, struct value *v)
{
	struct graph *g = before->graph;
	int64_t dims[] = { v->dims[0], 1, 1, v->dims[1] };
	struct value *shape = value_new_constant(g, "shape", tensor_int64(1, (int64_t[]){ 4 }, dims));
	return add_node2(g, before, DOMAIN_ONNX, "Reshape", v, shape, v->name);
}

struct value *twin_of(struct lowering *l, struct value *v, struct node *before)
{
	static const int64_t perm[] = { 0, 2, 3, 1 };
	if (has_twin(l, v))
		return l->twin[v->id];
	struct value *image = v, *y;
	bool pixel = v->dims[2] == 1 && (v->rank == 3 || v->dims[3] == 1);
	if (v->rank == 3 && !pixel) {
		image = add_node2(l->g, before, DOMAIN_ONNX, "Unsqueeze", v, axes_constant(l->g, 3), "image");
		image->datatype = v->datatype;
	}
	y = pixel ? as_pixel(before, v) : transpose(before, image, perm);
	set_twin(l, v, y);
	return y;
}

struct value *untwin(struct lowering *l, struct value *v, struct node *before)
{
	static const int64_t perm[] = { 0, 3, 1, 2 };
	struct value *y = transpose(before, l->twin[v->id], perm);
	y->datatype = v->datatype;
	if (v->rank == 3)
		y = add_node2(l->g, before, DOMAIN_ONNX, "Squeeze", y, axes_constant(l->g, 3), v->name);
	y->datatype = v->datatype;
	y->layout = v->layout;
	y->range = v->range;
	return y;
}

struct node *add_lowered(struct lowering *l, struct node *n, const char *domain, const char *op,
			 struct value *const *inputs, size_t count)
{
	struct node *new = node_new(l->g, n, domain, op, inputs, count, 1, node_output(n, 0)->name);
	set_twin(l, node_output(n, 0), new->outputs[0]);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
	return new;
}

void replace_lowered(struct lowering *l, struct node *n, struct value *v)
{
	struct value *out = node_output(n, 0);
	v->datatype = out->datatype;
	value_replace_uses(out, v);
	vec_push(&l->lowered, n);
	l->ctx->changes++;
}

int64_t axis_last(int axis)
{
	static const int64_t to[] = { 0, 3, 1, 2 };
	return to[axis];
}

struct value *twin_output(struct node *n, const struct value *x)
{
	struct diags quiet = { 0 };
	node_infer(n, &quiet);
	diags_free(&quiet);
	n->outputs[0]->datatype = x->datatype;
	n->outputs[0]->layout = LAYOUT_NHWC;
	return n->outputs[0];
}

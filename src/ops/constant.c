/* Constant, ConstantOfShape and EyeLike: tensors that come from attributes. */
#include "ops/move.h"

#include <string.h>

static struct tensor *strings_tensor(const char *const *strings, int rank, int64_t count)
{
	struct tensor *t = tensor_try_new(ELEM_STRING, rank, &count);
	for (int64_t i = 0; t && i < t->count; i++)
		((char **)t->data)[i] = xstrdup(strings[i]);
	return t;
}

/* The tensor that one of the value attributes describes; NULL where there is none. The caller owns it. */
static struct tensor *attribute_tensor(const struct attr *a)
{
	int64_t count = (int64_t)a->count;
	switch (a->kind) {
	case ATTR_TENSOR: return tensor_ref(a->t);
	case ATTR_FLOAT: return tensor_scalar(a->f);
	case ATTR_FLOATS: return tensor_float(1, &count, a->floats);
	case ATTR_INT: return tensor_int64(0, NULL, &a->i);
	case ATTR_INTS: return tensor_int64(1, &count, a->ints);
	case ATTR_STRING: return strings_tensor(&a->s, 0, 1);
	case ATTR_STRINGS: return strings_tensor(a->strings, 1, count);
	default: return NULL;
	}
}

static struct tensor *constant_value(const struct node *n)
{
	for (const struct attr *a = n->attrs; a; a = a->next)
		if (strncmp(a->name, "value", 5) == 0)
			return attribute_tensor(a);
	return NULL;
}

static int infer_constant(struct infer_ctx *x)
{
	struct tensor *t = constant_value(x->node);
	if (t)
		infer_output(x, 0, t->elem, t->rank, t->dims);
	tensor_unref(t);
	return 0;
}

static int exec_constant(struct exec_ctx *x)
{
	x->out[0] = constant_value(x->node);
	return x->out[0] ? 0 : exec_unsupported(x, "a constant without a dense value");
}

/* ---- ConstantOfShape ---- */

static const struct tensor *fill_value(const struct node *n)
{
	const struct attr *a = node_attr(n, "value");
	return a && a->kind == ATTR_TENSOR && a->t->count == 1 ? a->t : NULL;
}

static int infer_constant_of_shape(struct infer_ctx *x)
{
	const struct value *shape = node_input(x->node, 0);
	const struct tensor *fill = fill_value(x->node);
	int64_t dims[MAX_RANK];
	size_t count;
	int rank = shape->rank == 1 && shape->dims[0] <= MAX_RANK ? (int)shape->dims[0] : -1;
	if (constant_ints(shape, dims, &count))
		rank = (int)count;
	else
		for (int i = 0; i < rank; i++)
			dims[i] = -1;
	infer_output(x, 0, fill ? fill->elem : ELEM_FLOAT, rank, dims);
	return 0;
}

static int exec_constant_of_shape(struct exec_ctx *x)
{
	const struct tensor *fill = fill_value(x->node);
	int64_t dims[2 * MAX_RANK];
	size_t count;
	if (!exec_ints(x, 0, NULL, dims, &count) || count > MAX_RANK)
		return exec_unsupported(x, "a shape of that many axes");
	struct tensor *out = exec_output(x, 0, fill ? fill->elem : ELEM_FLOAT, (int)count, dims);
	if (!out)
		return -1;
	elements_fill(out, 0, out->count, fill ? fill->data : NULL);
	return 0;
}

static struct datatype datatype_constant_of_shape(const struct node *n, size_t i)
{
	(void)i;
	const struct tensor *fill = fill_value(n);
	if (fill && (fill->elem == ELEM_STRING || !tensor_is_integral(fill)))
		return datatype_of_kind(DT_NONE);
	int64_t value = fill ? tensor_int_at(fill, 0) : 0;
	return datatype_for_range(value, value);
}

/* ---- EyeLike ---- */

static enum elem_type eye_type(const struct node *n, uint8_t like)
{
	return (enum elem_type)node_attr_int(n, "dtype", like);
}

static int infer_eye_like(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_output(x, 0, eye_type(x->node, in->elem), in->rank, in->dims);
	return 0;
}

static int exec_eye_like(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	enum elem_type elem = eye_type(x->node, in->elem);
	if (in->rank != 2 || elem == ELEM_STRING || elem_size(elem) == 0)
		return exec_unsupported(x, "a type or shape that is no matrix of numbers");
	struct tensor *out = exec_output(x, 0, elem, 2, in->dims);
	if (!out)
		return -1;
	elements_fill(out, 0, out->count, NULL);
	int64_t k = node_attr_int(x->node, "k", 0), columns = in->dims[1];
	for (int64_t row = 0; row < in->dims[0]; row++)
		if (k >= -row && k < columns - row)
			tensor_put(out, row * columns + row + k, 1);
	return 0;
}

const struct op op_Constant = {
	.name = "Constant",
	.domain = DOMAIN_ONNX,
	.summary = "a tensor given as attribute",
	.min_inputs = 0,
	.max_inputs = 0,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_constant,
	.exec = exec_constant,
};

const struct op op_ConstantOfShape = {
	.name = "ConstantOfShape",
	.domain = DOMAIN_ONNX,
	.summary = "one value in every element",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_constant_of_shape,
	.datatype = datatype_constant_of_shape,
	.exec = exec_constant_of_shape,
};

const struct op op_EyeLike = {
	.name = "EyeLike",
	.domain = DOMAIN_ONNX,
	.summary = "ones on a diagonal",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_eye_like,
	.exec = exec_eye_like,
};

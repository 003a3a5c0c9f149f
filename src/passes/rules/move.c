/* Nodes that move elements without changing them (Reshape, Transpose, Slice, Pad, ...): scales, biases and
 * whole chains with scalar parameters pass behind them. Parameters per channel pass as well: which channel each
 * element of the output belongs to is found by sending channel numbers through the node itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/move.h"
#include "passes/rules/rule.h"
#include "util/integers.h"

enum { MOST_ELEMENTS = 1 << 24 };

static bool is_mover(const struct node *n)
{
	if (!n->op || n->op == &op_Concat)
		return false;
	if (n->op == &op_Resize || n->op == &op_Upsample)
		return resize_moves(n);
	return n->op == &op_Pad || (n->op->flags & OP_MOVES) != 0; /* see translate_padding */
}

static bool other_inputs_constant(const struct node *n)
{
	for (uint32_t i = 1; i < n->n_inputs; i++)
		if (n->inputs[i].value && !value_is_constant(n->inputs[i].value))
			return false;
	return n->n_inputs > 0 && !value_is_constant(node_input(n, 0));
}

/* ---- channel numbers through a node ---- */

static struct tensor *channel_numbers(const struct value *v, int axis)
{
	int64_t count = shape_count(v->rank, v->dims, ELEM_FLOAT), inner = 1;
	if (count <= 0 || count > MOST_ELEMENTS)
		return NULL;
	struct tensor *t = tensor_new_raw(ELEM_FLOAT, v->rank, v->dims);
	inner = dims_product(v->dims, axis + 1, v->rank);
	for (int64_t i = 0; t && i < count; i++)
		((float *)t->data)[i] = (float)(i / inner % v->dims[axis]);
	return t;
}

/* The one axis along which the tensor varies (-1: none, -2: several). */
static int axis_of_variation(const struct tensor *t)
{
	const float *x = t->data;
	int axis = -1;
	int64_t inner = 1;
	for (int a = t->rank - 1; a >= 0; a--) {
		bool varies = false;
		for (int64_t i = 0; i + inner < t->count && !varies; i++)
			varies = i / inner % t->dims[a] + 1 < t->dims[a] && x[i] != x[i + inner];
		if (varies && axis != -1)
			return -2;
		axis = varies ? a : axis;
		inner *= t->dims[a];
	}
	return axis;
}

enum { MOST_VALUES = 16 };

/* Executes n on channel numbers; moved[] has a tensor per output. */
static bool move_numbers(struct rule_ctx *x, struct node *n, struct tensor *numbers, struct tensor **moved)
{
	struct tensor *in[MOST_VALUES] = { numbers };
	if (n->n_inputs > MOST_VALUES || n->n_outputs > MOST_VALUES || !numbers)
		return false;
	for (uint32_t k = 1; k < n->n_inputs; k++)
		in[k] = node_input(n, k) ? node_input(n, k)->constant : NULL;
	return node_execute(n, in, moved, 1, x->diags) == 0;
}

/* The affine form where elements have these channel numbers; false where they vary along several axes. */
static bool read_parameters(const struct tensor *moved, const struct affine *a, struct affine *out)
{
	int axis = axis_of_variation(moved);
	int64_t channels = axis < 0 ? 1 : moved->dims[axis], inner = 1;
	if (axis < -1)
		return false;
	if (axis >= 0)
		inner = dims_product(moved->dims, axis + 1, moved->rank);
	for (int64_t c = 0; c < channels; c++)
		if (!(tensor_floats(moved)[c * inner] >= 0 && tensor_floats(moved)[c * inner] < (float)a->channels))
			return false; /* no element of the input */
	affine_init(out, NULL, axis, channels);
	for (int64_t c = 0; c < channels; c++) {
		int64_t from = (int64_t)((float *)moved->data)[c * inner];
		out->scale[c] = a->scale[from];
		out->bias[c] = a->bias[from];
	}
	return true;
}

/* The affine form as output i of n has it. */
static bool parameters_through(struct rule_ctx *x, struct node *n, size_t i, const struct affine *a, struct affine *out)
{
	struct tensor *moved[MOST_VALUES] = { NULL }, *numbers = channel_numbers(node_input(n, 0), a->axis);
	bool done = move_numbers(x, n, numbers, moved) && read_parameters(moved[i], a, out);
	tensor_unref(numbers);
	for (uint32_t k = 0; k < MOST_VALUES; k++)
		tensor_unref(moved[k]);
	return done;
}

/* The node that alone reads what n gives, where it moves elements too and adds none. */
static struct node *next_mover(const struct node *n)
{
	struct use *u = n->n_outputs == 1 ? value_only_use(n->outputs[0]) : NULL;
	struct node *next = u ? u->user : NULL;
	bool fits = next && u->index == 0 && is_mover(next) && next->op != &op_Pad && next->n_outputs == 1 &&
		    other_inputs_constant(next);
	return fits ? next : NULL;
}

/* A channel shuffle (Reshape, Transpose, Reshape) scatters channels and gathers them again: the node behind n after which
 * they lie along one axis, and the form there. NULL where there is none. */
static struct node *parameters_gather(struct rule_ctx *x, struct node *n, const struct affine *a, struct affine *out)
{
	struct tensor *numbers = channel_numbers(node_input(n, 0), a->axis);
	bool found = false;
	while (n && numbers && !found) {
		struct tensor *moved[MOST_VALUES] = { NULL };
		bool done = move_numbers(x, n, numbers, moved);
		tensor_unref(numbers);
		numbers = done ? moved[0] : NULL;
		found = numbers && read_parameters(numbers, a, out);
		if (!found)
			n = next_mover(n);
	}
	tensor_unref(numbers);
	return found ? n : NULL;
}

/* ---- moving ---- */

/* A Pad's value in integers. */
static bool translate_padding(struct rule_ctx *x, struct node *n, const struct affine *a)
{
	double value = node_attr_float(n, "value", 0);
	const char *mode = node_attr_string(n, "mode", "constant");
	if (n->op != &op_Pad || strcmp(mode, "constant") != 0)
		return true;
	if (node_input(n, 2) && !value_scalar(node_input(n, 2), &value))
		return refuse(x, "its padding value is computed at run time");
	double q = (value - a->bias[0]) / a->scale[0];
	if (a->channels != 1 || fabs(q - rint(q)) > 1e-6)
		return refuse(x, "it pads with a number that is no integer under its input's scale");
	q = rint(q);
	if (q == value)
		return true;
	if (graph_opset(x->graph, "") < 11) {
		node_set_float(n, "value", (float)q);
		return true;
	}
	while (n->n_inputs < 3)
		node_append_input(n, NULL);
	node_set_input(n, 2, constant_scalar(x->graph, "pad", q));
	return true;
}

/* Past n and the nodes behind it that gather what n scatters. */
static int move_past_several(struct rule_ctx *x, struct node *n, struct affine *a)
{
	struct affine out;
	struct node *last = n->n_outputs == 1 && n->op != &op_Pad ? parameters_gather(x, n, a, &out) : NULL;
	if (!last)
		return refuse(x, "it scatters channels that have different scales");
	int result = 1;
	replace_input(n, 0, a->root);
	for (struct node *at = n; result == 1; at = next_mover(at)) {
		at->outputs[0]->datatype = a->root->datatype;
		if (retype(x, at, 0) != 0)
			result = -1;
		if (at == last)
			break;
	}
	if (result == 1)
		put_behind(x, last, 0, &out);
	affine_free(&out);
	return result;
}

static int move_affine(struct rule_ctx *x, struct node *n, struct affine *a)
{
	enum { MOST = 16 };
	struct affine out[MOST];
	uint32_t known = 0;
	bool fits = n->n_outputs <= MOST && translate_padding(x, n, a);
	for (; fits && known < n->n_outputs; known++) {
		if (a->channels > 1)
			fits = parameters_through(x, n, known, a, &out[known]);
		else
			affine_init(&out[known], NULL, -1, 1), out[known].scale[0] = a->scale[0],
							       out[known].bias[0] = a->bias[0];
		if (!fits)
			break;
	}
	int result = fits ? 1 : 0;
	if (fits)
		replace_input(n, 0, a->root);
	for (uint32_t i = 0; i < known; i++) {
		if (fits && n->outputs[i]) {
			n->outputs[i]->datatype = a->root->datatype;
			if (retype(x, n, i) != 0)
				result = -1;
			put_behind(x, n, i, &out[i]);
		}
		affine_free(&out[i]);
	}
	return fits || x->reason ? result : move_past_several(x, n, a);
}

/* A chain that is not linear: only with scalar parameters, and past nodes that bring no elements of their own. */
static int move_chain(struct rule_ctx *x, struct node *n)
{
	struct chain c;
	int result = 0;
	chain_of(node_input(n, 0), &c);
	bool brings_none = n->op != &op_Pad;
	if (c.count && c.axis == -1 && datatype_is_integer(c.root->datatype) && brings_none && n->n_outputs == 1) {
		result = put_chain_behind(x, n, 0, &c) == 0 ? 1 : -1;
		replace_input(n, 0, c.root);
		n->outputs[0]->datatype = c.root->datatype;
		if (result == 1 && retype(x, n, 0) != 0)
			result = -1;
	}
	chain_free(&c);
	return result;
}

/* ---- pairs that cancel ---- */

static bool is_reshape(const struct node *n)
{
	return n->op == &op_Reshape || n->op == &op_Flatten || n->op == &op_Squeeze || n->op == &op_Unsqueeze;
}

static bool undoes_transpose(const struct node *n, const struct node *above)
{
	size_t count, count_above;
	const int64_t *perm = node_attr_ints(n, "perm", &count), *other = node_attr_ints(above, "perm", &count_above);
	if (n->op != &op_Transpose || above->op != &op_Transpose || !perm || count != count_above)
		return false;
	for (size_t i = 0; i < count; i++)
		if (other[perm[i]] != (int64_t)i)
			return false;
	return true;
}

/* Squeeze behind Unsqueeze and the like: everyone reads what stood before both. */
static bool cancel_pair(struct node *n)
{
	struct node *above = node_input(n, 0)->producer;
	if (!above || !above->op || n->n_outputs != 1)
		return false;
	struct value *before = node_input(above, 0), *after = n->outputs[0];
	bool same =
		before->rank == after->rank && value_shape_known(before) && value_shape_known(after) &&
		(after->rank == 0 || memcmp(before->dims, after->dims, (size_t)after->rank * sizeof *after->dims) == 0);
	if (!undoes_transpose(n, above) && !(is_reshape(n) && is_reshape(above) && same))
		return false;
	struct value *between = above->outputs[0];
	node_bypass(n, before);
	if (!between->uses)
		node_remove(above);
	return true;
}

/* ---- the rule ---- */

static int move_past(struct rule_ctx *x, struct node *n);

static int apply_move(struct rule_ctx *x, struct node *n)
{
	if (!is_mover(n) || !other_inputs_constant(n))
		return 0;
	int moved = move_past(x, n);
	return moved >= 0 && cancel_pair(n) ? 1 : moved;
}

static int move_past(struct rule_ctx *x, struct node *n)
{
	struct affine a;
	int result = 0;
	if (datatype_is_integer(node_input(n, 0)->datatype) &&
	    (!node_input(n, 0)->producer || elementwise_data(node_input(n, 0)->producer) < 0 ||
	     (node_input(n, 0)->producer->op->flags & OP_QUANTISER))) {
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i] && retype(x, n, i) != 0)
				return -1;
		return 0;
	}
	if (affine_of(node_input(n, 0), &a))
		result = move_affine(x, n, &a);
	else
		result = move_chain(x, n);
	affine_free(&a);
	return result;
}

const struct rule rule_move = {
	"move",
	"scales, biases and scalar activations move past nodes that move elements",
	apply_move,
};

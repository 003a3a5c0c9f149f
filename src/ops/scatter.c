/* ScatterElements (once Scatter) and ScatterND: a copy of the data with elements, or slices, replaced by
 * updates, or joined with them. */
#include <string.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/indices.h"
#include "ops/move.h"
#include "ops/ranges.h"
#include "util/integers.h"

EACH_NUMBER(BINARY_LOOP, add, (wide)x + (wide)y)
EACH_NUMBER(BINARY_LOOP, mul, (wide)x *(wide)y)
EACH_NUMBER(BINARY_LOOP, max, x > y ? x : y)
EACH_NUMBER(BINARY_LOOP, min, x < y ? x : y)

static const struct {
	const char *name;
	binary_loop *const loops[ELEM_COUNT];
} joins[] = {
	{ "add", { EACH_NUMBER(LOOP_ROW, add) } },
	{ "mul", { EACH_NUMBER(LOOP_ROW, mul) } },
	{ "max", { EACH_NUMBER(LOOP_ROW, max) } },
	{ "min", { EACH_NUMBER(LOOP_ROW, min) } },
};

/* The loop of attribute reduction for that type; NULL for none. False where there is none of that name. */
static bool find_join(const struct node *n, enum elem_type elem, binary_loop **join)
{
	const char *name = node_attr_string(n, "reduction", "none");
	*join = NULL;
	for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
		if (strcmp(name, joins[i].name) == 0)
			*join = joins[i].loops[elem];
	return *join || strcmp(name, "none") == 0;
}

/* One element of out becomes the update, or joined with it. */
static void update(struct tensor *out, int64_t to, const struct tensor *updates, int64_t from, binary_loop *join)
{
	size_t size = elem_size(out->elem);
	char *target = (char *)out->data + (size_t)to * size;
	if (join) {
		uint64_t joined;
		join(&joined, target, (const char *)updates->data + (size_t)from * size, 1, true, true);
		memcpy(target, &joined, size);
	} else {
		element_replace(out, to, updates, from);
	}
}

static int run_scatter_elements(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *at = x->in[1], *updates = x->in[2];
	int axis = normal_axis(node_attr_int(x->node, "axis", 0), in->rank);
	binary_loop *join;
	int64_t offset;
	if (!find_join(x->node, in->elem, &join))
		return exec_unsupported(x, "reduction for that storage type");
	if (!indices_fit(in, at, axis) || updates->count != at->count || updates->elem != in->elem)
		return index_out_of_range(x->diags, x->node);
	struct tensor *out = x->out[0] = tensor_try_copy(in);
	for (int64_t i = 0; out && i < at->count; i++) {
		if (!element_offset(in, at, axis, i, &offset))
			return index_out_of_range(x->diags, x->node);
		update(out, offset, updates, i, join);
	}
	return out ? 0 : -1;
}

static int run_scatter_nd(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0], *at = x->in[1], *updates = x->in[2];
	binary_loop *join;
	int64_t offset, depth = at->rank ? at->dims[at->rank - 1] : 0, block = 1;
	if (!find_join(x->node, in->elem, &join))
		return exec_unsupported(x, "reduction for that storage type");
	if (depth < 1 || depth > in->rank || updates->elem != in->elem)
		return index_out_of_range(x->diags, x->node);
	block = dims_product(in->dims, (int)depth, in->rank);
	int64_t count = at->count / depth;
	if (updates->count != count * block)
		return index_out_of_range(x->diags, x->node);
	struct tensor *out = x->out[0] = tensor_try_copy(in);
	for (int64_t i = 0; out && i < count; i++) {
		if (!slice_offset(in, at, 0, i, &offset))
			return index_out_of_range(x->diags, x->node);
		for (int64_t k = 0; k < block; k++)
			update(out, offset + k, updates, i * block + k, join);
	}
	return out ? 0 : -1;
}

static struct datatype datatype_scatter(const struct node *n, size_t i)
{
	(void)i;
	bool replaces = strcmp(node_attr_string(n, "reduction", "none"), "none") == 0;
	struct datatype data = value_datatype(node_input(n, 0));
	return replaces ? datatype_join(data, value_datatype(node_input(n, 2))) : datatype_of_kind(DT_NONE);
}

#define SCATTER(symbol, NAME, run, form_, text) \
	const struct op symbol = {              \
		.name = #NAME,                  \
		.domain = DOMAIN_ONNX,          \
		.summary = text,                \
		.min_inputs = 3,                \
		.max_inputs = 3,                \
		.min_outputs = 1,               \
		.max_outputs = 1,               \
		.infer = infer_same,            \
		.datatype = datatype_scatter,   \
		.exec = run,                    \
		.widens = true,                 \
		.form = form_,                  \
	};

SCATTER(op_ScatterElements, ScatterElements, run_scatter_elements, form_scatter_elements,
	"elements replaced, by index along an axis")
SCATTER(op_Scatter, Scatter, run_scatter_elements, form_scatter_elements, "elements replaced (before opset 11)")
SCATTER(op_ScatterND, ScatterND, run_scatter_nd, form_scatter_nd,
	"slices replaced at positions that rows of indices name")

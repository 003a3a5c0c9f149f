/* BipolarQuant: +scale where x >= 0, else -scale. */
#include "ops/broadcast.h"

#define BIPOLAR_LOOP(elem, T, W, name, unused) BINARY_LOOP(elem, T, W, name, (x >= 0 ? (T)1 : (T)-1) * y)
EACH_FLOAT(BIPOLAR_LOOP, bipolar, )

static binary_loop *const loops[ELEM_COUNT] = { EACH_FLOAT(LOOP_ROW, bipolar) };

static int kernel(struct exec_ctx *x)
{
	struct tensor *scale = tensor_try_cast(x->in[1], (enum elem_type)x->in[0]->elem);
	int result = exec_binary_on(x, x->in[0], scale, loops, ELEM_UNDEFINED);
	tensor_unref(scale);
	return result;
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	const struct value *scale = node_input(n, 1);
	bool unit = value_is_constant(scale) && tensor_all(scale->constant, 1);
	return datatype_of_kind(unit ? DT_BIPOLAR : DT_NONE);
}

const struct op op_BipolarQuant = {
	.domain = DOMAIN_QONNX,
	.name = "BipolarQuant",
	.summary = "The sign of x (+1 for 0) times a scale",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer_broadcast,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
};

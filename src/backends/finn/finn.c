/* The backend `finn`: the graph as an ONNX file that qonnx executes and FINN's builder takes over. */
#include "backends/backend.h"
#include "backends/finn/plus.h"
#include "hw/folding.h"
#include "ops/op.h"
#include "util/file.h"
#include "util/strbuf.h"

#include <string.h>

/* FINN finds a tensor's producer, reports and folding_config.json's entries by node name: each node
 * needs one, and no two the same. The form OperatorN is what qonnx's GiveUniqueNodeNames writes. */
static void name_nodes(struct graph *g)
{
	struct map taken = { 0 }, counts = { 0 };

	graph_for_each_node (g, n) {
		if (*n->name && !map_has(&taken, n->name)) {
			map_set(&taken, n->name, n);
			continue;
		}
		uintptr_t number = (uintptr_t)map_get(&counts, n->op_type);

		do
			n->name = arena_printf(&g->arena, "%s_%zu", n->op_type, (size_t)number++);
		while (map_has(&taken, n->name));
		map_set(&taken, n->name, n);
		map_set(&counts, n->op_type, (void *)number);
	}
	map_free(&taken);
	map_free(&counts);
}

/* Operators under the domain that qonnx registers them in, whatever alias the exporter wrote. */
static void name_domains(struct graph *g)
{
	graph_for_each_node (g, n) {
		if (!n->op || !*n->op->domain)
			continue;
		if (strcmp(n->domain, n->op->domain))
			node_set_op(n, n->op->domain, n->op_type);
		if (!graph_opset(g, n->op->domain))
			graph_set_opset(g, n->op->domain, 1);
	}
}

/* The smallest integer datatype; none for fractions and for what float32 cannot count. */
static struct datatype constant_datatype(const struct tensor *t)
{
	double lo, hi;

	if (!t->count || !tensor_is_integral(t))
		return datatype_of_kind(DT_NONE);
	tensor_min_max(t, &lo, &hi);
	if (lo < -0x1p31 || hi > 0x1p31)
		return datatype_of_kind(DT_NONE);
	return datatype_for_bounds(lo, hi);
}

/* Constants that meet integers are read by FINN through their annotation: without one a weight of
 * whole numbers counts as FLOAT32 and the layer does not become hardware. */
static void annotate_constants(struct graph *g)
{
	graph_for_each_node (g, n) {
		const struct value *x = node_input(n, 0);

		if (!x || !datatype_is_integer(x->datatype))
			continue;
		for (uint32_t i = 1; i < n->n_inputs; i++) {
			struct value *c = node_input(n, i);

			if (value_is_constant(c) && c->elem == ELEM_FLOAT && c->datatype.kind == DT_NONE)
				c->datatype = constant_datatype(c->constant);
		}
	}
}

static bool has_channels_second(const struct node *n)
{
	static const char *const ops[] = { "Conv", "ConvTranspose", "MaxPool", "AveragePool" };

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (!*n->domain && !strcmp(n->op_type, ops[i]))
			return true;
	return false;
}

static void set_layout(struct value *v, enum layout l)
{
	if (v && !v->layout)
		v->layout = (uint8_t)l;
}

/* Convolutions and poolings of ONNX's own domain say what the axes of their tensors mean, and so does
 * a matrix product of two axes; layouts known already stay. */
static void annotate_layouts(struct graph *g)
{
	graph_for_each_node (g, n) {
		struct value *x = node_input(n, 0);
		enum layout l = LAYOUT_UNKNOWN;

		if (x && has_channels_second(n))
			l = x->rank == 4 ? LAYOUT_NCHW : x->rank == 3 ? LAYOUT_NCW : LAYOUT_UNKNOWN;
		else if (x && !*n->domain && !strcmp(n->op_type, "MatMul") && x->rank == 2)
			l = LAYOUT_NC;
		if (l == LAYOUT_UNKNOWN)
			continue;
		set_layout(x, l);
		set_layout(node_output(n, 0), l);
	}
}

/* Every shape is written out: FINN reads shapes from value_info and infers none by itself. */
static void declare_shapes(struct graph *g)
{
	graph_for_each_value (g, v)
		if (v->rank >= 0 && v->elem != ELEM_UNDEFINED && !value_is_constant(v))
			v->is_declared = true;
}

static bool finn_accepts(struct backend_ctx *x)
{
	(void)x;
	return true;
}

static int finn_emit(struct backend_ctx *x)
{
	struct graph *g = x->mutable_graph ? x->mutable_graph : graph_copy(x->graph);
	bool plus = finn_is_plus(g);
	int status = plus ? finn_name_plus(g, x->diags) : 0;

	name_nodes(g);
	name_domains(g);
	annotate_constants(g);
	annotate_layouts(g);
	declare_shapes(g);
	if (status == 0 && g->properties & GRAPH_FOLDED) {
		char *path = path_join(x->dir, "folding_config.json");
		status = folding_config_write(g, path, x->diags);
		free(path);
	}
	if (status == 0 && plus)
		finn_convert_plus(g);
	if (status == 0) {
		char *path = path_join(x->dir, "model.finn.onnx");
		status = graph_write(g, path, x->diags);
		free(path);
	}
	if (!x->mutable_graph)
		graph_free(g);
	return status;
}

const struct backend backend_finn = {
	.name = "finn",
	.summary = "an ONNX file with FINN's and qonnx's operators and annotations",
	.help = "Writes model.finn.onnx. Every node has a unique name, every tensor its shape, integer tensors their\n"
		"datatype (finn_datatype) and layout (tensor_layout) in the quantization annotations, as FINN's builder\n"
		"and qonnx read them. qonnx executes the file unless it holds FINN's hardware layers. After fold,\n"
		"folding_config.json holds PE, SIMD and memories in FINN's format. Hardware layers are those of FINN 0.10,\n"
		"or, where to-hw(for=finn-plus) made them, of FINN-plus: Elementwise..., Pool instead of StreamingMaxPool.\n"
		"\n"
		"    qcc model.onnx -p streamline -b finn -o out\n",
	.accepts = finn_accepts,
	.emit = finn_emit,
};

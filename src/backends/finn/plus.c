/* The hardware layers of FINN-plus (finn-plus 1.6) where they differ from FINN's: adders, differences and
 * constants per channel are operators named Elementwise..., upsampling has attributes for rows and for columns, and a
 * width converter has both of its shapes. Max pools and DownSampler are made in FINN-plus's form by
 * to-hw(for=finn-plus) already. */
#include "backends/finn/plus.h"

#include <string.h>

#include "hw/hw.h"
#include "ops/op.h"
#include "passes/edit.h"
#include "passes/to_hw.h"

int finn_name_plus(struct graph *g, struct diags *d)
{
	struct map counts = { 0 };
	struct strbuf text = { 0 };
	int result = 0;
	graph_for_each_node (g, n) {
		if (!hw_kind_of(n))
			continue;
		const char *name = hw_plus_name(n);
		if (!name) {
			result = diag_node_error(d, n, "to-hw(for=finn-plus)", "FINN-plus has no %s", n->op_type);
			continue;
		}
		text.length = 0;
		numbered_name(&counts, name, &text);
		node_rename(n, text.text);
		if (n->op == &op_UpsampleNearestNeighbour) /* all channels at once, as ours */
			node_set_int(n, "SIMD", node_attr_int(n, "NumChannels", 1));
	}
	strbuf_free(&text);
	map_free(&counts);
	return result;
}

bool finn_is_plus(const struct graph *g)
{
	const char *whose = property_get(g->metadata, TO_HW_FOR);
	return whose && !strcmp(whose, "finn-plus");
}

static void set_datatype(struct node *n, const char *name, struct datatype t)
{
	char buffer[DATATYPE_NAME_SIZE];
	node_set_string(n, name, datatype_name(t, buffer));
}

static void set_shape(struct node *n, const char *name, const struct value *v)
{
	node_set_ints(n, name, v->dims, (size_t)v->rank);
}

static void convert_elementwise(struct node *n, const char *op_type)
{
	static const char *const old[] = { "NumChannels",    "inputDataType",  "inputDataType0",
					   "inputDataType1", "eltwiseOp",      "Func",
					   "paramDataType",  "outputDataType", "numInputVectors" };
	const struct value *a = node_input(n, 0), *b = node_input(n, 1), *y = node_output(n, 0);
	for (size_t i = 0; i < sizeof old / sizeof *old; i++)
		node_remove_attr(n, old[i]);
	set_shape(n, "lhs_shape", a);
	set_shape(n, "rhs_shape", b);
	set_shape(n, "out_shape", y);
	set_datatype(n, "lhs_dtype", a->datatype);
	set_datatype(n, "rhs_dtype", b->datatype);
	set_datatype(n, "out_dtype", y->datatype);
	node_set_string(n, "lhs_style", "input");
	node_set_string(n, "rhs_style", value_is_constant(b) ? "const" : "input");
	node_set_op(n, n->domain, op_type);
}

static void convert_upsample(struct node *n)
{
	const struct value *x = node_input(n, 0), *y = node_output(n, 0);
	node_set_int(n, "HI", x->dims[1]);
	node_set_int(n, "WI", x->dims[2]);
	node_set_int(n, "HO", y->dims[1]);
	node_set_int(n, "WO", y->dims[2]);
	node_set_int(n, "batchSize", x->dims[0]);
	node_remove_attr(n, "IFMDim");
	node_remove_attr(n, "OFMDim");
	node_remove_attr(n, "DimMode");
	node_remove_attr(n, "numInputVectors");
}

void finn_convert_plus(struct graph *g)
{
	graph_for_each_node (g, n) {
		if (n->op == &op_UpsampleNearestNeighbour) {
			convert_upsample(n);
		} else if (n->op == &op_StreamingDataWidthConverter) {
			set_shape(n, "inShape", node_input(n, 0));
			set_shape(n, "outShape", node_output(n, 0));
			node_remove_attr(n, "shape");
		} else if (hw_kind_of(n) && strcmp(hw_plus_name(n), n->op_type) != 0) {
			convert_elementwise(n, hw_plus_name(n));
		}
	}
}

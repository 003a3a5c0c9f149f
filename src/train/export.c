/* Exporting as QONNX (see export.h). The weights that are written lie on the grid of their quantiser already, so that
 * every reader quantises them to the same codes. */
#include "train/export.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/strbuf.h"

enum { OPSET = 13, IR_VERSION = 8 };

struct node *export_node(struct export *e, const char *domain, const char *op, struct value *const *inputs,
			 size_t count)
{
	struct node *n = node_new(e->g, NULL, domain, op, inputs, count, 1, op);
	e->value = n->outputs[0];
	return n;
}

static struct value *constant(struct export *e, const struct layer *l, const char *name, struct tensor *t)
{
	struct strbuf full = { 0 };
	strbuf_printf(&full, "layers.%d.%s", l->index, name);
	struct value *v = value_new_constant(e->g, full.text, t);
	strbuf_free(&full);
	return v;
}

struct value *export_floats(struct export *e, const struct layer *l, const char *name, int rank, const int64_t *dims,
			    const float *elements)
{
	return constant(e, l, name, tensor_float(rank, dims, elements));
}

static struct value *scalar(struct export *e, const struct layer *l, const char *name, float x)
{
	return constant(e, l, name, tensor_scalar(x));
}

static struct node *quant_node(struct export *e, struct value *x, struct value *scale, struct value *zero,
			       struct value *bits, bool is_signed, bool narrow)
{
	struct value *inputs[] = { x, scale, zero, bits };
	struct node *n = node_new(e->g, NULL, DOMAIN_QONNX, "Quant", inputs, 4, 1, "Quant");
	node_set_int(n, "signed", is_signed);
	node_set_int(n, "narrow", narrow);
	node_set_string(n, "rounding_mode", "ROUND");
	return n;
}

/* One scale, or one for each output along the first axis. */
static struct value *scale_value(struct export *e, const struct layer *l, int rank)
{
	const struct weight_quantiser *q = l->weights;
	int64_t dims[4] = { q->channels, 1, 1, 1 };
	return q->channels == 1 ? scalar(e, l, "weight_scale", q->scale[0])
				: export_floats(e, l, "weight_scale", rank, dims, q->scale);
}

struct value *export_weights(struct export *e, const struct layer *l, int rank, const int64_t *dims, bool transposed)
{
	const struct weight_quantiser *q = l->weights;
	int64_t rows = dims[0], columns = q->count / rows;
	struct tensor *t = tensor_new(ELEM_FLOAT, rank, dims);
	float *to = t->data;
	for (int64_t i = 0; i < q->count; i++)
		to[i] = q->values[transposed ? i % columns * rows + i / columns : i];
	struct value *w = constant(e, l, "weight", t);
	if (q->width.kind == BITS_FLOAT)
		return w;
	struct value *scale = scale_value(e, l, rank);
	if (q->width.kind == BITS_BIPOLAR) {
		struct value *inputs[] = { w, scale };
		return node_new(e->g, NULL, DOMAIN_QONNX, "BipolarQuant", inputs, 2, 1, "BipolarQuant")->outputs[0];
	}
	struct value *bits = scalar(e, l, "weight_bits", (float)q->width.bits);
	return quant_node(e, w, scale, scalar(e, l, "weight_zero_point", 0), bits, true, true)->outputs[0];
}

void export_quant(struct export *e, const struct layer *l, struct bit_width width, bool is_signed, bool narrow,
		  float scale)
{
	struct value *s = scalar(e, l, "act_scale", scale);
	if (width.kind == BITS_BIPOLAR) {
		struct value *inputs[] = { e->value, s };
		export_node(e, DOMAIN_QONNX, "BipolarQuant", inputs, 2);
		return;
	}
	struct value *bits = scalar(e, l, "act_bits", (float)width.bits);
	e->value = quant_node(e, e->value, s, scalar(e, l, "act_zero_point", 0), bits, is_signed, narrow)->outputs[0];
}

static struct value *input_of(const struct net *n, struct graph *g)
{
	struct value *v = value_new_named(g, "input");
	int64_t dims[5] = { 1 };
	memcpy(dims + 1, n->in.dims, (size_t)n->in.rank * sizeof *dims);
	value_set_type(g, v, ELEM_FLOAT, n->in.rank + 1, dims);
	if (n->bits)
		v->datatype = datatype_of_kind(DT_BINARY);
	graph_add_input(g, v);
	return v;
}

struct graph *export_graph(const struct net *n, const char *name)
{
	struct graph *g = graph_new();
	struct export e = { .g = g, .net = n };
	g->name = arena_strdup(&g->arena, name);
	g->ir_version = IR_VERSION;
	g->producer_name = "qcc";
	g->producer_version = PACKAGE_VERSION;
	graph_set_opset(g, "", OPSET);
	graph_set_opset(g, DOMAIN_QONNX, 1);
	e.value = input_of(n, g);
	for (size_t i = 0; i < n->count; i++)
		n->layers[i].type->export(&e, &n->layers[i]);
	int64_t dims[5] = { 1 };
	const struct shape *out = &n->layers[n->count - 1].out;
	memcpy(dims + 1, out->dims, (size_t)out->rank * sizeof *dims);
	value_set_type(g, e.value, ELEM_FLOAT, out->rank + 1, dims);
	value_rename(g, e.value, "output");
	graph_add_output(g, e.value, "output");
	return g;
}

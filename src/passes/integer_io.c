/* integer-io: inputs and outputs become the integers that the network calculates with, with the scale and offset that they stand
 * for as metadata of the model. */
#include "passes/edit.h"
#include "passes/integer_io.h"
#include "passes/pass.h"
#include "passes/quant_grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what integers stand for ---- */

static const char *key_of(struct strbuf *b, const char *name, const char *what)
{
	b->length = 0;
	strbuf_printf(b, "qcc.%s.%s", what, name);
	return b->text;
}

static void set_property(struct graph *g, const char *key, double x)
{
	char text[32];
	snprintf(text, sizeof text, "%.9g", x);
	for (struct property *p = g->metadata; p; p = p->next)
		if (!strcmp(p->key, key)) {
			p->text = arena_strdup(&g->arena, text);
			return;
		}
	property_add(g, &g->metadata, key, text);
}

static void record(struct graph *g, const char *name, double scale, double offset)
{
	struct strbuf key = { 0 };
	set_property(g, key_of(&key, name, "scale"), scale);
	set_property(g, key_of(&key, name, "offset"), offset);
	strbuf_free(&key);
}

static double property_or(const struct graph *g, const char *key, double fallback)
{
	const char *text = property_get(g->metadata, key);
	char *end;
	double x = text ? strtod(text, &end) : fallback;
	return isfinite(x) ? x : fallback;
}

struct integer_meaning integer_meaning(const struct graph *g, const char *name)
{
	struct strbuf key = { 0 };
	struct integer_meaning m;
	m.scale = property_or(g, key_of(&key, name, "scale"), 1);
	m.offset = property_or(g, key_of(&key, name, "offset"), 0);
	strbuf_free(&key);
	return m;
}

/* What is added to lo..hi so that it is a range of signed or unsigned integers of the fewest bits: a zero point, which quantisers
 * subtract, comes back. The nearest of the two; *t is their datatype. */
static int64_t shift_to_fewest_bits(int64_t lo, int64_t hi, struct datatype *t)
{
	int bits = 1;
	while (bits < 62 && (INT64_C(1) << bits) < hi - lo + 1)
		bits++;
	int64_t to_signed = (INT64_C(1) << (bits - 1)) - 1 - hi, to_unsigned = -lo;
	bool is_signed = bits > 1 && llabs(to_signed) < llabs(to_unsigned);
	*t = is_signed ? datatype_int(bits) : datatype_uint(bits);
	return is_signed ? to_signed : to_unsigned;
}

/* ---- inputs ---- */

/* The quantiser that the input meets, behind nothing but operators that move elements. NULL with the reason. */
static struct node *first_quantiser(const struct value *v, const char **reason)
{
	for (;;) {
		const struct use *u = value_only_use(v);
		if (!u || !u->user) {
			*reason = "it is read by several nodes, or by none";
			return NULL;
		}
		struct node *n = u->user;
		if (n->op && n->op->flags & OP_QUANTISER && u->index == 0)
			return n;
		if (!n->op || !(n->op->flags & OP_MOVES) || u->index != 0 || n->n_outputs != 1) {
			*reason = "something is calculated with it before it is quantised";
			return NULL;
		}
		v = n->outputs[0];
	}
}

/* scale * v + offset, before the node. */
static struct value *dequantised(struct graph *g, struct node *before, struct value *v, double scale, double offset)
{
	struct value *y = add_node2(g, before, DOMAIN_ONNX, "Mul", v, constant_scalar(g, "scale", scale), "real");
	if (offset != 0)
		y = add_node2(g, before, DOMAIN_ONNX, "Add", y, constant_scalar(g, "offset", offset), "real");
	return y;
}

/* Types of what moves the input, which holds other numbers now. */
static void type_moves(struct value *v, const struct node *end)
{
	for (struct node *n = v->uses->user; n != end; n = n->outputs[0]->uses->user)
		n->outputs[0]->datatype = v->datatype;
}

static void input_to_integers(struct pass_ctx *ctx, struct value *v)
{
	struct quant_grid grid;
	const char *reason = NULL;
	if (datatype_is_integer(v->datatype))
		return;
	struct node *q = first_quantiser(v, &reason);
	if (q && !quant_grid_of(q, &grid, &reason))
		q = NULL;
	if (q && grid.scales)
		reason = "its scale differs between channels";
	if (reason) {
		pass_note(ctx, "input '%s' stays real: %s", v->name, reason);
		return;
	}
	double offset = grid.bias;
	v->datatype = grid.datatype;
	if (grid.stride == 1 && datatype_bits(v->datatype) > 1)
		offset -= grid.scale * (double)shift_to_fewest_bits(grid.base, grid.base + grid.steps, &v->datatype);
	type_moves(v, q);
	record(ctx->graph, v->name, grid.scale, offset);
	value_replace_uses(q->outputs[0], dequantised(ctx->graph, q, q->inputs[0].value, grid.scale, offset));
	node_remove(q);
	ctx->changes++;
}

/* ---- outputs ---- */

/* One step back: y = scale * x + offset, by one number each. NULL: it is not of that form. */
static struct value *step_back(const struct value *y, double *scale, double *offset)
{
	const struct node *n = y->producer;
	double c = 0;
	if (!n || n->n_inputs != 2)
		return NULL;
	bool first = value_scalar(node_input(n, 0), &c);
	if (!first && !value_scalar(node_input(n, 1), &c))
		return NULL;
	struct value *x = node_input(n, first);
	if (n->op == &op_Mul)
		*scale *= c;
	else if (n->op == &op_Div && !first && c != 0)
		*scale /= c;
	else if (n->op == &op_Add)
		*offset += *scale * c;
	else if (n->op == &op_Sub && !first)
		*offset -= *scale * c;
	else
		return NULL;
	return x;
}

/* The last thresholds count from another number, so that what comes out has the fewest bits. The shift. */
static int64_t shift_output(struct value *x)
{
	struct node *n = x->producer;
	struct quant_grid grid;
	struct datatype t;
	struct diags quiet = { 0 };
	char name[DATATYPE_NAME_SIZE];
	const char *reason;
	const struct use *u = value_only_use(x);
	if (!n || n->op != &op_MultiThreshold || !u || u->user || !quant_grid_of(n, &grid, &reason) || grid.scales ||
	    grid.scale != 1 || grid.bias != 0 || grid.stride != 1)
		return 0;
	int64_t shift = shift_to_fewest_bits(grid.base, grid.base + grid.steps, &t);
	if (shift == 0 || datatype_bits(t) >= datatype_bits(x->datatype))
		return 0;
	node_set_float(n, "out_bias", (float)(node_attr_float(n, "out_bias", 0) + (double)shift));
	node_set_string(n, "out_dtype", datatype_name(t, name));
	x->range = NULL;
	node_infer(n, &quiet);
	diags_free(&quiet);
	return shift;
}

static void output_to_integers(struct pass_ctx *ctx, uint32_t i)
{
	struct graph *g = ctx->graph;
	struct value *v = g->outputs[i].value;
	double scale = 1, offset = 0;
	struct value *x = v;
	while (x && !datatype_is_integer(x->datatype))
		x = step_back(x, &scale, &offset);
	if (x == v)
		return;
	if (!x || !isfinite(scale) || !isfinite(offset)) {
		pass_note(ctx, "output '%s' stays real: what it ends with is not one scale and one offset",
			  g->output_names[i]);
		return;
	}
	graph_set_output(g, i, x);
	graph_remove_dead(g); /* the scale and the offset, which read x */
	offset -= scale * (double)shift_output(x);
	record(g, g->output_names[i], scale, offset);
	ctx->changes++;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	if (g->properties & GRAPH_CONVERTED)
		return diag_error(
			ctx->diags, "name integer-io before them",
			"the quantisers of the inputs are gone already: convert and streamline come after this pass");
	if (pass_run_nested(ctx, "qop-to-quant", NULL) == PASS_ERROR ||
	    pass_run_nested(ctx, "qcdq-to-quant", NULL) == PASS_ERROR)
		return PASS_ERROR;
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!value_is_constant(g->inputs[i]))
			input_to_integers(ctx, g->inputs[i]);
	if (pass_run_nested(ctx, "streamline", NULL) == PASS_ERROR)
		return PASS_ERROR;
	for (uint32_t i = 0; i < g->n_outputs; i++)
		output_to_integers(ctx, i);
	return pass_result(ctx);
}

const struct pass pass_integer_io = {
	.name = "integer-io",
	.summary = "inputs and outputs become the integers that the network calculates with",
	.help = "The quantiser at an input goes: what is fed is the integer that it would give, and real = scale * integer +\n"
		"offset. Likewise the scale and offset at an output go. Both stand in the model's metadata (qcc.scale.NAME,\n"
		"qcc.offset.NAME), and generated C has them as macros. Inputs and outputs without a quantiser, or with a scale\n"
		"or an offset for each channel, stay real, and a note says so. It runs streamline on its way, so that\n"
		"set-datatype and the like come before it.\n"
		"\n"
		"    qcc model.onnx -p integer-io -b 'c(tiny)'",
	.requires = GRAPH_INFERRED | GRAPH_CLEAN,
	.ensures = GRAPH_INFERRED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_STREAMLINED,
	.preserves = GRAPH_CLEAN,
	.run = run,
	.changes_function = true,
};

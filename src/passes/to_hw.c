/* to-hw: from the streamlined graph to FINN's hardware layers. Every node between the first and the last integer
 * value becomes one; what stays before and behind is the host's. */
#include "passes/to_hw.h"

#include <stdlib.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/lower_convs.h"
#include "passes/thresholds.h"
#include "util/strbuf.h"

void to_hw_set_datatype(struct node *n, const char *name, struct datatype t)
{
	char buffer[DATATYPE_NAME_SIZE];
	node_set_string(n, name, datatype_name(t, buffer));
}

void to_hw_set_vectors(struct node *n, const struct value *v)
{
	static const int64_t one = 1;
	if (v->rank > 1)
		node_set_ints(n, "numInputVectors", v->dims, (size_t)v->rank - 1);
	else
		node_set_ints(n, "numInputVectors", &one, 1);
}

bool to_hw_is_integer(const struct value *v)
{
	return v && datatype_is_integer(v->datatype) && value_shape_known(v) && v->rank > 0;
}

bool to_hw_for_plus(const struct pass_ctx *ctx)
{
	return strcmp(pass_string(ctx, "for"), "finn-plus") == 0;
}

struct node *to_hw_insert(struct node *before, const char *op_type, struct value *input, const char *hint)
{
	struct node *n = node_new(before->graph, before, DOMAIN_FINN, op_type, &input, 1, 1, hint);
	node_set_string(n, "backend", "fpgadataflow");
	return n;
}

struct node *to_hw_replace(struct node *last, const char *op_type, struct value *const *inputs, size_t n_inputs)
{
	struct graph *g = last->graph;
	struct value *old = node_output(last, 0);
	struct node *n = node_new(g, last, DOMAIN_FINN, op_type, inputs, n_inputs, 1, old->name);
	value_copy_type(g, n->outputs[0], old);
	n->outputs[0]->range = old->range;
	node_set_string(n, "backend", "fpgadataflow");
	value_replace_uses(old, n->outputs[0]);
	node_remove(last);
	return n;
}

/* ---- what is left ---- */

/* For each node by id: below a hardware layer (1), above one (2). */
static unsigned char *reach_of_hardware(const struct graph *g)
{
	unsigned char *reach = xcalloc((size_t)g->next_node_id + 1, 1);
	for (const struct node *n = g->first; n; n = n->next)
		for (uint32_t i = 0; i < n->n_inputs; i++) {
			const struct value *v = node_input(n, i);
			if (v && v->producer && (hw_kind_of(v->producer) || reach[v->producer->id] & 1))
				reach[n->id] |= 1;
		}
	for (const struct node *n = g->last; n; n = n->prev)
		for (uint32_t i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				value_for_each_use (n->outputs[i], u)
					if (u->user && (hw_kind_of(u->user) || reach[u->user->id] & 2))
						reach[n->id] |= 2;
	return reach;
}

static bool is_left(const struct node *n, const unsigned char *reach)
{
	return n && reach[n->id] == 3 && !hw_kind_of(n) && !hw_is_view(n);
}

/* Why a node of integers has no hardware form. */
static const char *reason_of(const struct node *n)
{
	if (n->op == &op_Slice || n->op == &op_Gather)
		return "takes elements in another order, or not in even steps, which no layer of FINN does";
	if (n->op == &op_Pad)
		return "pads with other values than 0, which no layer of FINN does";
	if (n->op == &op_ReduceSum || n->op == &op_ReduceMax)
		return "reduces axes that do not lie side by side, for which FINN has no layer";
	if (n->op == &op_MatMul || n->op == &op_Gemm)
		return "multiplies by a matrix that is no constant, for which FINN has no layer";
	return "has no hardware layer in this form";
}

/* Every node between hardware layers must be one. */
static int check_leftovers(const struct graph *g, struct diags *d)
{
	unsigned char *reach = reach_of_hardware(g);
	int result = 0;
	for (const struct node *n = g->first; n; n = n->next) {
		if (!is_left(n, reach))
			continue;
		if (to_hw_is_integer(node_input(n, 0)))
			result = diag_node_error(d, n,
						 "the C backend (-b c) takes networks of which hardware has not all",
						 "stands between hardware layers, but %s", reason_of(n));
		else
			result = diag_node_error(d, n, "a quantiser in front of it; streamline -v says what blocks it",
						 "stands between hardware layers and computes with real numbers");
	}
	free(reach);
	return result;
}

static json_t *labels(const struct graph *g, bool head)
{
	unsigned char *reach = reach_of_hardware(g);
	json_t *list = json_array();
	for (const struct node *n = g->first; n; n = n->next)
		if (!hw_kind_of(n) && (head ? reach[n->id] == 2 : !(reach[n->id] & 2)))
			json_array_append_new(list, json_string(node_label(n)));
	free(reach);
	return list;
}

/* ---- the pass ---- */

static int convert_node(struct pass_ctx *ctx, struct node *n)
{
	int result = to_hw_matmul(ctx, n);
	if (result == 0)
		result = to_hw_threshold(ctx, n);
	if (result == 0)
		result = to_hw_window(ctx, n);
	if (result == 0)
		result = to_hw_part(ctx, n);
	if (result == 0)
		result = to_hw_stream(ctx, n);
	return result;
}

static bool needs_lowering(const struct graph *g)
{
	for (const struct node *n = g->first; n; n = n->next)
		if ((n->op == &op_Conv || n->op == &op_MaxPool || n->op == &op_ConvTranspose) &&
		    to_hw_is_integer(node_input(n, 0)))
			return true;
	return false;
}

/* The layer in front of a view or a Transpose may give fewer bits than what it was made from; what reads it, the same. */
static void narrow(const struct node *n)
{
	if ((hw_is_view(n) || n->op == &op_Transpose) && to_hw_is_integer(node_input(n, 0)))
		node_output(n, 0)->datatype = node_input(n, 0)->datatype;
}

/* Transposes between hardware layers; those at the ends are the host's. */
static int convert_transposes(struct pass_ctx *ctx)
{
	unsigned char *reach = reach_of_hardware(ctx->graph);
	size_t known = ctx->graph->next_node_id;
	int result = 0;
	for (struct node *n = ctx->graph->first, *next; n && result >= 0; n = next) {
		next = n->next;
		if (n->id < known && is_left(n, reach))
			result = to_hw_shuffle(ctx, n);
		ctx->changes += result > 0;
	}
	free(reach);
	return result;
}

static int convert_all(struct pass_ctx *ctx)
{
	for (struct node *n = ctx->graph->first, *next; n; n = next) {
		struct node *before = n->prev;
		narrow(n);
		int result = convert_node(ctx, n);
		if (result < 0)
			return -1;
		ctx->changes += (size_t)result;
		/* n, and the node it took in, may be gone: go on behind what stands in its place */
		next = result == 0 ? n->next : before ? before->next : ctx->graph->first;
		while (result > 0 && next && hw_kind_of(next))
			next = next->next;
	}
	if (convert_transposes(ctx) < 0)
		return -1;
	for (struct node *n = ctx->graph->last, *prev; n; n = prev) {
		prev = n->prev;
		int result = to_hw_channelwise(ctx, n);
		if (result < 0)
			return -1;
		ctx->changes += (size_t)result;
	}
	to_hw_take_away_views(ctx);
	to_hw_duplicate(ctx);
	return 0;
}

/* By the operators that whoever builds the layers knows: the names in folding_config.json. */
static void name_layers(struct graph *g, bool plus)
{
	struct map counts = { 0 };
	struct strbuf name = { 0 };
	graph_for_each_node (g, n) {
		if (!hw_kind_of(n))
			continue;
		name.length = 0;
		const char *plus_name = plus ? hw_plus_name(n) : NULL;
		numbered_name(&counts, plus_name ? plus_name : n->op->name, &name);
		node_rename(n, name.text);
	}
	strbuf_free(&name);
	map_free(&counts);
}

static int check_options(struct pass_ctx *ctx)
{
	const char *whose = pass_string(ctx, "for");
	if (strcmp(whose, "finn") && strcmp(whose, "finn-plus"))
		return diag_error(ctx->diags, "for=finn or for=finn-plus", "to-hw knows no layers of '%s'", whose);
	if (to_hw_for_plus(ctx))
		property_add(ctx->graph, &ctx->graph->metadata, TO_HW_FOR, whose);
	return 0;
}

/* Hardware decides by thresholds alone. */
static bool has_wide_quantisers(const struct graph *g)
{
	graph_for_each_node (g, n)
		if (quantiser_stays(n, MOST_TABLE_LEVELS))
			return true;
	return false;
}

static enum pass_result run(struct pass_ctx *ctx)
{
	struct graph *g = ctx->graph;
	if (check_options(ctx) != 0)
		return PASS_ERROR;
	if (has_wide_quantisers(g) && pass_run_nested(ctx, "streamline", "levels=65536") == PASS_ERROR)
		return PASS_ERROR;
	if (needs_lowering(g) && pass_run_nested(ctx, "lower-convs", NULL) == PASS_ERROR)
		return PASS_ERROR;
	if (widen_padded_bipolar(g) && graph_infer(g, ctx->diags) != 0)
		return PASS_ERROR;
	if (convert_all(ctx) != 0)
		return PASS_ERROR;
	ctx->changes += graph_remove_dead(g);
	name_layers(g, to_hw_for_plus(ctx));
	graph_set_opset(g, DOMAIN_FINN, 1);
	size_t layers = 0;
	graph_for_each_node (g, n)
		layers += hw_kind_of(n) != NULL;
	if (!layers) {
		diag_error(
			ctx->diags,
			"set-datatype(input=...) declares what a real input holds; -p streamline lists what blocks it",
			"no layer has integer inputs and weights: there is nothing to put into hardware");
		return PASS_ERROR;
	}
	if (check_leftovers(g, ctx->diags) != 0 || graph_infer(g, ctx->diags) != 0)
		return PASS_ERROR;
	json_object_set_new(ctx->report, "layers", json_integer((json_int_t)layers));
	json_object_set_new(ctx->report, "host_before", labels(g, true));
	json_object_set_new(ctx->report, "host_after", labels(g, false));
	return pass_result(ctx);
}

static const struct pass_option options[] = {
	{ "keep_shape", OPTION_FLAG, NULL, "dead hardware is not removed first" },
	{ "for", OPTION_STRING, "finn",
	  "whose layers: finn (0.10), or finn-plus, which has neither StreamingMaxPool nor DownSampler" },
	{ 0 }
};

const struct pass pass_to_hw = {
	.name = "to-hw",
	.summary = "turns integer layers into FINN's hardware layers (MVAU, VVAU, Thresholding, ...)",
	.help = "Lowers convolutions first (lower-convs), then replaces MatMul with the MultiThreshold behind it by MVAU (VVAU where it\n"
		"is depthwise), Im2Col by FMPadding and ConvolutionInputGenerator, MaxPool by StreamingMaxPool or Pool, and so on,\n"
		"with FINN's attributes and PE = SIMD = 1 (the sliding windows: all channels), which fold then sets. A product of two\n"
		"activations is a StreamingEltwise, also where one is a pixel that is combined with all of an image (the gate of squeeze and\n"
		"excite); FINN-plus builds those, FINN does not. Slice, Pad and Gather become Crop and FMPadding, Split StreamingSplit.\n"
		"A Transpose between layers is a Shuffle, which FINN-plus has and which stores a frame.\n"
		"Sums and maxima over axes that lie side by side are layers as well. Bipolar inputs times bipolar weights count bits; thresholds are\n"
		"rewritten for that. Bipolar images that are padded with zeros become TERNARY where they are\n"
		"made, since a bit cannot hold 0 (FINN writes bits of 0, which count as -1 there). Layers that compute with real\n"
		"numbers before the first and behind the last of them stay for the host and are listed in the report; one in between\n"
		"is an error.\n"
		"Before it, prune-dead removes what cannot matter; to-hw(keep_shape), or --keep-shape, keeps it.",
	.options = options,
	.waives = pass_keeps_shape,
	.requires = GRAPH_STREAMLINED | GRAPH_INFERRED | GRAPH_PRUNED,
	.ensures = GRAPH_HARDWARE | GRAPH_INFERRED,
	.preserves = GRAPH_STREAMLINED | GRAPH_CLEAN | GRAPH_CONVERTED | GRAPH_PRUNED | GRAPH_SHRUNK,
	.run = run,
};

/* The style `reference`: the graph's own layouts, one plain function for each layer, the smallest plain types. */
#include "backends/c/reference/reference.h"

static int reference_layers(struct emit *e)
{
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		size_t before = e->constants->bytes;
		ref_layer(e, l);
		emit_layer_report(e, l, before, "reference");
	}
	return 0;
}

const struct style style_reference = {
	.name = "reference",
	.folder = "c",
	.plan = { .channels_last = false, .fuse = true },
	.align = 8,
	.size = emit_plain_sizes,
	.layers = reference_layers,
};

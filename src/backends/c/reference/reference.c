/* The style `reference`: the graph's own layouts, one plain function a layer, smallest plain types. */
#include "backends/c/emit.h"

static void reference_size(struct emit *e)
{
	for (struct plan_buf *b = e->plan->bufs; b; b = b->next)
		b->bytes = b->same ? 0 : (size_t)b->count * plan_elem_size(b->elem);
}

/* Bytes a layer's results take in the arena. */
static size_t layer_ram(const struct plan_layer *l)
{
	size_t n = 0;
	if (l->out)
		n += plan_root(l->out)->bytes;
	if (l->out2)
		n += plan_root(l->out2)->bytes;
	return n;
}

void emit_layer_report(struct emit *e, const struct plan_layer *l, size_t rom_before, const char *kernel)
{
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(utf8_text(&e->arena, node_label(l->node))));
	json_object_set_new(o, "kind", json_string(plan_kind_name(l)));
	json_object_set_new(o, "kernel", json_string(kernel));
	json_object_set_new(o, "macs", json_integer(plan_layer_macs(l)));
	json_object_set_new(o, "rom_bytes", json_integer((json_int_t)(e->rom - rom_before)));
	json_object_set_new(o, "ram_bytes", json_integer((json_int_t)layer_ram(l)));
	json_object_set_new(o, "stack_bytes", json_integer((json_int_t)(e->stack + STACK_FRAME)));
	json_array_append_new(e->layers, o);
	if (e->stack + STACK_FRAME > e->most_stack)
		e->most_stack = e->stack + STACK_FRAME;
	e->stack = 0;
}

static int reference_layers(struct emit *e)
{
	for (const struct plan_layer *l = e->plan->layers; l; l = l->next) {
		size_t before = e->rom;
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
	.size = reference_size,
	.layers = reference_layers,
};

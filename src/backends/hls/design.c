/* What HLS adds to a design: names, and the limits of ap_int. */
#include "backends/hls/hls.h"

#include <stdio.h>

#include "hw/kind.h"

const char *hls_element(struct datatype t, char buffer[40])
{
	if (t.kind == DT_BIPOLAR)
		return "qcc::Bipolar";
	snprintf(buffer, 40, "qcc::%s<%d>", datatype_is_signed(t) ? "Signed" : "Unsigned", datatype_bits(t));
	return buffer;
}

static int check_stream(const struct design_stream *s, struct diags *d)
{
	const struct node *n = (s->writer ? s->writer : s->reader)->l.node;
	if (hw_width(s->words) <= HLS_MAX_WIDTH)
		return 0;
	return diag_node_error(d, n, "fold(..., max_stream_bits=4096)",
			       "has a stream ('%s') of %lld bits, %lld elements of %d; ap_int in HLS goes to %d",
			       s->value->name, (long long)hw_width(s->words), (long long)s->words.elements,
			       s->words.bits, HLS_MAX_WIDTH);
}

/* A converter between widths of which neither divides the other holds as much as both. */
static int check_converter(const struct hw_layer *l, struct diags *d)
{
	int64_t in = l->widths[0], out = l->widths[1];
	if (!(l->kind->flags & HW_CONVERTER) || in % out == 0 || out % in == 0 || in + out <= HLS_MAX_WIDTH)
		return 0;
	return diag_node_error(
		d, l->node, "fold(..., max_stream_bits=2048)",
		"holds %lld bits to make words of %lld bits from words of %lld; ap_int in HLS goes to %d",
		(long long)(in + out), (long long)out, (long long)in, HLS_MAX_WIDTH);
}

static int check_widths(const struct design *p, struct diags *d)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (check_stream(&p->streams[i], d) != 0)
			return -1;
	for (size_t i = 0; i < p->n_layers; i++)
		if (check_converter(&p->layers[i].l, d) != 0)
			return -1;
	return 0;
}

/* Names of the layers beside what file scope and the top function have already. */
static void name_layers(struct hls_design *p)
{
	static const char *const names[] = { "hls", "std", "feed", "drain", "run_frame" };
	static const char *const made[] = { "_weights", "_activation", "_constants", "_table", NULL };
	struct arena *a = &p->design.arena;
	struct map taken = { 0 };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		identifier_take(&taken, names[i]);
	identifier_take(&taken, p->top);
	for (size_t i = 0; i < p->design.n_streams; i++) {
		identifier_take(&taken, arena_printf(a, "in%zu", i));
		identifier_take(&taken, arena_printf(a, "out%zu", i));
		identifier_take(&taken, arena_printf(a, "s%zu", i));
	}
	design_name_layers(&p->design, &taken, made);
	map_free(&taken);
}

int hls_design_read(struct hls_design *p, const struct graph *g, const char *top, const struct design_options *o,
		    struct diags *d)
{
	*p = (struct hls_design){ .top = top };
	if (design_read(&p->design, g, o, d) != 0 || check_widths(&p->design, d) != 0)
		return -1;
	p->top = identifier_alone(&p->design.arena, top && *top ? top : "network", "n");
	name_layers(p);
	return 0;
}

void hls_design_free(struct hls_design *p)
{
	design_free(&p->design);
}

/* The loops around kernels that compute some pixels by some vectors of channels at a time, and what they share:
 * where operands start, where results go. */
#include "backends/c/packed/packed.h"

#define P(...) strbuf_printf(e->code, __VA_ARGS__)

const char *packed_segment(struct emit *e, const struct packed_layer *p, int64_t pixel)
{
	const struct plan_window *w = &p->layer->window;
	if (w->dense)
		return arena_printf(e->arena, "q * %lld", LL(pixel));
	if (p->segments == w->kh)
		return arena_printf(e->arena, "((p * %lld + s * %lld) * %lld + q * %lld) * %lld", LL(w->stride_h),
				    LL(w->dilation_h), LL(p->image_w), LL(w->stride_w), LL(pixel));
	return arena_printf(e->arena, "((p * %lld + s / %lld * %lld) * %lld + q * %lld + s %% %lld * %lld) * %lld",
			    LL(w->stride_h), LL(w->kw), LL(w->dilation_h), LL(p->image_w), LL(w->stride_w), LL(w->kw),
			    LL(w->dilation_w), LL(pixel));
}

/* Index of pixel i's first result. */
static const char *pixel_index(struct emit *e, const struct packed_layer *p, int64_t i)
{
	const struct plan_window *w = &p->layer->window;
	const char *row = w->dense ? "" : arena_printf(e->arena, "p * %lld + ", LL(w->ow));
	return arena_printf(e->arena, "(%sq + %lld) * %lld", row, LL(i), LL(w->oc));
}

const char *packed_to(struct emit *e, const struct packed_layer *p, const struct packed_block *b, int64_t i, int64_t v)
{
	const char *channel = arena_printf(e->arena, "(ch + %lld) * %s", LL(v), b->lanes);
	return !b->direct ? arena_printf(e->arena, "row%lld + %s", LL(i), channel)
			  : arena_printf(e->arena, "y + %s + %s", pixel_index(e, p, i), channel);
}

int64_t packed_columns(const struct packed_layer *p)
{
	return p->layer->window.dense ? p->layer->window.oh : p->layer->window.ow;
}

/* Blocks of pixels; the last one is moved back so that it is whole. */
static void open_columns(struct emit *e, const struct packed_layer *p)
{
	int64_t n = packed_columns(p);
	if (n % p->pixels == 0)
		P("\tfor (int q = 0; q < %lld; q += %lld) {\n", LL(n), LL(p->pixels));
	else
		P("\tfor (int q0 = 0; q0 < %lld; q0 += %lld) {\n\t\tconst int q = q0 < %lld ? q0 : %lld;\n", LL(n),
		  LL(p->pixels), LL(n - p->pixels), LL(n - p->pixels));
}

int64_t packed_groups(const struct packed_layer *p, int64_t group)
{
	return (p->layer->window.oc + group - 1) / group;
}

void packed_cut_window(struct packed_layer *p)
{
	const struct plan_window *w = &p->layer->window;
	p->segments = w->dense || w->dilation_w == 1 ? w->kh : w->kh * w->kw;
	p->segment_pixels = w->dense || w->dilation_w != 1 ? 1 : w->kw;
}

bool packed_stores_directly(const struct packed_layer *p, const struct packed_activation *s, int64_t group)
{
	const struct plan_layer *l = p->layer;
	return s && s->multiply == 1 && s->add == 0 && l->window.oc % group == 0 && plan_root(l->out)->holds_codes;
}

void packed_open(struct emit *e, const struct packed_layer *p, const struct packed_block *b)
{
	const struct plan_window *w = &p->layer->window;
	int64_t groups = packed_groups(p, b->group);
	P("static void %s(%s, %s *restrict y)\n{\n", layer_function(e, p->layer), b->operand, buf_ctype(p->layer->out));
	if (!w->dense)
		P("\tfor (int p = 0; p < %lld; p++)\n", LL(w->oh));
	open_columns(e, p);
	for (int64_t i = 0; i < p->pixels && !b->direct; i++)
		P("\t\t%s row%lld[%lld];\n", array_ctype(b->row), LL(i), LL(groups * b->group));
	P("%s\t\tfor (int ch = 0; ch < %lld * QCC_SPLIT; ch += %lld) {\n", b->rolled ? "\t\tQCC_ROLLED\n" : "",
	  LL(groups), LL(p->vectors));
	for (int64_t v = 0; v < p->vectors; v++)
		P("\t\tconst %s *w_%lld = (const %s *)%s + (ch + %lld) / QCC_SPLIT * %lld + (ch + %lld) %% QCC_SPLIT * %s;\n",
		  b->weight, LL(v), b->weight, b->symbol, LL(v), LL(b->per_group), LL(v), b->step);
}

/* The vectors that a block holds, of 32 bytes where registers are few, and its rows. */
void packed_stack(struct emit *e, const struct packed_layer *p, const struct packed_block *b, int64_t vectors)
{
	size_t row = b->direct ? 0 : (size_t)(packed_groups(p, b->group) * b->group) * array_size(b->row);
	e->stack += (size_t)p->pixels * row + (size_t)vectors * 32;
}

void packed_close(struct emit *e, const struct packed_layer *p, const struct packed_block *b, const int64_t *extra)
{
	P("\t\t}\n");
	for (int64_t i = 0; i < p->pixels && !b->direct; i++) {
		P("\t\t{\n\t\t\tconst %s *row = row%lld;\n", array_ctype(b->row), LL(i));
		packed_finish(e, p->layer, extra, 3, pixel_index(e, p, i));
		P("\t\t}\n");
	}
	P("\t}\n}\n");
}

void packed_call(struct emit *e, const struct packed_layer *p, const char *x)
{
	strbuf_printf(&e->run.text, "\t%s(%s, %s);\n", layer_function(e, p->layer), x,
		      buf_pointer(e, &e->run, p->layer->out, buf_ctype(p->layer->out)));
}

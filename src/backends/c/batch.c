/* The batch entry: blocks of samples go through the network together where that costs less than one after the other,
 * the rest one by one. A block's kernels are those of one sample with more rows, and share its constants. */
#include "backends/c/emit.h"

#include <string.h>

/* What the emission of the second plan must not change. */
struct kept {
	struct plan *plan;
	struct strbuf run;
	json_t *layers;
	void *style_data;
	const char *suffix;
};

static void keep(struct emit *e, struct kept *k, struct plan *many, int64_t samples)
{
	*k = (struct kept){ e->plan, e->run, e->layers, e->style_data, e->suffix };
	e->plan = many;
	e->run = (struct strbuf){ 0 };
	e->layers = json_array();
	e->suffix = arena_printf(&e->arena, "_x%lld", LL(samples));
	e->samples = samples;
}

static void put_back(struct emit *e, const struct kept *k)
{
	json_decref(e->layers);
	e->block = e->run;
	e->plan = k->plan;
	e->run = k->run;
	e->layers = k->layers;
	e->style_data = k->style_data;
	e->suffix = k->suffix;
}

int emit_block(struct emit *e)
{
	struct kept k;
	int64_t samples = e->style->samples ? e->style->samples(e) : 1;
	if (samples < 2 || !plan_takes_samples(e->plan))
		return 0;
	struct plan *many = plan_build(e->ctx->graph, &e->style->plan, e->ctx->diags);
	if (!many)
		return -1;
	plan_add_samples(many, samples);
	name_layers(&e->arena, many);
	keep(e, &k, many, samples);
	e->style->size(e);
	plan_place(many, e->style->align);
	int status = e->style->layers(e);
	put_back(e, &k);
	if (many->arena_bytes > e->plan->arena_bytes)
		e->plan->arena_bytes = many->arena_bytes;
	plan_free(many);
	return status;
}

/* "in0 + i * NAME_INPUT0_COUNT, ..., scratch" */
static void arguments(struct emit *e, struct strbuf *b)
{
	for (size_t i = 0; i < e->plan->n_inputs; i++)
		strbuf_printf(b, "in%zu + i * %s_INPUT%zu_COUNT, ", i, e->upper, i);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		strbuf_printf(b, "out%zu + i * %s_OUTPUT%zu_COUNT, ", i, e->upper, i);
	strbuf_puts(b, "scratch)");
}

void batch_functions(struct emit *e, struct strbuf *b)
{
	if (e->samples) {
		strbuf_printf(b, "\n/* %lld samples together. */\nstatic void %s_run_x%lld(", LL(e->samples), e->name,
			      LL(e->samples));
		emit_parameters(e, b);
		bool inner = strstr(strbuf_text(&e->block), "(arena + ") !=
			     NULL; /* some result is neither input nor output */
		strbuf_printf(b, "void *scratch)\n{\n\t%s\n\n%s}\n",
			      inner ? "char *arena = scratch;" : "(void)scratch;", strbuf_text(&e->block));
	}
	strbuf_printf(b, "\nvoid %s_run_batch(", e->name);
	emit_parameters(e, b);
	strbuf_puts(b, "size_t count, void *scratch)\n{\n\tsize_t i = 0;\n");
	if (e->samples) {
		strbuf_printf(b, "\tfor (; count - i >= %lld; i += %lld)\n\t\t%s_run_x%lld(", LL(e->samples),
			      LL(e->samples), e->name, LL(e->samples));
		arguments(e, b);
		strbuf_puts(b, ";\n");
	}
	strbuf_printf(b, "\tfor (; i < count; i++)\n\t\t%s_run(", e->name);
	arguments(e, b);
	strbuf_puts(b, ";\n}\n");
}

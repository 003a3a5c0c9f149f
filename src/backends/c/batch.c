/* Blocks of samples: kernels that compute several samples at a time, where that costs less than one after the other.
 * They are those of one sample with more rows, and share its constants. */
#include "backends/c/emit.h"

static int emit_samples(struct emit *one, struct plan *many, int64_t samples)
{
	struct output *out = one->out;
	struct emit e = emit_begin(out, many);
	e.samples = samples;
	e.suffix = arena_printf(&out->arena, "_x%lld", LL(samples));
	plan_add_samples(many, samples);
	name_layers(&out->arena, many);
	out->style->size(&e);
	plan_place(many, out->style->align);
	int status = out->style->layers(&e);
	out->block = (struct block){ samples, e.run };
	e.run = (struct calls){ 0 };
	emit_end(&e); /* with its report: that of the network tells of one sample */
	if (many->arena_bytes > one->plan->arena_bytes)
		one->plan->arena_bytes = many->arena_bytes;
	return status;
}

int emit_block(struct emit *one)
{
	const struct style *style = one->out->style;
	int64_t samples = style->samples ? style->samples(one) : 1;
	if (samples < 2 || !plan_takes_samples(one->plan))
		return 0;
	struct plan *many = plan_build(one->out->ctx->graph, &style->plan, one->out->ctx->diags);
	if (!many)
		return -1;
	int status = emit_samples(one, many, samples);
	plan_free(many);
	return status;
}

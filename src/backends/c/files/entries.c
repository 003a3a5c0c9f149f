/* The entries of NAME.c: NAME_run, the one behind the first layer where there is one, and NAME_run_batch. */
#include "backends/c/files/files.h"

/* Entries that others choose among are static. */
static const char *linkage(const struct emit *e)
{
	return e->out->dispatch ? "static " : "";
}

/* Inputs of which no layer reads an element. */
static void unused_inputs(const struct emit *e, struct strbuf *b)
{
	for (size_t i = 0; i < e->plan->n_inputs; i++)
		if (e->plan->inputs[i]->born < 0)
			strbuf_printf(b, "\t(void)in%zu;\n", i);
}

/* NAME_run, or the entry behind the first layer and NAME_run that calls it. */
void run_functions(struct emit *e, struct strbuf *b)
{
	static const char *const arena = "\tchar *arena = scratch;\n", *const unused = "\t(void)scratch;";
	const struct entry *entry = &e->out->entry;
	strbuf_printf(b, "\n%svoid %s_run%s%s(", linkage(e), e->name, entry->suffix ? "_" : "",
		      entry->suffix ? entry->suffix : "");
	if (entry->suffix)
		emit_entry_parameters(e, b);
	else
		emit_parameters(e, b);
	strbuf_printf(b, "void *scratch)\n{\n%s\n", e->run.uses_scratch ? arena : unused);
	unused_inputs(e, b);
	strbuf_printf(b, "%s}\n", strbuf_text(&e->run.text));
	if (!entry->suffix)
		return;
	strbuf_printf(b, "\n%svoid %s_run(", linkage(e), e->name);
	emit_parameters(e, b);
	strbuf_printf(b, "void *scratch)\n{\n%s\n%s\t%s_run_%s(%s, ", entry->before.uses_scratch ? arena : unused,
		      strbuf_text(&entry->before.text), e->name, entry->suffix, entry->from);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		strbuf_printf(b, "out%zu, ", i);
	strbuf_puts(b, "scratch);\n}\n");
}

/* "in0 + i * NAME_INPUT0_COUNT, ..., scratch" */
static void arguments(struct emit *e, struct strbuf *b)
{
	for (size_t i = 0; i < e->plan->n_inputs; i++)
		strbuf_printf(b, "in%zu + i * %s_INPUT%zu_COUNT, ", i, e->out->upper, i);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		strbuf_printf(b, "out%zu + i * %s_OUTPUT%zu_COUNT, ", i, e->out->upper, i);
	strbuf_puts(b, "scratch)");
}

void batch_functions(struct emit *e, struct strbuf *b)
{
	const struct block *block = &e->out->block;
	if (block->samples) {
		strbuf_printf(b, "\n/* %lld samples together. */\nstatic void %s_run_x%lld(", LL(block->samples),
			      e->name, LL(block->samples));
		emit_parameters(e, b);
		strbuf_printf(b, "void *scratch)\n{\n\t%s\n\n",
			      block->run.uses_scratch ? "char *arena = scratch;" : "(void)scratch;");
		unused_inputs(e, b);
		strbuf_printf(b, "%s}\n", strbuf_text(&block->run.text));
	}
	strbuf_printf(b, "\n%svoid %s_run_batch(", linkage(e), e->name);
	emit_parameters(e, b);
	strbuf_puts(b, "size_t count, void *scratch)\n{\n\tsize_t i = 0;\n");
	if (block->samples) {
		strbuf_printf(b, "\tfor (; count - i >= %lld; i += %lld)\n\t\t%s_run_x%lld(", LL(block->samples),
			      LL(block->samples), e->name, LL(block->samples));
		arguments(e, b);
		strbuf_puts(b, ";\n");
	}
	strbuf_printf(b, "\tfor (; i < count; i++)\n\t\t%s_run(", e->name);
	arguments(e, b);
	strbuf_puts(b, ";\n}\n");
}

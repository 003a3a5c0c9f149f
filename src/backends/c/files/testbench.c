/* NAME_test.c: a program that runs the network on inputs made here and compares with what qcc's executor says.
 * It needs stdio alone, so that it runs on a microcontroller's board or simulator too. */
#include "backends/c/files/files.h"
#include "exec/exec.h"

enum { MOST_NUMBERS = 40000, SAMPLES = 8 };

/* The same sequence on every machine. */
static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static struct tensor *random_input(const struct plan_buf *b, uint32_t *state)
{
	struct tensor *t = tensor_new((enum elem_type)b->value->elem, b->value->rank, b->value->dims);
	for (int64_t i = 0; t && i < t->count; i++)
		tensor_put(t, i,
			   b->real ? (double)(next(state) % 4096) / 1024 - 2
				   : (double)(b->lo + b->step * (next(state) % (b->hi - b->lo + 1) / b->step)));
	return t;
}

static int64_t sample_count(const struct plan *p)
{
	int64_t numbers = 1;
	for (size_t i = 0; i < p->n_inputs; i++)
		numbers += p->inputs[i]->count;
	for (size_t i = 0; i < p->n_outputs; i++)
		numbers += p->outputs[i]->count;
	int64_t n = MOST_NUMBERS / numbers;
	return n < 1 ? 1 : n > SAMPLES ? SAMPLES : n;
}

static void print_tensor(struct emit *e, struct strbuf *b, const struct tensor *t, bool real)
{
	for (int64_t i = 0; i < t->count; i++) {
		const char *text =
			real ? float_text(e, tensor_at(t, i)) : arena_printf(e->arena, "%.0f", tensor_at(t, i));
		strbuf_printf(b, "%s%s,", i % 12 ? "" : "\n\t", text);
	}
}

/* Runs sample after sample; texts of inputs and outputs grow in in[] and out[]. */
static int run_samples(struct emit *e, int64_t samples, struct strbuf *in, struct strbuf *out)
{
	const struct plan *p = e->plan;
	uint32_t state = 1;
	int status = 0;
	for (int64_t s = 0; s < samples && status == 0; s++) {
		struct tensor *inputs[MAX_RANK] = { NULL }, *outputs[MAX_RANK] = { NULL };
		for (size_t i = 0; i < p->n_inputs; i++) {
			inputs[i] = random_input(p->inputs[i], &state);
			print_tensor(e, &in[i], inputs[i], p->inputs[i]->real);
		}
		status = exec_graph(p->graph, inputs, outputs, &(struct exec_options){ .threads = 1 },
				    e->out->ctx->diags);
		for (size_t i = 0; i < p->n_outputs && status == 0; i++)
			print_tensor(e, &out[i], outputs[i], p->outputs[i]->real);
		for (size_t i = 0; i < MAX_RANK; i++) {
			tensor_unref(inputs[i]);
			tensor_unref(outputs[i]);
		}
	}
	return status;
}

static void print_array(struct emit *e, struct strbuf *b, const char *kind, size_t i, const char *what, int64_t samples,
			const struct strbuf *text)
{
	strbuf_printf(b, "static const %s_%s%zu %s%zu[%lld * %s_%s%zu_COUNT] = {%s\n};\n", e->name, kind, i, what, i,
		      LL(samples), e->out->upper, *kind == 'i' ? "INPUT" : "OUTPUT", i, strbuf_text(text));
}

static void compare(struct emit *e, struct strbuf *b, size_t i)
{
	strbuf_printf(b,
		      "\t\tfor (unsigned long i = 0; i < %s_OUTPUT%zu_COUNT; i++) {\n"
		      "\t\t\tconst %s_output%zu want = expected%zu[s * %s_OUTPUT%zu_COUNT + i];\n",
		      e->out->upper, i, e->name, i, i, e->out->upper, i);
	if (e->plan->outputs[i]->real)
		strbuf_printf(
			b,
			"\t\t\tconst float off = out%zu[i] > want ? out%zu[i] - want : want - out%zu[i], size = want < 0.0f ? -want : want;\n"
			"\t\t\tgood &= off <= 1e-5f * (size > 1.0f ? size : 1.0f);\n\t\t}\n",
			i, i, i);
	else
		strbuf_printf(b, "\t\t\tgood &= out%zu[i] == want;\n\t\t}\n", i);
}

static void body(struct emit *e, struct strbuf *b, int64_t samples)
{
	const struct plan *p = e->plan;
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, "static %s_output%zu out%zu[%s_OUTPUT%zu_COUNT];\n", e->name, i, i, e->out->upper, i);
	strbuf_printf(
		b,
		"static union {\n\tchar bytes[%s_SCRATCH_BYTES + %s_SCRATCH_ALIGN];\n\tlong long aligned;\n} memory;\n\n"
		"/* How often each sample is run: more than once where time is measured. */\n#ifndef REPEAT\n"
		"#define REPEAT 1\n#endif\n\n"
		"int main(void)\n{\n\tint passed = 0, failed = 0;\n",
		e->out->upper, e->out->upper);
	strbuf_printf(
		b,
		"\tchar *scratch = memory.bytes + (%s_SCRATCH_ALIGN - (uintptr_t)memory.bytes %% %s_SCRATCH_ALIGN) %% %s_SCRATCH_ALIGN;\n",
		e->out->upper, e->out->upper, e->out->upper);
	strbuf_printf(b,
		      "\tfor (unsigned long s = 0; s < %lld; s++) {\n\t\tint good = 1;\n"
		      "\t\tfor (int r = 0; r < REPEAT; r++)\n\t\t\t%s_run(",
		      LL(samples), e->name);
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b, "input%zu + s * %s_INPUT%zu_COUNT, ", i, e->out->upper, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, "out%zu, ", i);
	strbuf_puts(b, "scratch);\n");
	for (size_t i = 0; i < p->n_outputs; i++)
		compare(e, b, i);
	strbuf_puts(b, "\t\tpassed += good;\n\t\tfailed += !good;\n\t}\n"
		       "\tprintf(\"%d passed, %d failed\\n\", passed, failed);\n\treturn failed != 0;\n}\n");
}

int write_testbench(struct emit *e)
{
	const struct plan *p = e->plan;
	struct strbuf b = { 0 }, in[MAX_RANK] = { { 0 } }, out[MAX_RANK] = { { 0 } };
	int64_t samples = sample_count(p);
	if (p->n_inputs > MAX_RANK || p->n_outputs > MAX_RANK)
		return diag_error(e->out->ctx->diags, "leave out the option testbench",
				  "a test bench has at most %d inputs and outputs", MAX_RANK);
	int status = run_samples(e, samples, in, out);
	strbuf_printf(&b,
		      "/* %s: golden vectors, computed by qcc's executor on generated inputs. Made by qcc. */\n"
		      "#include <stdio.h>\n\n#include \"%s.h\"\n",
		      e->name, e->name);
	strbuf_puts(&b, e->out->infinity ? "\n#include <math.h>\n\n" : "\n");
	for (size_t i = 0; i < p->n_inputs; i++)
		print_array(e, &b, "input", i, "input", samples, &in[i]);
	for (size_t i = 0; i < p->n_outputs; i++)
		print_array(e, &b, "output", i, "expected", samples, &out[i]);
	body(e, &b, samples);
	if (status == 0)
		status = emit_text_file(e, arena_printf(e->arena, "%s_test.c", e->name), b.text, b.length);
	strbuf_free(&b);
	for (size_t i = 0; i < MAX_RANK; i++) {
		strbuf_free(&in[i]);
		strbuf_free(&out[i]);
	}
	return status;
}

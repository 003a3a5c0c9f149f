/* main.c: a program around the network that reads its inputs from .npy files and writes its outputs to
 * others. The reading and writing of files is runtime/main.c; what depends on the network is made here. */
#include "backends/c/files/files.h"
#include "backends/c/runtime.h"

static void usage(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	size_t files = p->n_inputs + p->n_outputs;
	strbuf_printf(b, "\tif (argc != %zu) {\n\t\tfprintf(stderr, \"usage: %%s", files + 1);
	for (size_t i = 0; i < files; i++)
		strbuf_printf(b, " %s.npy",
			      i < p->n_inputs	 ? (p->n_inputs > 1 ? arena_printf(e->arena, "in%zu", i) : "in")
			      : p->n_outputs > 1 ? arena_printf(e->arena, "out%zu", i - p->n_inputs)
						 : "out");
	strbuf_puts(b, "\\n\", argv[0]);\n\t\treturn 1;\n\t}\n");
}

static void buffers(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b, "static %s_input%zu in%zu[%s_INPUT%zu_COUNT];\n", e->name, i, i, e->out->upper, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, "static %s_output%zu out%zu[%s_OUTPUT%zu_COUNT];\n", e->name, i, i, e->out->upper, i);
	if (p->arena_bytes)
		strbuf_printf(b,
			      "static union {\n\tchar bytes[%s_SCRATCH_BYTES + %s_SCRATCH_ALIGN];\n"
			      "\tlong long aligned;\n} memory;\n",
			      e->out->upper, e->out->upper);
}

static void load_weights(struct emit *e, struct strbuf *b)
{
	strbuf_printf(b,
		      "\n/* The file of constants, at an aligned address. */\nstatic void load(const char *file)\n{\n"
		      "\tstatic union {\n\t\tchar bytes[%zu + 64];\n\t\tlong long aligned;\n\t} weights;\n"
		      "\tchar *at = weights.bytes + (64 - (uintptr_t)weights.bytes %% 64) %% 64;\n"
		      "\tFILE *f = fopen(file, \"rb\");\n\tif (!f)\n\t\tfail(file, \"cannot be opened\");\n"
		      "\tsize_t size = fread(at, 1, %zu, f);\n\tfclose(f);\n\tif (%s_load(at, size) != 0)\n"
		      "\t\tfail(file, \"is not the file that belongs to this program\");\n}\n",
		      e->constants->blob.length, e->constants->blob.length, e->name);
}

static void body(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	strbuf_puts(b, "\nint main(int argc, char **argv)\n{\n");
	usage(e, b);
	if (p->arena_bytes)
		strbuf_printf(
			b,
			"\tchar *scratch = memory.bytes + (%s_SCRATCH_ALIGN - (uintptr_t)memory.bytes %% %s_SCRATCH_ALIGN) %% "
			"%s_SCRATCH_ALIGN;\n",
			e->out->upper, e->out->upper, e->out->upper);
	else
		strbuf_puts(b, "\tvoid *scratch = NULL;\n");
	if (e->constants->form == WEIGHTS_FILE)
		strbuf_printf(b, "\tload(\"%s_weights.bin\");\n", e->name);
	strbuf_puts(b, "\tsize_t samples = 0, count;\n");
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b,
			      "\tfloat *from%zu = read_npy(argv[%zu], &count);\n"
			      "\tif (count %% %s_INPUT%zu_COUNT || (%zu && samples != count / %s_INPUT%zu_COUNT))\n"
			      "\t\tfail(argv[%zu], \"has not the shape of the network's input\");\n"
			      "\tsamples = count / %s_INPUT%zu_COUNT;\n",
			      i, i + 1, e->out->upper, i, i, e->out->upper, i, i + 1, e->out->upper, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(
			b,
			"\tfloat *to%zu = malloc((samples * %s_OUTPUT%zu_COUNT + 1) * sizeof(float));\n\tif (!to%zu)\n"
			"\t\tfail(argv[0], \"out of memory\");\n",
			i, e->out->upper, i, i);
}

static void sample_loop(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	strbuf_puts(b, "\tfor (size_t s = 0; s < samples; s++) {\n");
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b,
			      "\t\tfor (size_t i = 0; i < %s_INPUT%zu_COUNT; i++)\n"
			      "\t\t\tin%zu[i] = (%s_input%zu)from%zu[s * %s_INPUT%zu_COUNT + i];\n",
			      e->out->upper, i, i, e->name, i, i, e->out->upper, i);
	emit_run_call(e, b, "\t\t");
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b,
			      "\t\tfor (size_t i = 0; i < %s_OUTPUT%zu_COUNT; i++)\n"
			      "\t\t\tto%zu[s * %s_OUTPUT%zu_COUNT + i] = (float)out%zu[i];\n",
			      e->out->upper, i, i, e->out->upper, i, i);
	strbuf_puts(b, "\t}\n");
	for (size_t i = 0; i < p->n_outputs; i++) {
		int rank = p->graph->outputs[i].value->rank;
		strbuf_printf(b,
			      "\tstatic const long dims%zu[] = %s_OUTPUT%zu_DIMS;\n"
			      "\twrite_npy(argv[%zu], to%zu, samples, dims%zu, %d, %s_OUTPUT%zu_COUNT);\n"
			      "\tfree(to%zu);\n",
			      i, e->out->upper, i, p->n_inputs + i + 1, i, i, rank, e->out->upper, i, i);
	}
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b, "\tfree(from%zu);\n", i);
	strbuf_puts(b, "\treturn 0;\n}\n");
}

int write_main(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(
		&b,
		"/* %s: a program that reads the network's inputs from .npy files and writes its outputs. Made by qcc. */\n"
		"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n#include \"%s.h\"\n\n",
		e->name, e->name);
	buffers(e, &b);
	strbuf_puts(&b, "\n");
	strbuf_puts(&b, runtime_main);
	if (e->constants->form == WEIGHTS_FILE)
		load_weights(e, &b);
	body(e, &b);
	sample_loop(e, &b);
	int status = emit_text_file(e, "main.c", b.text, b.length);
	strbuf_free(&b);
	return status;
}

/* The files around the network: NAME.c, NAME.h, NAME_weights.{h,c} (or .bin), main.c and build fragments. */
#include "backends/c/files/files.h"
#include "passes/integer_io.h"
#include "util/file.h"

#include <string.h>

int emit_text_file(struct emit *e, const char *name, const char *text, size_t size)
{
	const char *dir = e->out->library ? path_in(e->arena, e->out->dir, library_folder(e, name)) : e->out->dir;
	if (e->out->library && dir_make(dir, e->out->ctx->diags) < 0)
		return -1;
	return file_write(path_in(e->arena, dir, name), text, size, e->out->ctx->diags);
}

int emit_strbuf_file(struct emit *e, const char *name, struct strbuf *b)
{
	int status = emit_text_file(e, name, strbuf_text(b), b->length);
	strbuf_free(b);
	return status;
}

static const char *named(struct emit *e, const char *suffix)
{
	return arena_printf(e->arena, "%s%s", e->name, suffix);
}

/* ---- the header ---- */

/* What the integers of an input or output are, and stand for. */
static void header_integers(struct emit *e, struct strbuf *b, const struct plan_buf *p, const char *what,
			    struct integer_meaning m)
{
	strbuf_printf(b, "#define %s_%s_MIN %s\n#define %s_%s_MAX %s\n", e->out->upper, what, limit_text(e, p->lo),
		      e->out->upper, what, limit_text(e, p->hi));
	strbuf_printf(b, "#define %s_%s_SCALE %s\n#define %s_%s_OFFSET %s\n", e->out->upper, what,
		      float_text(e, m.scale), e->out->upper, what, float_text(e, m.offset));
}

/* Types, counts and shape of one input or output. */
static void header_port(struct emit *e, struct strbuf *b, const struct plan_buf *p, const struct value *v, bool input,
			const char *name)
{
	char datatype[DATATYPE_NAME_SIZE];
	const char *what = arena_printf(e->arena, "%s%d", input ? "INPUT" : "OUTPUT", p->index);
	strbuf_printf(b, "\n/* %s %d: '%s', ", input ? "Input" : "Output", p->index, c_escaped(e->arena, name));
	if (p->real)
		strbuf_puts(b, "float32");
	else
		strbuf_printf(b, "integers %lld..%lld (%s); real = SCALE * integer + OFFSET", LL(p->lo), LL(p->hi),
			      datatype_name(v->datatype, datatype));
	strbuf_printf(b, ", row-major.%s */\n",
		      p->step > 1 && !p->real ? arena_printf(e->arena, " Steps of %lld.", LL(p->step)) : "");
	strbuf_printf(b, "typedef %s %s_%s%d;\n#define %s_%s_COUNT %lld\n#define %s_%s_RANK %d\n#define %s_%s_DIMS {",
		      buf_ctype(p), e->name, input ? "input" : "output", p->index, e->out->upper, what, LL(p->count),
		      e->out->upper, what, v->rank, e->out->upper, what);
	for (int i = 0; i < v->rank; i++)
		strbuf_printf(b, "%s%lld", i ? ", " : " ", LL(v->dims[i]));
	strbuf_printf(b, "%s}\n", v->rank ? " " : " 1 ");
	if (!p->real)
		header_integers(e, b, p, what, integer_meaning(e->plan->graph, name));
}

void emit_parameters(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b, "const %s_input%zu *in%zu, ", e->name, i, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, "%s_output%zu *out%zu, ", e->name, i, i);
}

void emit_entry_parameters(struct emit *e, struct strbuf *b)
{
	strbuf_printf(b, "const %s *in0, ", e->out->entry.type);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		strbuf_printf(b, "%s_output%zu *out%zu, ", e->name, i, i);
}

/* What each layer takes, as a table in the header's comment. */
static void header_layers(struct emit *e, struct strbuf *b)
{
	size_t i;
	json_t *layer;
	json_array_foreach(e->layers, i, layer)
	{
		const char *name = c_escaped(e->arena, json_string_value(json_object_get(layer, "name")));
		strbuf_printf(b, " *   %-28.*s %-10s %10lld %8lld %8lld\n", (int)utf8_cut(name, 28), name,
			      json_string_value(json_object_get(layer, "kind")),
			      json_integer_value(json_object_get(layer, "rom_bytes")),
			      json_integer_value(json_object_get(layer, "ram_bytes")),
			      json_integer_value(json_object_get(layer, "stack_bytes")));
	}
}

static void header_head(struct emit *e, struct strbuf *b)
{
	strbuf_printf(b, "/* %s: made by qcc from %s, style %s. Plain C11; call %s_run for one sample.\n *\n", e->name,
		      e->out->ctx->source ? c_escaped(e->arena, e->out->ctx->source) : "a model", e->out->style->name,
		      e->name);
	strbuf_printf(
		b,
		" * Constants take %zu bytes, scratch memory %zu bytes (given by the caller; nothing else is\n"
		" * written but the outputs, so that calls with scratch of their own may run at the same time), and the\n"
		" * stack about %zu bytes at most (an estimate; see the manual).\n *\n"
		" *   layer                        kind       ROM, bytes     RAM    stack\n",
		e->constants->bytes, e->plan->arena_bytes, e->out->most_stack + STACK_RUN);
	header_layers(e, b);
	strbuf_printf(b, " */\n#ifndef QCC_%s_H\n#define QCC_%s_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n",
		      e->out->upper, e->out->upper);
	strbuf_puts(b, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
}

void emit_run_call(struct emit *e, struct strbuf *b, const char *before)
{
	strbuf_printf(b, "%s%s_run(", before, e->name);
	for (size_t i = 0; i < e->plan->n_inputs; i++)
		strbuf_printf(b, "in%zu, ", i);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		strbuf_printf(b, "out%zu, ", i);
	strbuf_puts(b, "scratch);\n");
}

const char *real_output(struct emit *e, size_t i)
{
	const char *u = e->out->upper;
	if (e->plan->outputs[i]->real)
		return arena_printf(e->arena, "out%zu[k]", i);
	return arena_printf(e->arena, "%s_OUTPUT%zu_SCALE * (float)out%zu[k] + %s_OUTPUT%zu_OFFSET", u, i, i, u, i);
}

/* How a program calls it. */
static void header_usage(struct emit *e, struct strbuf *b)
{
	const struct plan *p = e->plan;
	const char *n = e->name, *u = e->out->upper;
	strbuf_printf(b, "\n/* In a program:\n *\n *     #include \"%s.h\"\n *\n", n);
	strbuf_printf(
		b,
		" *     static unsigned char scratch[%s_SCRATCH_BYTES] __attribute__((aligned(%s_SCRATCH_ALIGN)));\n",
		u, u);
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(b, " *     static %s_input%zu in%zu[%s_INPUT%zu_COUNT];\n", n, i, i, u, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, " *     static %s_output%zu out%zu[%s_OUTPUT%zu_COUNT];\n", n, i, i, u, i);
	strbuf_puts(b, " *\n");
	for (size_t i = 0; i < p->n_inputs; i++)
		if (p->inputs[i]->real)
			strbuf_printf(b, " *     in%zu[k] = x;\n", i);
		else
			strbuf_printf(
				b,
				" *     in%zu[k] = (%s_input%zu)lrintf((x - %s_INPUT%zu_OFFSET) / %s_INPUT%zu_SCALE);"
				" (kept within MIN and MAX)\n",
				i, n, i, u, i, u, i);
	emit_run_call(e, b, " *     ");
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(b, " *     y = %s;\n", real_output(e, i));
	strbuf_puts(b, " */\n");
}

static int write_header(struct emit *e)
{
	struct strbuf b = { 0 };
	const struct plan *p = e->plan;
	header_head(e, &b);
	for (size_t i = 0; i < p->n_inputs; i++)
		header_port(e, &b, p->inputs[i], p->inputs[i]->value, true, p->inputs[i]->value->name);
	for (size_t i = 0; i < p->n_outputs; i++)
		header_port(e, &b, p->outputs[i], p->graph->outputs[i].value, false, p->graph->output_names[i]);
	strbuf_printf(&b, "\n#define %s_INPUTS %zu\n#define %s_OUTPUTS %zu\n", e->out->upper, p->n_inputs,
		      e->out->upper, p->n_outputs);
	strbuf_printf(&b, "#define %s_ROM_BYTES %zu\n", e->out->upper, e->constants->bytes);
	strbuf_printf(&b, "#define %s_SCRATCH_BYTES %zu\n#define %s_SCRATCH_ALIGN %zu\n", e->out->upper, p->arena_bytes,
		      e->out->upper, e->out->style->align);
	strbuf_printf(
		&b,
		"\n/* One sample. scratch: %s_SCRATCH_BYTES bytes at a multiple of %s_SCRATCH_ALIGN. */\nvoid %s_run(",
		e->out->upper, e->out->upper, e->name);
	emit_parameters(e, &b);
	strbuf_printf(&b,
		      "void *scratch);\n\n/* count samples, one after the other in each input and output. */\n"
		      "void %s_run_batch(",
		      e->name);
	emit_parameters(e, &b);
	strbuf_puts(&b, "size_t count, void *scratch);\n");
	if (e->out->entry.suffix) {
		strbuf_puts(&b, strbuf_text(&e->out->entry.header));
		strbuf_printf(&b, "void %s_run_%s(", e->name, e->out->entry.suffix);
		emit_entry_parameters(e, &b);
		strbuf_puts(&b, "void *scratch);\n");
	}
	if (e->constants->form == WEIGHTS_FILE)
		strbuf_printf(
			&b,
			"\n"
			"/* To be called once before %s_run with the contents of %s_weights.bin, at a multiple of 64, which must\n"
			" * stay there. 0, or -1 where size is not the file's. */\n"
			"int %s_load(const void *weights, size_t size);\n",
			e->name, e->name, e->name);
	header_usage(e, &b);
	strbuf_puts(&b, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
	return emit_strbuf_file(e, named(e, ".h"), &b);
}

/* ---- the network ---- */

int emit_buffer(struct emit *e, const char *suffix, struct strbuf *b)
{
	return emit_strbuf_file(e, named(e, suffix), b);
}

static int write_network(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "/* %s: the network, layer by layer. Made by qcc, style %s; see %s.h. */\n", e->name,
		      e->out->style->name, e->name);
	if (!e->out->dispatch)
		strbuf_printf(&b, "#include \"%s.h\"\n#include \"%s_weights.h\"\n", e->name, e->name);
	if (!e->out->dispatch && (e->plan->libm || e->out->infinity))
		strbuf_puts(&b, "\n#include <math.h>\n");
	strbuf_puts(&b, strbuf_text(&e->out->includes));
	if (e->out->kernels)
		strbuf_printf(&b, "#include \"%s_kernels.h\"\n", e->name);
	strbuf_puts(&b, strbuf_text(e->code));
	run_functions(e, &b);
	batch_functions(e, &b);
	if (!e->out->dispatch)
		return emit_strbuf_file(e, named(e, ".c"), &b);
	return emit_strbuf_file(e, named(e, "_network.h"), &b) < 0 ? -1 : write_dispatch(e);
}

/* ---- constants ---- */

static int write_weights_header(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b,
		      "/* %s: constants, defined in %s_weights.c. For %s.c alone. */\n#ifndef QCC_%s_WEIGHTS_H\n"
		      "#define QCC_%s_WEIGHTS_H\n\n"
		      "#include <stdint.h>\n\n",
		      e->name, e->name, e->name, e->out->upper, e->out->upper);
	/* The alignment stands where arrays are declared, too: compilers align arrays to 16 bytes by themselves on some machines, and
	 * use it. */
	if (e->constants->form == WEIGHTS_ARRAY)
		strbuf_printf(&b,
			      "#if defined(__GNUC__)\n#define %s_ALIGNED __attribute__((aligned(%d)))\n#else\n"
			      "#define %s_ALIGNED\n#endif\n\n",
			      e->out->upper, e->out->style->align >= 16 ? 64 : 4, e->out->upper);
	strbuf_puts(&b, strbuf_text(&e->constants->declarations));
	strbuf_puts(&b, "\n#endif\n");
	return emit_strbuf_file(e, named(e, "_weights.h"), &b);
}

static void incbin_macro(struct emit *e, struct strbuf *b)
{
	strbuf_printf(
		b,
		"#ifdef __APPLE__\n#define PREFIX \"_\"\n#define SECTION \".const_data\"\n#else\n#define PREFIX \"\"\n"
		"#define SECTION \".section .rodata\"\n#endif\n"
		"/* The assembler finds %s_weights.bin in its working folder or in those of -I. */\n"
		"#define INCBIN(symbol, offset, size) __asm__(SECTION \"\\n.balign 64\\n.globl \" PREFIX #symbol \"\\n\" PREFIX #symbol \":\\n\" \\\n"
		"\t\".incbin \\\"%s_weights.bin\\\", \" #offset \", \" #size \"\\n.text\\n\");\n",
		e->name, e->name);
}

static int write_weights(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "/* %s: constants. Made by qcc. */\n#include \"%s_weights.h\"\n", e->name, e->name);
	if (e->constants->form == WEIGHTS_FILE)
		strbuf_printf(&b, "#include \"%s.h\"\n\n", e->name);
	if (e->out->infinity)
		strbuf_puts(&b, "#include <math.h>\n");
	if (e->constants->form == WEIGHTS_INCBIN)
		incbin_macro(e, &b);
	strbuf_puts(&b, strbuf_text(&e->constants->definitions));
	if (e->constants->form == WEIGHTS_FILE)
		strbuf_printf(&b,
			      "\nint %s_load(const void *weights, size_t size)\n{\n\tconst char *bytes = weights;\n"
			      "\tif (size != %zu)\n"
			      "\t\treturn -1;\n%s\treturn 0;\n}\n",
			      e->name, e->constants->blob.length, strbuf_text(&e->constants->loads));
	if (e->constants->form != WEIGHTS_ARRAY &&
	    emit_text_file(e, named(e, "_weights.bin"), strbuf_text(&e->constants->blob), e->constants->blob.length) <
		    0) {
		strbuf_free(&b);
		return -1;
	}
	return emit_strbuf_file(e, named(e, "_weights.c"), &b);
}

/* ---- build fragments ---- */

static int write_makefile(struct emit *e)
{
	struct strbuf b = { 0 };
	const char *n = e->name, *libs = e->plan->libm ? " -lm" : "";
	strbuf_printf(&b,
		      "# %s: made by qcc. `make` builds the program %s, which reads and writes .npy files.\n"
		      "CFLAGS ?= -O3\nOBJECTS = %s.o %s_weights.o\n\n%s: main.o $(OBJECTS)\n"
		      "\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ main.o $(OBJECTS)%s\n",
		      n, n, n, n, n, libs);
	if (e->out->testbench)
		strbuf_printf(
			&b,
			"\n%s_test: %s_test.o $(OBJECTS)\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ %s_test.o $(OBJECTS)%s\n\n"
			"check: %s_test\n\t./%s_test\n",
			n, n, n, libs, n, n);
	strbuf_printf(&b, "\n.c.o:\n\t$(CC) -std=c11 $(CFLAGS) -I. -c -o $@ $<\n\nclean:\n\trm -f *.o %s\n", n);
	if (emit_strbuf_file(e, "Makefile", &b) < 0)
		return -1;
	strbuf_printf(&b,
		      "# %s: made by qcc. add_subdirectory() this folder and link with %s.\n"
		      "add_library(%s STATIC %s.c %s_weights.c)\n"
		      "target_include_directories(%s PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})\n"
		      "set_target_properties(%s PROPERTIES C_STANDARD 11)\n",
		      n, n, n, n, n, n, n);
	if (e->constants->form == WEIGHTS_INCBIN)
		strbuf_printf(
			&b,
			"set_source_files_properties(%s_weights.c PROPERTIES COMPILE_FLAGS -Wa,-I${CMAKE_CURRENT_SOURCE_DIR})\n",
			n);
	if (e->plan->libm)
		strbuf_printf(&b, "target_link_libraries(%s PUBLIC m)\n", n);
	return emit_strbuf_file(e, "CMakeLists.txt", &b);
}

int emit_files(struct emit *e)
{
	if (write_header(e) < 0 || write_network(e) < 0 || write_weights_header(e) < 0 || write_weights(e) < 0)
		return -1;
	if (e->out->library ? write_library(e) < 0 : write_main(e) < 0 || write_makefile(e) < 0)
		return -1;
	if (e->out->testbench && write_testbench(e) < 0)
		return -1;
	const char *kernels = e->out->style->kernels;
	return kernels ? emit_text_file(e, named(e, "_kernels.h"), kernels, strlen(kernels)) : 0;
}

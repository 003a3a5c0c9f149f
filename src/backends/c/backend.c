/* The backend `c`: options, names, and the run of one style over the plan. */
#include "backends/c/emit.h"
#include "util/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct pass_option options[] = {
	{ "reference", OPTION_FLAG, NULL,
	  "the plain style, which is what comes out where none is named; for use with others" },
	{ "packed", OPTION_FLAG, NULL,
	  "the fast style: bit planes and int8 dot products, whichever costs less, on vectors" },
	{ "tiny", OPTION_FLAG, NULL, "the small style, for microcontrollers" },
	{ "weights", OPTION_STRING, "array",
	  "array: C arrays; incbin: a .bin file that the assembler includes; file: loaded at run time" },
	{ "testbench", OPTION_FLAG, NULL, "emit NAME_test.c too, which checks golden vectors" },
	{ "dispatch", OPTION_FLAG, NULL,
	  "packed: for x86-64, AVX2 and AVX-512 in one library, chosen by the processor at run time" },
	{ "name", OPTION_STRING, NULL,
	  "prefix of files and symbols; from the model's file name where it is not given" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

static const struct style *const styles[] = { &style_reference, &style_packed, &style_tiny };
enum { STYLES = sizeof styles / sizeof *styles };

/* The styles that are asked for, the reference where none is. Returns how many. */
static size_t styles_of(const struct backend_ctx *ctx, const struct style *chosen[STYLES])
{
	size_t n = 0;
	for (size_t i = 0; i < STYLES; i++)
		if (backend_flag(ctx, styles[i]->name))
			chosen[n++] = styles[i];
	if (!n)
		chosen[n++] = &style_reference;
	return n;
}

enum { MOST_NAME = 100 }; /* of a prefix: file systems take 255 bytes a name */

/* An identifier from the option or the model's file name. */
static const char *prefix(struct emit *e)
{
	const char *text = backend_string(e->ctx, "name");
	const char *file = e->ctx->source ? e->ctx->source : "network";
	if (!text || !*text) {
		text = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
		text = arena_strndup(&e->arena, text, strcspn(text, "."));
	}
	char *name = identifier_alone(&e->arena, text, "n");
	if (strlen(name) > MOST_NAME)
		name[MOST_NAME] = 0;
	return name;
}

static int read_options(struct emit *e)
{
	const char *weights = backend_string(e->ctx, "weights");
	e->name = prefix(e);
	char *upper = arena_strdup(&e->arena, e->name);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	e->upper = upper;
	e->testbench = backend_flag(e->ctx, "testbench");
	e->dispatch = backend_flag(e->ctx, "dispatch") && e->style == &style_packed;
	e->weights = !strcmp(weights, "array")	  ? WEIGHTS_ARRAY
		     : !strcmp(weights, "incbin") ? WEIGHTS_INCBIN
						  : WEIGHTS_FILE;
	if (e->weights == WEIGHTS_FILE && strcmp(weights, "file"))
		return diag_error(e->ctx->diags, "write array, incbin or file",
				  "option weights of backend c has no form '%s'", weights);
	if (e->weights == WEIGHTS_FILE && e->style == &style_tiny)
		return diag_error(e->ctx->diags, "use weights=array or weights=incbin",
				  "style tiny keeps its constants in flash: it has no "
				  "weights=file");
	return 0;
}

static void report(struct emit *e)
{
	if (!e->ctx->report)
		return;
	json_t *r = json_object();
	json_object_set_new(e->ctx->report, e->style->name, r);
	json_object_set_new(r, "name", json_string(e->name));
	json_object_set_new(r, "rom_bytes", json_integer((json_int_t)e->rom));
	json_object_set_new(r, "ram_bytes", json_integer((json_int_t)e->plan->arena_bytes));
	json_object_set_new(r, "stack_bytes", json_integer((json_int_t)(e->most_stack + STACK_RUN)));
	json_object_set(r, "layers", e->layers);
}

static int emit_plan(struct emit *e)
{
	e->layers = json_array();
	name_layers(&e->arena, e->plan);
	e->style->size(e);
	plan_place(e->plan, e->style->align);
	int status = e->style->layers(e);
	if (status == 0)
		status = emit_block(e);
	if (status == 0)
		status = emit_files(e);
	report(e);
	json_decref(e->layers);
	return status;
}

static void emit_free(struct emit *e)
{
	strbuf_free(&e->code);
	strbuf_free(&e->run);
	strbuf_free(&e->block);
	strbuf_free(&e->decls);
	strbuf_free(&e->arrays);
	strbuf_free(&e->loads);
	strbuf_free(&e->blob);
	strbuf_free(&e->includes);
	strbuf_free(&e->extra_header);
	strbuf_free(&e->prologue);
	map_free(&e->symbols);
	plan_free(e->plan);
	arena_free(&e->arena);
}

/* accepted: the plan, where it was made before; this frees it. */
static int emit_style(struct backend_ctx *ctx, const struct style *style, bool alone, struct plan *accepted)
{
	struct emit e = { .ctx = ctx, .style = style, .suffix = "" };
	arena_init(&e.arena);
	e.dir = arena_printf(&e.arena, "%s/%s", ctx->dir, alone ? "c" : style->folder);
	int status = read_options(&e);
	e.plan = accepted;
	if (status == 0 && !e.plan)
		e.plan = plan_build(ctx->graph, &e.style->plan, ctx->diags);
	status = status == 0 && e.plan && dir_make(e.dir, ctx->diags) == 0 ? emit_plan(&e) : -1;
	emit_free(&e);
	return status;
}

static int c_emit(struct backend_ctx *ctx)
{
	const struct style *chosen[STYLES];
	size_t n = styles_of(ctx, chosen);
	int status = 0;
	for (size_t i = 0; i < n && status == 0; i++)
		status = emit_style(ctx, chosen[i], n == 1, i ? NULL : ctx->accepted);
	return status;
}

/* Whether the graph can be emitted is found out by planning it; emit goes on with that plan. */
static bool c_accepts(struct backend_ctx *ctx)
{
	const struct style *chosen[STYLES];
	styles_of(ctx, chosen);
	ctx->accepted = plan_build(ctx->graph, &chosen[0]->plan, ctx->diags);
	return ctx->accepted != NULL;
}

const struct backend backend_c = {
	.name = "c",
	.summary = "self-contained C11: reference, packed (fast) or tiny style",
	.help = "Writes NAME.c, NAME.h, NAME_weights.c, a main.c that reads and writes .npy files, a Makefile and a CMakeLists.txt.\n"
		"\n"
		"    -b c           plain, readable integer C: one loop nest a layer\n"
		"    -b 'c(packed)' fast: weights and activations as bit planes or int8, vectors, -march=native pays\n"
		"    -b 'c(tiny)'   small: packed weights, shared kernels, for microcontrollers\n"
		"\n"
		"c(packed,dispatch) compiles the network for x86-64, AVX2 and AVX-512 (VNNI, VPOPCNTDQ) into one library, without\n"
		"options for the compiler, and asks the processor at each call. NAME_run_batch computes blocks of samples side by\n"
		"side where the cost model says that this is faster; its results are those of NAME_run.\n"
		"\n"
		"All go to the folder c/; several styles at once, c(reference,packed,tiny), to c/, c-packed/ and c-tiny/.\n"
		"The code allocates nothing, keeps no state and needs no library (libm only where float functions such as\n"
		"Sigmoid are left in the graph). NAME_run computes one sample in scratch memory that the caller gives.\n"
		"\n"
		"Layers it has: products with constant matrices and of two activations, convolutions and transposed ones (one or\n"
		"two axes, groups, dilations), thresholds, pools, sums and maxima along axes, arithmetic of two operands with\n"
		"broadcasting, activations, Softmax, LogSoftmax, TopK, ArgMax, whatever moves elements (Transpose, Slice, Pad, Gather,\n"
		"nearest Resize, ...), and FINN's hardware layers. A batch that the model fixes at more than 1 is one call's, in plain\n"
		"loops: a model with a batch of 1 is faster.\n"
		"\n"
		"report.json and the header say the bytes of constants (ROM), results (RAM) and stack of each layer. The stack is\n"
		"estimated from the emitted code, from above, for GCC 12 on x86-64: -O2 for plain and tiny, -O3 for packed.",
	.options = options,
	.accepts = c_accepts,
	.emit = c_emit,
};

/* The backend `c`: options, names, and the run of one style over the plan. */
#include "backends/c/files/files.h"
#include "util/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct pass_option options[] = {
#define STYLE(symbol, help) { #symbol, OPTION_FLAG, NULL, help },
#include "backends/c/styles.def"
#undef STYLE
	{ "weights", OPTION_STRING, "array",
	  "array: C arrays; incbin: a .bin file that the assembler includes; file: loaded at run time" },
	{ "testbench", OPTION_FLAG, NULL, "emit NAME_test.c too, which checks golden vectors" },
	{ "library", OPTION_FLAG, NULL,
	  "a library folder for Arduino and PlatformIO: library.json, library.properties, src/, examples/" },
	{ "dispatch", OPTION_FLAG, NULL,
	  "packed: for x86-64, AVX2 and AVX-512 in one file, chosen at run time; so it is where packed kernels are used" },
	{ "single-target", OPTION_FLAG, NULL, "packed: no dispatch; the code is for the compiler's own target" },
	{ "name", OPTION_STRING, NULL,
	  "prefix of files and symbols; from the model's file name where it is not given" },
	{ NULL, OPTION_FLAG, NULL, NULL },
};

static const struct style *const styles[] = {
#define STYLE(symbol, help) &style_##symbol,
#include "backends/c/styles.def"
#undef STYLE
};
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
static const char *prefix(struct output *out)
{
	const char *text = backend_string(out->ctx, "name");
	const char *file = out->ctx->source ? out->ctx->source : "network";
	if (!text || !*text) {
		text = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
		text = arena_strndup(&out->arena, text, strcspn(text, "."));
	}
	char *name = identifier_alone(&out->arena, text, "n");
	if (strlen(name) > MOST_NAME)
		name[MOST_NAME] = 0;
	return name;
}

static int read_weights(struct output *out)
{
	static const char *const forms[] = {
		[WEIGHTS_ARRAY] = "array", [WEIGHTS_INCBIN] = "incbin", [WEIGHTS_FILE] = "file"
	};
	const char *weights = backend_string(out->ctx, "weights");
	size_t form = 0;
	while (form <= WEIGHTS_FILE && strcmp(weights, forms[form]))
		form++;
	if (form > WEIGHTS_FILE)
		return diag_error(out->ctx->diags, "write array, incbin or file",
				  "option weights of backend c has no form '%s'", weights);
	if (form != WEIGHTS_ARRAY && backend_flag(out->ctx, "library"))
		return diag_error(out->ctx->diags, "use weights=array",
				  "a library keeps its constants in C arrays: it has no weights=%s", weights);
	if (form == WEIGHTS_FILE && out->style->flash)
		return diag_error(out->ctx->diags, "use weights=array or weights=incbin",
				  "style %s keeps its constants in flash: it has no weights=file", out->style->name);
	out->constants.form = (enum weights_form)form;
	return 0;
}

static int read_options(struct output *out)
{
	out->name = prefix(out);
	char *upper = arena_strdup(&out->arena, out->name);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	out->upper = upper;
	out->testbench = backend_flag(out->ctx, "testbench");
	out->library = backend_flag(out->ctx, "library");
	out->single_target = backend_flag(out->ctx, "single-target");
	out->dispatch = backend_flag(out->ctx, "dispatch") && out->style->has_dispatch;
	return read_weights(out);
}

static void report(const struct emit *e)
{
	const struct output *out = e->out;
	if (!out->ctx->report)
		return;
	json_t *r = json_object();
	json_object_set_new(out->ctx->report, out->style->name, r);
	json_object_set_new(r, "name", json_string(out->name));
	json_object_set_new(r, "rom_bytes", json_integer((json_int_t)out->constants.bytes));
	json_object_set_new(r, "ram_bytes", json_integer((json_int_t)e->plan->arena_bytes));
	json_object_set_new(r, "stack_bytes", json_integer((json_int_t)(out->most_stack + STACK_RUN)));
	json_object_set(r, "layers", e->layers);
}

static int emit_plan(struct output *out, struct plan *plan)
{
	struct emit e = emit_begin(out, plan);
	name_layers(&out->arena, plan);
	out->style->size(&e);
	plan_place(plan, out->style->align);
	int status = out->style->layers(&e);
	if (status == 0)
		status = emit_block(&e);
	if (status == 0)
		status = emit_files(&e);
	report(&e);
	emit_end(&e);
	return status;
}

/* prepared: the plan, where it was made before; this frees it. */
static int emit_style(struct backend_ctx *ctx, const struct style *style, bool alone, struct plan *prepared)
{
	struct output out;
	output_init(&out, ctx, style);
	out.dir = arena_printf(&out.arena, "%s/%s", ctx->dir, alone ? "c" : style->folder);
	int status = read_options(&out);
	struct plan *plan = prepared;
	if (status == 0 && !plan)
		plan = plan_build(ctx->graph, &style->plan, ctx->diags);
	status = status == 0 && plan && dir_make(out.dir, ctx->diags) == 0 ? emit_plan(&out, plan) : -1;
	plan_free(plan);
	output_free(&out);
	return status;
}

static int c_emit(struct backend_ctx *ctx)
{
	const struct style *chosen[STYLES];
	size_t n = styles_of(ctx, chosen);
	int status = 0;
	for (size_t i = 0; i < n && status == 0; i++)
		status = emit_style(ctx, chosen[i], n == 1, i ? NULL : ctx->prepared);
	return status;
}

/* Whether the graph can be emitted is found out by planning it; emit goes on with that plan. */
static bool c_accepts(struct backend_ctx *ctx)
{
	const struct style *chosen[STYLES];
	styles_of(ctx, chosen);
	ctx->prepared = plan_build(ctx->graph, &chosen[0]->plan, ctx->diags);
	return ctx->prepared != NULL;
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
		"c(library,...) writes a folder that Arduino and PlatformIO take as a library: src/ with the network, an example with\n"
		"setup() and loop(), library.json and library.properties; there is no main.c then, and no makefile.\n"
		"\n"
		"The packed style has the network three times, for x86-64, for AVX2 and for AVX-512 (VNNI, VPOPCNTDQ), and asks the\n"
		"processor at each call: cc -O2 without further options is as fast as -O3 -march=native. Compilers for other\n"
		"processors, those told to target AVX2 or better and -DQCC_TARGETS=0 see it once. NAME_run_batch computes blocks of samples side by\n"
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

/* Pass lists: parsing them against the registry, and the driver that runs them. */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "passes/qop_to_quant.h"
#include "pipeline/verifier.h"
#include "util/file.h"
#include "util/nearest.h"
#include "util/options.h"
#include "util/strbuf.h"
#include "util/limits.h"

/* ---- lists ---- */

static int unknown_pass(const char *name, const struct pass_set *more, struct diags *d)
{
	struct nearest n = { .word = name };
	for (size_t i = 0; i < more->count; i++)
		nearest_consider(&n, more->items[i]->name);
	for (size_t i = 0; i < pass_table_size; i++)
		nearest_consider(&n, pass_table[i]->name);
	for (size_t i = 0; i < pass_aliases_size; i++)
		nearest_consider(&n, pass_aliases[i].alias);
	char *remedy = nearest_remedy(&n, "--list-passes");
	diag_error(d, remedy, "there is no pass '%s'", name);
	free(remedy);
	return -1;
}

static bool is_given(const struct pass_arg *args, size_t n_args, const char *name)
{
	for (size_t i = 0; i < n_args; i++)
		if (!strcmp(args[i].name, name))
			return true;
	return false;
}

/* Adds an alias's arguments to those the user gave, which win. */
static int add_preset(struct arena *a, struct spec *s, const char *preset, struct diags *d)
{
	struct spec extra;
	if (spec_parse_args(a, preset, "pass", &extra, d) < 0)
		return -1;
	struct pass_arg *all = arena_array(a, struct pass_arg, s->n_args + extra.n_args);
	memcpy(all, s->args ? s->args : all, s->n_args * sizeof *all);
	size_t n = s->n_args;
	for (size_t i = 0; i < extra.n_args; i++)
		if (!is_given(s->args, s->n_args, extra.args[i].name))
			all[n++] = extra.args[i];
	s->args = all;
	s->n_args = n;
	return 0;
}

static const struct pass *find_pass(const char *name, const struct pass_set *more, const char **preset)
{
	*preset = NULL;
	for (size_t i = 0; i < more->count; i++)
		if (!strcmp(more->items[i]->name, name))
			return more->items[i];
	return pass_find(name, preset);
}

static int resolve(struct arena *a, struct spec *s, const struct pass_set *more, struct pipeline_step *step,
		   struct diags *d)
{
	const char *preset;
	const struct pass *pass = find_pass(s->name, more, &preset);
	if (!pass)
		return unknown_pass(s->name, more, d);
	if (options_check(pass->options, "pass", s, d) < 0 || (preset && add_preset(a, s, preset, d) < 0))
		return -1;
	*step = (struct pipeline_step){ .pass = pass, .called = s->name, .args = s->args, .n_args = s->n_args };
	return 0;
}

int pipeline_parse_with(struct pipeline *p, const char *text, const struct pass_set *more, struct diags *d)
{
	static const struct pass_set none = { NULL, 0 };
	struct spec *specs;
	size_t count;
	*p = (struct pipeline){ 0 };
	arena_init(&p->arena);
	if (spec_parse(&p->arena, text, "pass", &specs, &count, d) < 0)
		return -1;
	int status = 0;
	p->steps = arena_array(&p->arena, struct pipeline_step, count);
	for (size_t i = 0; i < count; i++)
		if (resolve(&p->arena, &specs[i], more ? more : &none, &p->steps[i], d) < 0)
			status = -1;
	p->count = status == 0 ? count : 0;
	return status;
}

int pipeline_parse(struct pipeline *p, const char *text, struct diags *d)
{
	return pipeline_parse_with(p, text, NULL, d);
}

void pipeline_free(struct pipeline *p)
{
	arena_free(&p->arena);
	*p = (struct pipeline){ 0 };
}

/* Quoted where it would not be read back as it stands. */
static void print_value(struct strbuf *b, const char *text)
{
	const char *quote = strpbrk(text, ",() ") ? strchr(text, '\'') ? "\"" : "'" : "";
	strbuf_printf(b, "%s%s%s", quote, text, quote);
}

static void print_step(struct strbuf *b, const struct pipeline_step *s)
{
	strbuf_puts(b, s->pass->name);
	for (size_t i = 0; i < s->n_args; i++) {
		strbuf_puts(b, i ? "," : "(");
		print_value(b, s->args[i].name);
		if (*s->args[i].text) {
			strbuf_puts(b, "=");
			print_value(b, s->args[i].text);
		}
	}
	if (s->n_args)
		strbuf_puts(b, ")");
}

char *pipeline_print(const struct pipeline *p)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, "");
	for (size_t i = 0; i < p->count; i++) {
		strbuf_puts(&b, i ? "," : "");
		print_step(&b, &p->steps[i]);
	}
	return b.text;
}

/* ---- the driver ---- */

bool pipeline_verify_default(void)
{
#ifdef QCC_DEBUG
	return true;
#else
	const char *wish = getenv("QCC_VERIFY");
	return wish && *wish && strcmp(wish, "0") != 0;
#endif
}

/* Which pass (with which flag, or NULL) establishes a property; earlier ones first. */
static const struct provider {
	unsigned property;
	const char *pass, *flag;
} providers[] = {
	{ GRAPH_INFERRED, "infer", NULL },
	{ GRAPH_CLEAN, "cleanup", NULL },
	{ GRAPH_CONVERTED, "convert", NULL },
	{ GRAPH_STREAMLINED, "streamline", NULL },
	{ GRAPH_PRUNED, "prune-dead", "divisors" },
	{ GRAPH_HARDWARE, "to-hw", NULL },
	{ GRAPH_FOLDED, "fold", NULL },
};
enum { PROVIDERS = sizeof providers / sizeof *providers };

static const struct provider *provider_of(unsigned missing)
{
	for (int i = 0; i < PROVIDERS; i++)
		if (missing & providers[i].property)
			return &providers[i];
	return &providers[0];
}

/* One step, with the passes it requires before it. */
static enum pass_result run_step(const struct pipeline_step *s, struct graph *g, const struct pipeline_options *o,
				 json_t *report, struct diags *d);

static enum pass_result run_provider(const struct provider *p, struct graph *g, const struct pipeline_options *o,
				     json_t *report, struct diags *d)
{
	const char *none;
	struct pass_arg flag = { p->flag, "" };
	struct pipeline_step required = { pass_find(p->pass, &none), p->pass, &flag, p->flag ? 1 : 0 };
	return run_step(&required, g, o, report, d);
}

/* What a running pass is given to ask of this driver. */
struct driver {
	struct pass_driver services; /* first: run_list finds the rest behind it */
	const struct pipeline_options *options;
};

static enum pass_result run_list(struct pass_ctx *ctx, const char *list, json_t *entries)
{
	struct pipeline_options o = *((const struct driver *)ctx->driver)->options;
	struct pipeline p;
	const char *outer = ctx->diags->pass;
	o.observe = NULL;
	o.record = NULL;
	o.nested = true;
	enum pass_result result = pipeline_parse_with(&p, list, o.more, ctx->diags) < 0 ? PASS_ERROR : PASS_UNCHANGED;
	for (size_t i = 0; i < p.count && result != PASS_ERROR; i++)
		result = run_step(&p.steps[i], ctx->graph, &o, entries, ctx->diags);
	pipeline_free(&p);
	ctx->diags->pass = outer;
	return result;
}

static struct driver driver_for(const struct pipeline_options *o)
{
	return (struct driver){ { o->certify, o->certificates, o->waived, run_list }, o };
}

/* Runs what the step's pass requires and the graph does not have. A provider may undo an earlier one's
 * property, so this goes round, but not for ever. */
static int run_required(const struct pass_ctx *ctx, const struct pipeline_options *o, json_t *report)
{
	unsigned missing;
	struct graph *g = ctx->graph;
	struct pipeline_options inner = *o;
	inner.observe = NULL;
	inner.waived |= ctx->pass->waives ? ctx->pass->waives(ctx) : 0;
	unsigned needs = ctx->pass->requires & ~inner.waived;
	for (int round = 0; (missing = needs & ~g->properties) && round < 2 * PROVIDERS; round++) {
		const struct provider *p = provider_of(missing);
		if (!strcmp(p->pass, ctx->pass->name))
			break;
		if (run_provider(p, g, &inner, report, ctx->diags) == PASS_ERROR)
			return -1;
	}
	if (!missing)
		return 0;
	return diag_error(ctx->diags, NULL, "pass '%s' needs what pass '%s' establishes, which cannot be had",
			  ctx->pass->name, provider_of(missing)->pass);
}

/* DIR/NN-pass.dot and .onnx, numbered in the order written. */
static int dump(const struct pipeline_step *s, const struct graph *g, const struct pipeline_options *o, struct diags *d)
{
	if (!o->dump_after || (strcmp(o->dump_after, "all") != 0 && strcmp(o->dump_after, s->pass->name) != 0))
		return 0;
	struct strbuf file = { 0 };
	strbuf_printf(&file, "%02zu-%s.dot", ++*o->dump_count, s->pass->name);
	int status = dir_make(o->dump_dir, d);
	char *path = path_join(o->dump_dir, file.text);
	if (status == 0 && o->draw)
		status = o->draw(g, path, d);
	free(path);
	file.length -= strlen(".dot");
	strbuf_puts(&file, ".onnx");
	path = path_join(o->dump_dir, file.text);
	if (status == 0)
		status = graph_write(g, path, d);
	free(path);
	strbuf_free(&file);
	return status;
}

static json_t *args_json(const struct pipeline_step *s)
{
	json_t *object = json_object();
	for (size_t i = 0; i < s->n_args; i++)
		json_object_set_new(object, s->args[i].name, json_string(s->args[i].text));
	return object;
}

static void report_step(json_t *entry, const struct pipeline_step *s, const struct graph *g, size_t changes,
			double seconds)
{
	json_object_set_new(entry, "pass", json_string(s->pass->name));
	if (strcmp(s->called, s->pass->name) != 0)
		json_object_set_new(entry, "called", json_string(s->called));
	if (s->n_args)
		json_object_set_new(entry, "options", args_json(s));
	json_object_set_new(entry, "seconds", json_real(seconds));
	json_object_set_new(entry, "changes", json_integer((json_int_t)changes));
	json_object_set_new(entry, "nodes", json_integer((json_int_t)g->n_nodes));
}

/* What must hold after a pass: the structure, and the outputs where asked. */
static int check_step(const struct pipeline_step *s, struct graph *g, const struct pipeline_options *o,
		      enum pass_result result, struct diags *d)
{
	if (o->verify_structure && graph_verify(g, d) < 0)
		return -1;
	if (!o->verifier || result == PASS_UNCHANGED)
		return 0;
	return verifier_check(o->verifier, g, s->pass->changes_function, d);
}

/* These passes reason about what each node computes, so each must be known. (Clean-up, which comes before them, has put
 * model-local functions in place by then; convert reads some of ONNX Runtime's operators as known ones.) */
static int check_operators(const struct pass *pass, const struct graph *g, struct diags *d)
{
	int status = 0;
	if (!(pass->ensures & (GRAPH_CONVERTED | GRAPH_STREAMLINED | GRAPH_HARDWARE)))
		return 0;
	bool converts = !(pass->requires & GRAPH_CONVERTED);
	graph_for_each_node (g, n)
		if (!n->op && !(converts && qop_is_read(n)))
			status = diag_node_error(d, n, "--list-ops shows the operators that are",
						 "operator '%s' of domain '%s' is not known", n->op_type,
						 *n->domain ? n->domain : "ai.onnx");
	return status;
}

static enum pass_result run_pass(const struct pipeline_step *s, struct pass_ctx *ctx, const struct pipeline_options *o)
{
	struct graph *g = ctx->graph;
	struct diags *d = ctx->diags;
	int errors = d->errors;
	double start = seconds_now();
	if (check_operators(s->pass, g, d) < 0)
		return PASS_ERROR;
	if (limits_check(d) < 0)
		return PASS_ERROR;
	enum pass_result result = s->pass->run(ctx);
	graph_reclaim(g);
	if (result == PASS_ERROR && d->errors == errors)
		diag_error(d, "this is a fault in qcc: please report it", "failed without saying why");
	if (d->errors > errors || limits_check(d) < 0)
		return PASS_ERROR;
	if (result == PASS_CHANGED)
		g->properties &= s->pass->preserves;
	g->properties |= s->pass->ensures;
	report_step(ctx->report, s, g, ctx->changes, seconds_now() - start);
	return check_step(s, g, o, result, d) < 0 ? PASS_ERROR : result;
}

/* Names that clean-up and conversion left due are given once, where a pass or the end asks for them, and not after each:
 * it touches every node and value. */
static int name_now(struct graph *g, const struct pipeline_options *o, json_t *report, struct diags *d)
{
	const struct pipeline_step naming = { .pass = &pass_unique_names, .called = pass_unique_names.name };
	struct pipeline_options inner = *o;
	inner.observe = NULL;
	if (!g->names_due || o->nested)
		return 0;
	return run_step(&naming, g, &inner, report, d) == PASS_ERROR ? -1 : 0;
}

static enum pass_result run_step(const struct pipeline_step *s, struct graph *g, const struct pipeline_options *o,
				 json_t *report, struct diags *d)
{
	const char *outer = d->pass;
	const struct driver driver = driver_for(o);
	struct pass_ctx ctx = { .graph = g,
				.pass = s->pass,
				.args = s->args,
				.n_args = s->n_args,
				.diags = d,
				.driver = &driver.services };
	if (run_required(&ctx, o, report) < 0 || (!s->pass->renames_all && name_now(g, o, report, d) < 0))
		return PASS_ERROR;
	d->pass = s->pass->name;
	ctx.report = json_object();
	enum pass_result result = run_pass(s, &ctx, o);
	json_array_append_new(report, ctx.report);
	if (result != PASS_ERROR && dump(s, g, o, d) < 0)
		result = PASS_ERROR;
	d->pass = outer;
	if (result != PASS_ERROR && o->record)
		o->record(o->recorder, g, s);
	if (result != PASS_ERROR && o->observe)
		o->observe(o->user, g, s);
	return result;
}

static int run_all(const struct pipeline *p, struct graph *g, const struct pipeline_options *o, json_t *report,
		   struct diags *d)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct pipeline_step *s = &p->steps[i];
		if (o->proceed && !o->proceed(o->user, s->pass->name, (double)i / (double)p->count))
			return -1;
		if (run_step(s, g, o, report, d) == PASS_ERROR)
			return -1;
	}
	return name_now(g, o, report, d);
}

int pipeline_run(const struct pipeline *p, struct graph *g, const struct pipeline_options *o, json_t *report,
		 struct diags *d)
{
	struct pipeline_options own = *o;
	size_t dumps = 0;
	if (!own.dump_count)
		own.dump_count = &dumps;
	bool verify = !o->verifier && (o->verify_samples > 0 || o->verify_file);
	if (verify) {
		own.verifier = verifier_new(g, o->verify_samples, o->verify_file, d);
		if (!own.verifier)
			return -1;
	}
	int status = run_all(p, g, &own, report, d);
	if (verify && o->verification)
		*o->verification = verifier_result(own.verifier);
	if (verify)
		verifier_free(own.verifier);
	return status;
}

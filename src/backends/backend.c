/* The table of backends, made from backends.def; lists of them as users write behind -b; running them. */
#include "backends/backend.h"

#include <stdlib.h>
#include <string.h>

#include "util/limits.h"
#include "util/nearest.h"
#include "util/options.h"
#include "util/output.h"
#include "util/strbuf.h"

const struct backend *const backend_table[] = {
#define BACKEND(symbol) &backend_##symbol,
#include "backends/backends.def"
#undef BACKEND
	NULL
};
const size_t backend_table_size = sizeof backend_table / sizeof *backend_table - 1;

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < backend_table_size; i++)
		if (!strcmp(backend_table[i]->name, name))
			return backend_table[i];
	return NULL;
}

static const char *text_of(const struct backend_ctx *ctx, const char *name)
{
	return option_text(ctx->backend->options, ctx->args, ctx->n_args, name);
}

bool backend_flag(const struct backend_ctx *ctx, const char *name)
{
	return option_flag(text_of(ctx, name));
}

int64_t backend_int(const struct backend_ctx *ctx, const char *name)
{
	return option_int(text_of(ctx, name));
}

double backend_real(const struct backend_ctx *ctx, const char *name)
{
	return option_real(text_of(ctx, name));
}

const char *backend_string(const struct backend_ctx *ctx, const char *name)
{
	return text_of(ctx, name);
}

/* ---- lists ---- */

static int unknown_backend(const char *name, struct diags *d)
{
	struct nearest n = { .word = name };
	for (size_t i = 0; i < backend_table_size; i++)
		nearest_consider(&n, backend_table[i]->name);
	char *remedy = nearest_remedy(&n, "--list-backends");
	diag_error(d, remedy, "there is no backend '%s'", name);
	free(remedy);
	return -1;
}

static int choose(struct backend_list *l, const struct spec *s, struct diags *d)
{
	const struct backend *b = backend_find(s->name);
	if (!b)
		return unknown_backend(s->name, d);
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].backend == b)
			return diag_error(d, "name it once", "backend '%s' is named twice", s->name);
	l->items[l->count++] = (struct backend_choice){ b, s->args, s->n_args };
	return options_check(b->options, "backend", s, d);
}

static void choose_all(struct backend_list *l)
{
	l->items = arena_array(&l->arena, struct backend_choice, backend_table_size);
	for (size_t i = 0; i < backend_table_size; i++)
		if (!backend_table[i]->on_request)
			l->items[l->count++].backend = backend_table[i];
}

int backend_list_parse(struct backend_list *l, const char *text, struct diags *d)
{
	*l = (struct backend_list){ .chosen = text != NULL };
	arena_init(&l->arena);
	if (!text) {
		choose_all(l);
		return 0;
	}
	struct spec *specs;
	size_t count;
	int status = spec_parse(&l->arena, text, "backend", &specs, &count, d);
	if (status < 0)
		return -1;
	l->items = arena_array(&l->arena, struct backend_choice, count);
	for (size_t i = 0; i < count; i++)
		if (choose(l, &specs[i], d) < 0)
			status = -1;
	return status;
}

bool backend_list_has(const struct backend_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->items[i].backend->name, name))
			return true;
	return false;
}

static bool has_option(const struct backend *b, const char *name)
{
	for (const struct pass_option *o = b->options; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return true;
	return false;
}

void backend_list_set_flag(struct backend_list *l, const char *option)
{
	for (size_t i = 0; i < l->count; i++) {
		struct backend_choice *c = &l->items[i];
		if (!has_option(c->backend, option))
			continue;
		struct pass_arg *args = arena_array(&l->arena, struct pass_arg, c->n_args + 1);
		if (c->n_args)
			memcpy(args, c->args, c->n_args * sizeof *args);
		args[c->n_args++] = (struct pass_arg){ option, "" };
		c->args = args;
	}
}

void backend_list_free(struct backend_list *l)
{
	arena_free(&l->arena);
	*l = (struct backend_list){ 0 };
}

/* ---- running ---- */

/* Where the backend does not take the graph, the report says why, and so does a note. */
static bool is_accepted(struct backend_ctx *ctx, struct report *r)
{
	struct diags own = { .file = ctx->diags->file }, *all = ctx->diags;
	struct strbuf reason = { 0 };
	ctx->diags = &own;
	bool accepted = !ctx->backend->accepts || ctx->backend->accepts(ctx);
	ctx->diags = all;
	if (!accepted) {
		const struct diag *first = own.first;
		strbuf_printf(&reason, "%s%s%s", first && first->node ? first->node : "",
			      first && first->node ? ": " : "", first ? first->cause : "does not take this network");
		if (first && first->remedy)
			strbuf_printf(&reason, "; %s", first->remedy);
		json_object_set_new(r->left_out, ctx->backend->name, json_string(reason.text));
		diag_note(all, DIAG_NOTE, NULL, NULL, "backend %s is left out: %s", ctx->backend->name, reason.text);
	}
	strbuf_free(&reason);
	diags_free(&own);
	return accepted;
}

/* Backends that calculate with shapes get a graph whose declared shapes are those that its operators compute. A graph that
 * no pass has inferred is inferred in a copy: what is written stays as it was declared. */
static int check_shapes(const struct graph *g, struct diags *d)
{
	if (g->properties & GRAPH_INFERRED)
		return 0;
	struct graph *copy = graph_copy(g);
	int status = graph_infer(copy, d);
	graph_free(copy);
	return status;
}

static int emit(const struct backend_choice *c, bool chosen, struct backend_ctx *ctx, struct report *r)
{
	ctx->backend = c->backend;
	ctx->args = c->args;
	ctx->n_args = c->n_args;
	ctx->prepared = NULL;
	if (!chosen && !is_accepted(ctx, r))
		return 0;
	ctx->report = json_object();
	int errors = ctx->diags->errors;
	int status = limits_check(ctx->diags);
	if (status == 0 && !c->backend->takes_any_shapes)
		status = check_shapes(ctx->graph, ctx->diags);
	if (status == 0)
		status = c->backend->emit(ctx);
	if (status == 0)
		status = limits_check(ctx->diags);
	if (status < 0 && ctx->diags->errors == errors)
		diag_error(ctx->diags, "this is a fault in qcc: please report it",
			   "backend '%s' failed without saying why", c->backend->name);
	json_object_set_new(r->backends, c->backend->name, ctx->report);
	return status;
}

int backend_list_emit(const struct backend_list *l, struct graph *g, const char *dir, struct report *r, struct diags *d)
{
	const char *slash = strrchr(r->model, '/');
	struct backend_ctx ctx = {
		.graph = g, .dir = dir, .source = slash ? slash + 1 : r->model, .results = r, .diags = d
	};
	int status = 0;
	for (size_t i = 0; i < l->count; i++) {
		ctx.mutable_graph = l->may_change_graph && i + 1 == l->count ? g : NULL;
		if (emit(&l->items[i], l->chosen, &ctx, r) < 0)
			status = -1;
	}
	return status;
}

int backend_list_emit_to(const struct backend_list *l, struct graph *g, const char *dir, struct report *r,
			 struct diags *d)
{
	struct output *o = output_begin(dir, OUTPUT_ADD, d);
	if (!o)
		return -1;
	if (backend_list_emit(l, g, output_dir(o), r, d) == 0)
		return output_commit(o, d);
	output_abandon(o, NULL);
	return -1;
}

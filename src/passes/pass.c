/* The tables of passes and of their other names, lookup, and what a running pass asks of the driver. */
#include "passes/pass.h"

#include <stdarg.h>
#include <string.h>

#include "util/strbuf.h"

const struct pass *const pass_table[] = {
#define PASS(symbol) &pass_##symbol,
#include "passes/passes.def"
#undef PASS
	NULL
};
const size_t pass_table_size = sizeof pass_table / sizeof *pass_table - 1;

const struct pass_alias pass_aliases[] = {
#define ALIAS(their_name, our_name, preset) { their_name, our_name, preset },
#include "passes/aliases.def"
#undef ALIAS
	{ NULL, NULL, NULL }
};
const size_t pass_aliases_size = sizeof pass_aliases / sizeof *pass_aliases - 1;

const struct pass *pass_find(const char *name, const char **preset)
{
	*preset = NULL;
	for (size_t i = 0; i < pass_table_size; i++)
		if (!strcmp(pass_table[i]->name, name))
			return pass_table[i];
	for (size_t i = 0; i < pass_aliases_size; i++)
		if (!strcmp(pass_aliases[i].alias, name)) {
			const char *none;
			const struct pass *pass = pass_find(pass_aliases[i].name, &none);
			*preset = pass_aliases[i].args;
			return pass;
		}
	return NULL;
}

static const char *text_of(const struct pass_ctx *ctx, const char *name)
{
	return option_text(ctx->pass->options, ctx->args, ctx->n_args, name);
}

bool pass_flag(const struct pass_ctx *ctx, const char *name)
{
	return option_flag(text_of(ctx, name));
}

int64_t pass_int(const struct pass_ctx *ctx, const char *name)
{
	return option_int(text_of(ctx, name));
}

double pass_real(const struct pass_ctx *ctx, const char *name)
{
	return option_real(text_of(ctx, name));
}

const char *pass_string(const struct pass_ctx *ctx, const char *name)
{
	return text_of(ctx, name);
}

/* Sum of the changes that the entries of a report tell of. */
static size_t count_changes(const json_t *entries)
{
	size_t i, sum = 0;
	const json_t *entry;
	json_array_foreach(entries, i, entry) sum += (size_t)json_integer_value(json_object_get(entry, "changes"));
	return sum;
}

/* The report's array of that name, made where it is missing. */
static json_t *report_list(json_t *report, const char *name)
{
	if (!json_object_get(report, name))
		json_object_set_new(report, name, json_array());
	return json_object_get(report, name);
}

enum pass_result pass_run_list(struct pass_ctx *ctx, const char *list)
{
	json_t *entries = json_array();
	enum pass_result result = ctx->driver->run(ctx, list, entries);
	size_t changes = count_changes(entries);
	ctx->changes += changes;
	json_array_extend(report_list(ctx->report, "passes"), entries);
	json_decref(entries);
	if (result == PASS_ERROR)
		return PASS_ERROR;
	return changes ? PASS_CHANGED : PASS_UNCHANGED;
}

enum pass_result pass_run_nested(struct pass_ctx *ctx, const char *name, const char *args)
{
	struct strbuf list = { 0 };
	strbuf_printf(&list, args && *args ? "%s(%s)" : "%s", name, args);
	enum pass_result result = pass_run_list(ctx, list.text);
	strbuf_free(&list);
	return result;
}

unsigned pass_keeps_shape(const struct pass_ctx *ctx)
{
	return pass_flag(ctx, "keep_shape") ? GRAPH_PRUNED : ctx->driver->waived & GRAPH_PRUNED;
}

void pass_note(struct pass_ctx *ctx, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	json_array_append_new(report_list(ctx->report, "notes"), json_vsprintf(format, args));
	va_end(args);
}

/* What --list-passes, --list-ops, --list-backends, --help-pass and --help-backend print, from the tables. */
#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/cli.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "pipeline/pipeline.h"

void cli_list_passes(void)
{
	for (size_t i = 0; i < pass_table_size; i++)
		printf("%-24s %s\n", pass_table[i]->name, pass_table[i]->summary);
	if (pass_aliases_size)
		puts("\nOther names:");
	for (size_t i = 0; i < pass_aliases_size; i++) {
		const struct pass_alias *a = &pass_aliases[i];
		printf("%-40s %s", a->alias, a->name);
		if (a->args)
			printf("(%s)", a->args);
		putchar('\n');
	}
}

void cli_list_ops(void)
{
	for (size_t i = 0; i < op_table_size; i++)
		printf("%-28s %-32s %s\n", op_table[i]->name, *op_table[i]->domain ? op_table[i]->domain : "ai.onnx",
		       op_table[i]->summary);
}

void cli_list_backends(void)
{
	for (size_t i = 0; i < backend_table_size; i++)
		printf("%-12s %s\n", backend_table[i]->name, backend_table[i]->summary);
}

static const char *type_of(enum option_type type)
{
	static const char *const names[] = { "", "=INTEGER", "=NUMBER", "=TEXT", "" };
	return names[type];
}

static void print_options(const struct pass_option *options)
{
	if (options && options->name)
		puts("\nOptions:");
	for (const struct pass_option *o = options; o && o->name; o++) {
		bool any = o->type == OPTION_NAMES;
		int width = printf("  %s%s", any ? "NAME=VALUE" : o->name, type_of(o->type));
		printf("%*s %s", width < 26 ? 26 - width : 0, "", o->help ? o->help : "");
		if (o->fallback)
			printf(" (default %s)", o->fallback);
		putchar('\n');
	}
}

static void print_entry(const char *name, const char *summary, const char *help, const struct pass_option *options)
{
	printf("%s: %s\n", name, summary);
	if (help && *help)
		printf("\n%s%s", help, help[strlen(help) - 1] == '\n' ? "" : "\n");
	print_options(options);
}

int cli_help_pass(const char *name, struct diags *d)
{
	struct pipeline p; /* for its diagnostic where the pass is unknown */
	int status = pipeline_parse(&p, name, d);
	for (size_t i = 0; i < p.count; i++) {
		const struct pass *pass = p.steps[i].pass;
		print_entry(pass->name, pass->summary, pass->help, pass->options);
		if (pass->changes_function)
			puts("\nIt changes what the network computes or its interface, on purpose.");
	}
	pipeline_free(&p);
	return status;
}

int cli_help_backend(const char *name, struct diags *d)
{
	struct backend_list l;
	int status = backend_list_parse(&l, name, d);
	for (size_t i = 0; status == 0 && i < l.count; i++) {
		const struct backend *b = l.items[i].backend;
		print_entry(b->name, b->summary, b->help, b->options);
	}
	backend_list_free(&l);
	return status;
}

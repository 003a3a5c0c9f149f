/* Dispatch to the subcommands, and what they share: help, version, printing diagnostics. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/map.h"

static const struct command *const commands[] = {
#define COMMAND(symbol) &command_##symbol,
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMANDS = sizeof commands / sizeof *commands };

void cli_print_version(void)
{
	puts("qcc " PACKAGE_VERSION);
}

void cli_print_help(const struct command *c)
{
	printf("usage: %s\n\n%s.\n\n%s", c->usage, c->summary, c->help);
	printf("  -v, --verbose           say more\n"
	       "  -q, --quiet             say errors only\n"
	       "  -h, --help              this text\n"
	       "      --version           the version\n");
	if (c != commands[0])
		return;
	puts("\nSubcommands, each with its --help:");
	for (int i = 1; i < COMMANDS; i++)
		printf("  %-6s %s\n", commands[i]->name, commands[i]->summary);
}

bool cli_common_option(int c, const struct command *command, struct loudness *l, bool *exit_now)
{
	*exit_now = false;
	switch (c) {
	case 'v': l->verbose = true; return true;
	case 'q': l->quiet = true; return true;
	case 'h': cli_print_help(command); break;
	case OPT_VERSION: cli_print_version(); break;
	default: return false;
	}
	*exit_now = true;
	return true;
}

/* ---- diagnostics ---- */

static bool is_said(const struct diag *diag, struct loudness l)
{
	switch (diag->severity) {
	case DIAG_ERROR: return true;
	case DIAG_WARNING: return !l.quiet;
	default: return l.verbose;
	}
}

/* The line that diag_print makes; malloc'd. */
static char *line_of(const struct diag *diag)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	diag_print(diag, f);
	fclose(f);
	return text;
}

static void print_all(const struct diags *d, struct loudness l)
{
	struct map seen = { 0 };
	struct arena lines;
	arena_init(&lines);
	for (const struct diag *diag = d->first; diag; diag = diag->next) {
		if (!is_said(diag, l))
			continue;
		char *text = line_of(diag);
		if (!map_has(&seen, text)) {
			fputs(text, stderr);
			map_set(&seen, arena_strdup(&lines, text), (void *)1);
		}
		free(text);
	}
	map_free(&seen);
	arena_free(&lines);
}

int cli_finish(struct diags *d, struct loudness l, int status)
{
	fflush(stdout);
	print_all(d, l);
	bool failed = status != 0 || d->errors > 0;
	diags_free(d);
	return failed ? 1 : 0;
}

int cli_main(int argc, char **argv)
{
	for (int i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(argc - 1, argv + 1);
	return commands[0]->run(argc, argv);
}

/* Dispatch to the subcommands, and what they share: help, version, printing diagnostics. */
#include "cli/cli.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/map.h"
#include "util/nearest.h"
#include "util/strbuf.h"

static const struct command *const commands[] = {
#define COMMAND(symbol) &command_##symbol,
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const struct command *cli_command(size_t i)
{
	return i < COMMANDS ? commands[i] : NULL;
}

static void print_version(void)
{
	puts("qcc " PACKAGE_VERSION);
	if (*QCC_WITHOUT)
		puts("built without" QCC_WITHOUT);
}

void cli_print_help(const struct command *c)
{
	printf("usage: %s\n\n%s.\n\n%s", c->usage, c->summary, c->help);
	printf("  -v, --verbose           say more\n"
	       "  -q, --quiet             say errors only\n"
	       "      --max-memory SIZE   refuse executions and files that need more than SIZE (512M, 4G);\n"
	       "                          without it in proportion to the size of the model and its inputs\n"
	       "      --max-seconds N     stop with an error after N seconds\n"
	       "      --allow-paths       files that a model names (external data, partitions) may lie anywhere,\n"
	       "                          not only in its own folder\n"
	       "  -h, --help              this text\n"
	       "      --version           the version\n");
	if (c != commands[0])
		return;
	puts("\nSubcommands, each with its --help:");
	for (int i = 1; i < COMMANDS; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
}

/* "512M": bytes, with K, M, G or T for powers of 1024. */
static int take_memory(struct limits *l, const char *text, struct diags *d)
{
	static const char units[] = "KMGT";
	char *end;
	double bytes = strtod(text, &end);
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit)
		bytes = ldexp(bytes, 10 * (int)(unit - units + 1));
	end += unit != NULL;
	if (end == text || *end || !(bytes >= 1 && bytes < 0x1p62))
		return diag_error(d, NULL, "--max-memory needs a size as 512M, not '%s'", text);
	l->memory = (int64_t)bytes;
	return 0;
}

static int take_seconds(struct limits *l, const char *text, struct diags *d)
{
	char *end;
	double seconds = strtod(text, &end);
	if (end == text || *end || !(seconds > 0 && seconds < 1e9))
		return diag_error(d, NULL, "--max-seconds needs a number of seconds, not '%s'", text);
	limits_start(l, seconds);
	return 0;
}

bool cli_common_option(int c, const char *text, const struct command *command, struct loudness *l, struct diags *d,
		       bool *exit_now)
{
	d->limits = &l->limits;
	*exit_now = false;
	switch (c) {
	case 'v': l->verbose = true; return true;
	case 'q': l->quiet = true; return true;
	case 'h': cli_print_help(command); break;
	case OPT_VERSION: print_version(); break;
	case OPT_MAX_MEMORY: *exit_now = take_memory(&l->limits, text, d) < 0; return true;
	case OPT_ALLOW_PATHS: l->limits.any_path = true; return true;
	case OPT_MAX_SECONDS: *exit_now = take_seconds(&l->limits, text, d) < 0; return true;
	default: return false;
	}
	*exit_now = true;
	return true;
}

static const struct option *option_of(const struct option *options, int value)
{
	while (options->name && options->val != value)
		options++;
	return options->name ? options : NULL;
}

static int unknown_option(const char *word, const struct option *options, struct diags *d)
{
	struct nearest n = { .word = word + 2 };
	char *name = xstrdup(word + 2);
	name[strcspn(name, "=")] = '\0';
	n.word = name;
	for (const struct option *o = options; o->name; o++)
		nearest_consider(&n, o->name);
	struct strbuf remedy = { 0 };
	if (nearest_name(&n))
		strbuf_printf(&remedy, "did you mean '--%s'? --help shows all", nearest_name(&n));
	else
		strbuf_puts(&remedy, "--help shows all");
	diag_error(d, remedy.text, "there is no option '--%s'", name);
	strbuf_free(&remedy);
	free(name);
	return '?';
}

int cli_next_option(int argc, char **argv, const char *letters, const struct option *options, struct diags *d)
{
	opterr = 0;
	int c = getopt_long(argc, argv, letters, options, NULL);
	if (c != '?')
		return c;
	const char *word = argv[optind - 1];
	const struct option *known = optopt ? option_of(options, optopt) : NULL;
	if (known && known->has_arg == no_argument)
		diag_error(d, NULL, "option '--%s' takes no value", known->name);
	else if (known || (optopt && strchr(letters, optopt)))
		diag_error(d, "--help shows how it is used", "option '%s' needs a value", word);
	else if (!strncmp(word, "--", 2))
		return unknown_option(word, options, d);
	else
		diag_error(d, "--help shows all", "there is no option '-%c'", optopt);
	return '?';
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
	char *text = NULL, *copy;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	diag_print(diag, f);
	fclose(f);
	copy = xstrdup(text);
	free(text);
	return copy;
}

/* Colour where somebody looks at it and did not ask for none (no-color.org). */
static bool uses_colour(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(STDERR_FILENO) && !(none && *none) && terminal && strcmp(terminal, "dumb") != 0;
}

static void print_line(const char *text, enum severity severity, bool colour)
{
	static const char *const words[] = { "note: ", "warning: ", "error: " }, *const codes[] = { "36", "33",
												    "31;1" };
	const char *word = colour ? strstr(text, words[severity]) : NULL;
	if (word)
		fprintf(stderr, "%.*s\033[%sm%s\033[0m%s", (int)(word - text), text, codes[severity], words[severity],
			word + strlen(words[severity]));
	else
		fputs(text, stderr);
}

static void print_all(const struct diags *d, struct loudness l)
{
	struct map seen = { 0 };
	struct arena lines;
	bool colour = uses_colour();
	arena_init(&lines);
	for (const struct diag *diag = d->first; diag; diag = diag->next) {
		if (!is_said(diag, l))
			continue;
		char *text = line_of(diag);
		if (!map_has(&seen, text)) {
			print_line(text, diag->severity, colour);
			map_set(&seen, arena_strdup(&lines, text), (void *)1);
		}
		free(text);
	}
	map_free(&seen);
	arena_free(&lines);
}

/* ---- progress ---- */

static double *start_of(struct progress_line *line, const char *what, double now)
{
	size_t free_place = 0;
	for (size_t i = 0; i < sizeof line->loops / sizeof *line->loops; i++) {
		if (line->loops[i].what && !strcmp(line->loops[i].what, what))
			return &line->loops[i].started;
		if (!line->loops[i].what)
			free_place = i;
	}
	line->loops[free_place].what = what;
	line->loops[free_place].started = now;
	return &line->loops[free_place].started;
}

void cli_clear_progress(struct progress_line *line)
{
	if (line->shown)
		fputs("\r\033[K", stderr);
	line->shown = false;
}

static void show_progress(void *user, const char *what, double done)
{
	struct progress_line *line = user;
	double now = seconds_now(), *started = start_of(line, what, now);
	if (done <= 0)
		*started = now;
	if (done >= 1)
		cli_clear_progress(line);
	if (done <= 0 || done >= 1 || now - *started < 1 || now - line->last < 0.1)
		return;
	fprintf(stderr, "\r%s: %.0f %%, %.0f s left\033[K", what, 100 * done, (now - *started) / done * (1 - done));
	line->last = now;
	line->shown = true;
}

void cli_show_progress(struct loudness *l, struct diags *d)
{
	if (l->quiet || !isatty(STDERR_FILENO))
		return;
	d->limits = &l->limits;
	l->limits.progress = show_progress;
	l->limits.progress_user = &l->line;
}

void cli_say(struct diags *d, struct loudness l)
{
	const struct limits *limits = d->limits;
	fflush(stdout);
	cli_clear_progress(&l.line);
	print_all(d, l);
	diags_free(d);
	*d = (struct diags){ .limits = limits };
}

int cli_finish(struct diags *d, struct loudness l, int status)
{
	fflush(stdout);
	cli_clear_progress(&l.line);
	print_all(d, l);
	bool failed = status != 0 || d->errors > 0;
	diags_free(d);
	return failed ? 1 : 0;
}

/* A word that is no file, in the place of one: perhaps a subcommand was meant. NULL: no. */
static const char *meant_command(const char *word)
{
	struct nearest n = { .word = word };
	if (*word == '-' || strpbrk(word, "./") || access(word, F_OK) == 0)
		return NULL;
	for (int i = 1; i < COMMANDS; i++)
		nearest_consider(&n, commands[i]->name);
	return nearest_name(&n);
}

int cli_main(int argc, char **argv)
{
	for (int i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(argc - 1, argv + 1);
	const char *meant = argc > 1 ? meant_command(argv[1]) : NULL;
	if (!meant)
		return commands[0]->run(argc, argv);
	struct diags d = { 0 };
	struct strbuf remedy = { 0 };
	strbuf_printf(&remedy, "did you mean 'qcc %s'?", meant);
	diag_error(&d, remedy.text, "there is neither a subcommand nor a model '%s'", argv[1]);
	strbuf_free(&remedy);
	return cli_finish(&d, (struct loudness){ .verbose = false }, -1);
}

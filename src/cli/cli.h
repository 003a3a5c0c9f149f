/* The command line: one file for each subcommand, with its row in commands.def, and what they share. */
#ifndef QCC_CLI_CLI_H
#define QCC_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>

#include "util/diag.h"
#include "util/limits.h"

struct command {
	const char *name;
	const char *usage;		   /* "qcc run MODEL [NAME=]in.npy ... [OPTION]..." */
	const char *summary;		   /* one line */
	const char *help;		   /* the options, one line for each */
	const struct option *options;	   /* the same for getopt_long; one without a name ends them */
	int (*run)(int argc, char **argv); /* argv[0] is "qcc NAME"; returns the exit status */
};

#define COMMAND(symbol) extern const struct command command_##symbol;
#include "cli/commands.def"
#undef COMMAND

/* Runs the subcommand that argv[1] names, else compile. Returns the exit status. */
int cli_main(int argc, char **argv);

/* What a terminal shows of long loops (struct limits, progress): how far, and how long it will take. */
struct progress_line {
	struct {
		const char *what;
		double started;
	} loops[4];
	double last;
	bool shown;
};

/* How much is said, and what the command may take. */
struct loudness {
	bool verbose, quiet;
	struct limits limits;
	struct progress_line line;
};

/* Shows progress from now on where standard error is a terminal; cli_say and cli_finish take the line away. */
void cli_show_progress(struct loudness *l, struct diags *d);
void cli_clear_progress(struct progress_line *line);

/* Prints what was collected to stderr, one line for each, equal lines once: errors always, warnings unless quiet, notes
 * where verbose. Frees it. Returns the exit status: 1 where there was an error or status is not 0. */
int cli_finish(struct diags *d, struct loudness l, int status);
/* Prints the same and goes on: nothing is collected then. */
void cli_say(struct diags *d, struct loudness l);
void cli_print_help(const struct command *c);
/* Options that every subcommand has (-v -q -h, --max-memory, --max-seconds, --allow-paths, --version): true where c was one, which is done
 * then; *exit_now where the command is finished by it. */
bool cli_common_option(int c, const char *text, const struct command *command, struct loudness *l, struct diags *d,
		       bool *exit_now);
enum {
	OPT_VERSION = 256,
	OPT_MAX_MEMORY,
	OPT_MAX_SECONDS,
	OPT_ALLOW_PATHS,
	OPT_OTHER
}; /* values of long options without a letter start at OPT_OTHER */
#define CLI_COMMON_OPTIONS                                                                                        \
	{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, OPT_VERSION },                        \
		{ "verbose", no_argument, NULL, 'v' }, { "max-memory", required_argument, NULL, OPT_MAX_MEMORY }, \
		{ "max-seconds", required_argument, NULL, OPT_MAX_SECONDS },                                      \
		{ "allow-paths", no_argument, NULL, OPT_ALLOW_PATHS },                                            \
	{                                                                                                         \
		"quiet", no_argument, NULL, 'q'                                                                   \
	}

/* getopt_long, which says what is wrong in a diagnostic with the option that was meant; '?' then. */
int cli_next_option(int argc, char **argv, const char *letters, const struct option *options, struct diags *d);

/* For subcommands without options of their own: 0 where the arguments are at most that many words, from argv[optind] on;
 * 1 where the command is done; -1 with a diagnostic. */
int cli_take_words(const struct command *c, int argc, char **argv, int most, struct loudness *l, struct diags *d);

/* --list-passes, --list-ops, --list-backends, --help-pass, --help-backend (lists.c). */
void cli_list_passes(void);
void cli_list_ops(void);
void cli_list_backends(void);
int cli_help_pass(const char *name, struct diags *d);
int cli_help_backend(const char *name, struct diags *d);

/* The subcommands in the order of commands.def; the first is what runs where none is named. NULL behind the last. */
const struct command *cli_command(size_t i);

#endif

/* qcc help TOPIC, and the subcommands that list what there is: passes, operators, backends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/cli.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "script/script.h"
#include "util/nearest.h"

static const struct option long_options[] = { CLI_COMMON_OPTIONS, { NULL, 0, NULL, 0 } };

int cli_take_words(const struct command *c, int argc, char **argv, int most, struct loudness *l, struct diags *d)
{
	int option;
	bool done;
	optind = 0;
	while ((option = cli_next_option(argc, argv, "vqh", long_options, d)) != -1) {
		if (!cli_common_option(option, optarg, c, l, d, &done))
			return -1;
		if (done)
			return 1;
	}
	return argc - optind <= most ? 0 : diag_error(d, NULL, "what is '%s'?", argv[optind + most]);
}

static const struct op *find_operator(const char *name)
{
	for (size_t i = 0; i < op_table_size; i++)
		if (!strcmp(op_table[i]->name, name))
			return op_table[i];
	return NULL;
}

static void print_operator(const struct op *op)
{
	printf("%s: %s\n\nDomain %s, ", op->name, op->summary, *op->domain ? op->domain : "ai.onnx");
	if (op->max_inputs < 0)
		printf("%d inputs or more", op->min_inputs);
	else if (op->min_inputs == op->max_inputs)
		printf("%d input%s", op->min_inputs, op->min_inputs == 1 ? "" : "s");
	else
		printf("%d to %d inputs", op->min_inputs, op->max_inputs);
	puts(op->exec ? "." : "; it is not executed.");
}

static int unknown_topic(const char *word, struct diags *d)
{
	struct nearest n = { .word = word };
	for (size_t i = 0; cli_command(i); i++)
		nearest_consider(&n, cli_command(i)->name);
	nearest_consider(&n, "lua");
	for (size_t i = 0; i < pass_table_size; i++)
		nearest_consider(&n, pass_table[i]->name);
	for (size_t i = 0; i < backend_table_size; i++)
		nearest_consider(&n, backend_table[i]->name);
	for (size_t i = 0; i < op_table_size; i++)
		nearest_consider(&n, op_table[i]->name);
	char *remedy = nearest_remedy(&n, "qcc passes, qcc backends, qcc operators or qcc --help");
	diag_error(d, remedy, "there is no subcommand, pass, backend or operator '%s'", word);
	free(remedy);
	return -1;
}

static void print_lua(void)
{
	char *text = script_reference(NULL);
	fputs(text, stdout);
	free(text);
}

/* The same name may stand for several things: all are told. */
static int help_on(const char *word, struct diags *d)
{
	const char *preset;
	bool found = false;
	for (size_t i = 0; cli_command(i); i++)
		if (!strcmp(cli_command(i)->name, word)) {
			cli_print_help(cli_command(i));
			found = true;
		}
	if (pass_find(word, &preset)) {
		cli_help_pass(word, d);
		found = true;
	}
	if (backend_find(word)) {
		cli_help_backend(word, d);
		found = true;
	}
	if (find_operator(word)) {
		print_operator(find_operator(word));
		found = true;
	}
	if (!strcmp(word, "lua")) {
		print_lua();
		found = true;
	}
	return found ? 0 : unknown_topic(word, d);
}

static int run_help(int argc, char **argv)
{
	struct loudness l = { .verbose = false };
	struct diags d = { 0 };
	int status = cli_take_words(&command_help, argc, argv, 1, &l, &d);
	if (status == 0 && optind < argc)
		status = help_on(argv[optind], &d);
	else if (status == 0)
		cli_print_help(cli_command(0));
	return cli_finish(&d, l, status < 0 ? -1 : 0);
}

static int run_list(const struct command *c, void (*list)(void), int argc, char **argv)
{
	struct loudness l = { .verbose = false };
	struct diags d = { 0 };
	int status = cli_take_words(c, argc, argv, 0, &l, &d);
	if (status == 0)
		list();
	return cli_finish(&d, l, status < 0 ? -1 : 0);
}

static int run_passes(int argc, char **argv)
{
	return run_list(&command_passes, cli_list_passes, argc, argv);
}

static int run_operators(int argc, char **argv)
{
	return run_list(&command_operators, cli_list_ops, argc, argv);
}

static int run_backends(int argc, char **argv)
{
	return run_list(&command_backends, cli_list_backends, argc, argv);
}

const struct command command_help = {
	.name = "help",
	.usage = "qcc help [SUBCOMMAND | PASS | BACKEND | OPERATOR | lua]",
	.summary = "Tells what a subcommand, pass, backend or operator does, or Lua scripts can call",
	.help = "",
	.options = long_options,
	.run = run_help,
};

const struct command command_passes = {
	.name = "passes",
	.usage = "qcc passes",
	.summary = "Lists the passes, and other names they go by",
	.help = "",
	.options = long_options,
	.run = run_passes,
};

const struct command command_operators = {
	.name = "operators",
	.usage = "qcc operators",
	.summary = "Lists the operators",
	.help = "",
	.options = long_options,
	.run = run_operators,
};

const struct command command_backends = {
	.name = "backends",
	.usage = "qcc backends",
	.summary = "Lists the backends",
	.help = "",
	.options = long_options,
	.run = run_backends,
};

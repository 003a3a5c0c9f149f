/* qcc completion SHELL: what bash, zsh and fish need to complete its words, made from the tables of subcommands, options,
 * passes, backends and operators. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/cli.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "util/strbuf.h"

static const struct option long_options[] = { CLI_COMMON_OPTIONS, { NULL, 0, NULL, 0 } };

/* ---- words ---- */

static void print_passes(const char *separator)
{
	for (size_t i = 0; i < pass_table_size; i++)
		printf("%s%s", pass_table[i]->name, separator);
	for (size_t i = 0; i < pass_aliases_size; i++)
		printf("%s%s", pass_aliases[i].alias, separator);
}

static void print_backends(const char *separator)
{
	for (size_t i = 0; i < backend_table_size; i++)
		printf("%s%s", backend_table[i]->name, separator);
}

static void print_subcommands(const char *separator)
{
	for (size_t i = 1; cli_command(i); i++)
		printf("%s%s", cli_command(i)->name, separator);
}

/* What `qcc help` knows. */
static void print_topics(const char *separator)
{
	print_subcommands(separator);
	print_passes(separator);
	print_backends(separator);
	for (size_t i = 0; i < op_table_size; i++)
		printf("%s%s", op_table[i]->name, separator);
}

/* A text in single quotes, as all three shells read it. */
static void print_quoted(const char *text, size_t length)
{
	putchar('\'');
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\'')
			putchar(text[i]);
	putchar('\'');
}

/* What the subcommand's help says of an option, up to the end of the line; *length may be 0. */
static const char *option_help(const struct command *c, const char *name, size_t *length)
{
	struct strbuf flag = { 0 };
	strbuf_printf(&flag, "--%s", name);
	*length = 0;
	for (const char *at = c->help; *length == 0 && (at = strstr(at, flag.text)); at++) {
		const char *end = at + flag.length;
		if (strchr(" [\n", *end)) {
			const char *gap = strstr(end, "  "), *line = end + strcspn(end, "\n");
			at = gap && gap < line ? gap + strspn(gap, " ") : line;
			*length = (size_t)(line - at);
		}
		if (*length) {
			strbuf_free(&flag);
			return at;
		}
	}
	strbuf_free(&flag);
	return "";
}

/* The options of all subcommands are variables qcc_options_SUBCOMMAND, in which '-' is '_'. */
static void print_variable_name(const char *command)
{
	printf("_qcc_options_");
	for (const char *p = command; *p; p++)
		putchar(*p == '-' ? '_' : *p);
}

/* ---- shells ---- */

static const char bash_functions[] =
	"_qcc_list()\n"
	"{\n"
	"	local before=\n"
	"	[[ $2 == *,* ]] && before=${2%,*},\n"
	"	COMPREPLY=($(compgen -P \"$before\" -W \"$1\" -- \"${2##*,}\"))\n"
	"	compopt -o nospace 2>/dev/null\n"
	"}\n"
	"_qcc()\n"
	"{\n"
	"	local word=${COMP_WORDS[COMP_CWORD]} command=compile options\n"
	"	[[ $COMP_CWORD -gt 1 && \" $_qcc_subcommands \" == *\" ${COMP_WORDS[1]} \"* ]] && command=${COMP_WORDS[1]}\n"
	"	COMPREPLY=()\n"
	"	case ${COMP_WORDS[COMP_CWORD-1]} in\n"
	"	-p | --passes) _qcc_list \"$_qcc_passes\" \"$word\" ;;\n"
	"	-b | --backends) _qcc_list \"$_qcc_backends\" \"$word\" ;;\n"
	"	--help-pass | --dump-after) COMPREPLY=($(compgen -W \"$_qcc_passes\" -- \"$word\")) ;;\n"
	"	--help-backend) COMPREPLY=($(compgen -W \"$_qcc_backends\" -- \"$word\")) ;;\n"
	"	completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")) ;;\n"
	"	help) COMPREPLY=($(compgen -W \"$_qcc_topics\" -- \"$word\")) ;;\n"
	"	*)\n"
	"		options=_qcc_options_${command//-/_}\n"
	"		if [[ $word == -* ]]; then\n"
	"			COMPREPLY=($(compgen -W \"${!options}\" -- \"$word\"))\n"
	"		elif [[ $COMP_CWORD -eq 1 ]]; then\n"
	"			COMPREPLY=($(compgen -W \"$_qcc_subcommands\" -- \"$word\") $(compgen -f -- \"$word\"))\n"
	"		fi ;;\n"
	"	esac\n"
	"}\n"
	"complete -o bashdefault -o default -F _qcc qcc\n";

static void print_bash(void)
{
	puts("# Completion of qcc's words in bash: eval \"$(qcc completion bash)\"");
	printf("_qcc_subcommands='");
	print_subcommands(" ");
	printf("'\n_qcc_passes='");
	print_passes(" ");
	printf("'\n_qcc_backends='");
	print_backends(" ");
	printf("'\n_qcc_topics='");
	print_topics(" ");
	puts("'");
	for (size_t i = 0; cli_command(i); i++) {
		print_variable_name(cli_command(i)->name);
		printf("='");
		for (const struct option *o = cli_command(i)->options; o->name; o++)
			printf("--%s ", o->name);
		puts("'");
	}
	fputs(bash_functions, stdout);
}

static const char zsh_functions[] =
	"_qcc()\n"
	"{\n"
	"	local command=compile options\n"
	"	(( CURRENT > 2 )) && [[ -n ${(M)_qcc_subcommands:#$words[2]:*} ]] && command=$words[2]\n"
	"	case $words[CURRENT-1] in\n"
	"	-p | --passes) compset -P '*,'; compadd -q -S , -- $_qcc_passes ;;\n"
	"	-b | --backends) compset -P '*,'; compadd -q -S , -- $_qcc_backends ;;\n"
	"	--help-pass | --dump-after) compadd -- $_qcc_passes ;;\n"
	"	--help-backend) compadd -- $_qcc_backends ;;\n"
	"	completion) compadd -- bash zsh fish ;;\n"
	"	help) compadd -- $_qcc_topics ;;\n"
	"	*)\n"
	"		options=_qcc_options_${command//-/_}\n"
	"		if [[ $words[CURRENT] == -* ]]; then\n"
	"			_describe -o option $options\n"
	"		else\n"
	"			(( CURRENT == 2 )) && _describe subcommand _qcc_subcommands\n"
	"			_files\n"
	"		fi ;;\n"
	"	esac\n"
	"}\n"
	"if [[ $funcstack[1] = _qcc ]]; then _qcc \"$@\"; else compdef _qcc qcc; fi\n";

static void print_zsh(void)
{
	printf("#compdef qcc\n# Completion of qcc's words in zsh: source <(qcc completion zsh), or a file _qcc in a folder of $fpath\n"
	       "typeset -ga _qcc_subcommands _qcc_passes _qcc_backends _qcc_topics\n_qcc_subcommands=(\n");
	for (size_t i = 1; cli_command(i); i++) {
		printf("	%s:", cli_command(i)->name);
		print_quoted(cli_command(i)->summary, strlen(cli_command(i)->summary));
		putchar('\n');
	}
	printf(")\n_qcc_passes=(");
	print_passes(" ");
	printf(")\n_qcc_backends=(");
	print_backends(" ");
	printf(")\n_qcc_topics=(");
	print_topics(" ");
	puts(")");
	for (size_t i = 0; cli_command(i); i++) {
		printf("typeset -ga ");
		print_variable_name(cli_command(i)->name);
		putchar('\n');
		print_variable_name(cli_command(i)->name);
		puts("=(");
		for (const struct option *o = cli_command(i)->options; o->name; o++) {
			size_t length;
			const char *text = option_help(cli_command(i), o->name, &length);
			printf("	--%s", o->name);
			if (length) {
				putchar(':');
				print_quoted(text, length);
			}
			putchar('\n');
		}
		puts(")");
	}
	fputs(zsh_functions, stdout);
}

static void print_fish_options(const struct command *c)
{
	for (const struct option *o = c->options; o->name; o++) {
		size_t length;
		const char *text = option_help(c, o->name, &length);
		if (c == cli_command(0))
			printf("complete -c qcc -n 'not __fish_seen_subcommand_from $_qcc_subcommands'");
		else
			printf("complete -c qcc -n '__fish_seen_subcommand_from %s'", c->name);
		printf(" -l %s", o->name);
		if (isalpha(o->val))
			printf(" -s %c", o->val);
		if (o->has_arg == required_argument)
			printf(" -r");
		if (!strcmp(o->name, "passes") || !strcmp(o->name, "backends"))
			printf(" -f -a '(_qcc_list $_qcc_%s)'", o->name);
		else if (!strcmp(o->name, "help-pass") || !strcmp(o->name, "dump-after"))
			printf(" -f -a '$_qcc_passes'");
		else if (!strcmp(o->name, "help-backend"))
			printf(" -f -a '$_qcc_backends'");
		if (length) {
			printf(" -d ");
			print_quoted(text, length);
		}
		putchar('\n');
	}
}

static void print_fish(void)
{
	printf("# Completion of qcc's words in fish: qcc completion fish | source\nset -g _qcc_subcommands ");
	print_subcommands(" ");
	printf("\nset -g _qcc_passes ");
	print_passes(" ");
	printf("\nset -g _qcc_backends ");
	print_backends(" ");
	printf("\nset -g _qcc_topics ");
	print_topics(" ");
	puts("\n# The last name of a list, behind the names that are there.\n"
	     "function _qcc_list\n"
	     "	set -l before (string replace -r '[^,]*$' '' -- (commandline -ct))\n"
	     "	printf '%s\\n' $before$argv\n"
	     "end");
	for (size_t i = 1; cli_command(i); i++) {
		printf("complete -c qcc -n __fish_use_subcommand -a %s -d ", cli_command(i)->name);
		print_quoted(cli_command(i)->summary, strlen(cli_command(i)->summary));
		putchar('\n');
	}
	puts("complete -c qcc -n '__fish_seen_subcommand_from help' -f -a '$_qcc_topics'\n"
	     "complete -c qcc -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'");
	for (size_t i = 0; cli_command(i); i++)
		print_fish_options(cli_command(i));
}

/* ---- the subcommand ---- */

static int print_for(const char *shell, struct diags *d)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		if (!strcmp(shells[i].name, shell)) {
			shells[i].print();
			return 0;
		}
	}
	return diag_error(d, "qcc completion bash, zsh or fish", "there is no completion for the shell '%s'", shell);
}

static int run(int argc, char **argv)
{
	struct loudness l = { .verbose = false };
	struct diags d = { 0 };
	int status = cli_take_words(&command_completion, argc, argv, 1, &l, &d);
	if (status == 0)
		status = optind < argc ? print_for(argv[optind], &d)
				       : diag_error(&d, "qcc completion bash, zsh or fish", "no shell is named");
	return cli_finish(&d, l, status < 0 ? -1 : 0);
}

const struct command command_completion = {
	.name = "completion",
	.usage = "qcc completion bash|zsh|fish",
	.summary = "Prints what a shell needs to complete qcc's words",
	.help = "bash:  eval \"$(qcc completion bash)\" in ~/.bashrc\n"
		"zsh:   source <(qcc completion zsh) in ~/.zshrc, behind compinit\n"
		"fish:  qcc completion fish >~/.config/fish/completions/qcc.fish\n\n",
	.options = long_options,
	.run = run,
};

/* Compiling and executing generated C (see eval_c.h). The program that comes with it reads and writes .npy files. */
#include "cli/eval_c.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backend.h"
#include "ir/npy.h"
#include "report/report.h"
#include "util/strbuf.h"
#include "util/vec.h"

extern char **environ;

struct words {
	char **items;
	size_t count, capacity;
};

/* Takes the string over. */
static void add_word(struct words *w, char *s)
{
	vec_push(w, s);
}

static void free_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i]);
	vec_free(w);
}

static char *joined(const char *dir, const char *name)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "%s/%s", dir, name);
	return b.text;
}

/* Runs a command to its end. */
static int run_command(struct words *w, const char *what, struct diags *d)
{
	pid_t pid;
	int status;
	add_word(w, NULL);
	int error = posix_spawnp(&pid, w->items[0], NULL, NULL, w->items, environ);
	w->count--;
	if (error)
		return diag_error(d, "set CC to a C compiler", "cannot run %s: %s", w->items[0], strerror(error));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_error(d, NULL, "cannot wait for %s: %s", w->items[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return diag_error(d, NULL, "%s failed", what);
}

static int add_sources(struct words *w, const char *dir, struct diags *d)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return diag_error(d, NULL, "cannot read '%s': %s", dir, strerror(errno));
	for (struct dirent *e; (e = readdir(folder));) {
		size_t n = strlen(e->d_name);
		if (n > 2 && !strcmp(e->d_name + n - 2, ".c"))
			add_word(w, joined(dir, e->d_name));
	}
	closedir(folder);
	return 0;
}

/* $CC may hold options too. */
static void add_compiler(struct words *w)
{
	char *cc = xstrdup(getenv("CC") && *getenv("CC") ? getenv("CC") : "cc"), *rest = NULL;
	for (char *word = strtok_r(cc, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add_word(w, xstrdup(word));
	free(cc);
}

static int compile(const char *dir, const char *program, struct diags *d)
{
	struct words w = { 0 };
	add_compiler(&w);
	static const char *const options[] = { "-std=c11", "-O2", "-o" };
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		add_word(&w, xstrdup(options[i]));
	add_word(&w, xstrdup(program));
	int status = add_sources(&w, dir, d);
	add_word(&w, xstrdup("-lm"));
	if (status == 0)
		status = run_command(&w, "compiling the generated C", d);
	free_words(&w);
	return status;
}

static int emit(struct graph *g, const char *style, const char *dir, struct diags *d)
{
	struct backend_list l;
	struct strbuf text = { 0 };
	struct report *report = report_new("model.onnx");
	report_describe(report, g);
	strbuf_printf(&text, "c(%s)", style);
	int status = backend_list_parse(&l, text.text, d);
	if (status == 0)
		status = backend_list_emit(&l, g, dir, report, d);
	backend_list_free(&l);
	report_free(report);
	strbuf_free(&text);
	return status;
}

static struct tensor *execute(const char *program, const char *dir, struct tensor *x, struct diags *d)
{
	char *in = joined(dir, "in.npy"), *out = joined(dir, "out.npy");
	struct words w = { 0 };
	struct tensor *y = NULL;
	add_word(&w, xstrdup(program));
	add_word(&w, xstrdup(in));
	add_word(&w, xstrdup(out));
	if (npy_write(x, in, d) == 0 && run_command(&w, "the generated program", d) == 0)
		y = npy_read(out, d);
	free_words(&w);
	free(in);
	free(out);
	return y;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

struct tensor *eval_generated_c(struct graph *g, const char *style, const struct feeding *f, const struct dataset *s,
				struct diags *d)
{
	const char *base = getenv("TMPDIR");
	char *dir = joined(base && *base ? base : "/tmp", "qcc-eval-XXXXXX");
	struct tensor *x = NULL, *y = NULL;
	if (!mkdtemp(dir)) {
		diag_error(d, "set TMPDIR", "cannot make a temporary folder '%s': %s", dir, strerror(errno));
		free(dir);
		return NULL;
	}
	char *sources = joined(dir, "c"), *program = joined(dir, "run");
	struct value *input = predict_input(g, d);
	if (input && emit(g, style, dir, d) == 0 && compile(sources, program, d) == 0 &&
	    (x = feeding_rows(f, input, s, 0, s->rows)))
		y = execute(program, dir, x, d);
	tensor_unref(x);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(program);
	free(sources);
	free(dir);
	return y;
}

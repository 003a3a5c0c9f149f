/* The files of tests/passes/written, a case each: a line with the passes, a graph in text form, a line "=>" and the graph that the
 * passes make of it, every attribute, name, datatype and constant of it. What comes out computes the same on random inputs.
 *
 *     QCC_SRC=FOLDER test_written           compares
 *     QCC_SRC=FOLDER test_written write     writes what comes out into the files, to be read before it is kept */
#include "passes.h"

#include <dirent.h>

#include "ir/onnx.h"
#include "util/file.h"
#include "util/strbuf.h"

static bool writes;

struct written {
	char *passes, *in, *out; /* in one piece of memory, from passes on */
};

static struct written read_written(const char *path)
{
	static const char head[] = "passes: ", arrow[] = "\n=>\n";
	struct diags d = { 0 };
	struct blob *b = file_map(path, &d);
	assert_no_errors(&d);
	struct strbuf text = { 0 };
	strbuf_add(&text, b->base, b->size);
	blob_unref(b);
	struct written w = { .passes = text.text };
	assert_true(strncmp(w.passes, head, strlen(head)) == 0);
	w.in = strchr(w.passes, '\n');
	w.out = strstr(w.in, arrow);
	assert_non_null(w.out);
	*w.in++ = '\0';
	*w.out = '\0';
	w.out += strlen(arrow);
	return w;
}

static void write_out(const char *path, const struct written *w, const char *out)
{
	struct diags d = { 0 };
	struct strbuf text = { 0 };
	strbuf_printf(&text, "%s\n%s\n=>\n%s", w->passes, w->in, out);
	assert_int_equal(file_write(path, text.text, text.length, &d), 0);
	strbuf_free(&text);
}

static void compare_written(const char *path)
{
	struct written w = read_written(path);
	struct graph *before = test_graph(w.in), *after = test_graph(w.in);
	test_run(before, "infer");
	test_run(after, strchr(w.passes, ' ') + 1);
	char *out = graph_print_all(after);
	bool same = strcmp(out, w.out) == 0;
	if (writes && !same)
		write_out(path, &w, out);
	else if (!same)
		fprintf(stderr, "%s:\n%s", path, out);
	assert_true(same || writes);
	assert_true(graphs_differ(before, after) <= 1e-6);
	free(out);
	free(w.passes);
	graph_free(before);
	graph_free(after);
}

static void a_file(void **state)
{
	compare_written(*state);
}

int main(int argc, char **argv)
{
	enum { MOST = 200 };
	static struct CMUnitTest tests[MOST];
	static char paths[MOST][800];
	struct dirent **entries = NULL;
	char folder[400];
	size_t n = 0;
	const char *top = getenv("QCC_SRC");
	writes = argc > 1 && strcmp(argv[1], "write") == 0;
	snprintf(folder, sizeof folder, "%s/tests/passes/written", top ? top : ".");
	int count = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		if (strstr(entries[i]->d_name, ".txt") && n < MOST) {
			snprintf(paths[n], sizeof paths[n], "%s/%s", folder, entries[i]->d_name);
			tests[n] = (struct CMUnitTest){ strrchr(paths[n], '/') + 1, a_file, NULL, NULL, paths[n] };
			n++;
		}
		free(entries[i]);
	}
	free(entries);
	return n ? _cmocka_run_group_tests("written", tests, n, NULL, NULL) : 1;
}

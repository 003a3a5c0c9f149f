/* Lines from the terminal. What comes from a pipe or a file is read as it is. */
#include "script/lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/strbuf.h"

struct lines {
	struct editor *editor; /* NULL: plain lines */
	bool terminal;
	char *plain;
	size_t size;
	struct strbuf line;
};

struct lines *lines_open(lines_complete_fn *complete, void *user)
{
	struct lines *l = xcalloc(1, sizeof *l);
	l->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (l->terminal)
		l->editor = editor_open(complete, user);
	return l;
}

static const char *read_plain(struct lines *l, const char *prompt)
{
	if (l->terminal)
		fputs(prompt, stdout);
	fflush(stdout);
	return getline(&l->plain, &l->size, stdin) < 0 ? NULL : l->plain;
}

const char *lines_read(struct lines *l, const char *prompt)
{
	const char *text = l->editor ? editor_read(l->editor, prompt) : read_plain(l, prompt);
	if (!text) {
		if (l->terminal)
			putchar('\n');
		return NULL;
	}
	l->line.length = 0;
	strbuf_add(&l->line, text, strcspn(text, "\r\n"));
	return strbuf_text(&l->line);
}

void lines_close(struct lines *l)
{
	editor_close(l->editor);
	strbuf_free(&l->line);
	free(l->plain);
	free(l);
}

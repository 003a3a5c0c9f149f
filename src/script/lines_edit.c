/* Lines edited by libedit, which is loaded where somebody types. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <histedit.h>

#include "script/lines.h"
#include "util/library.h"
#include "util/memory.h"
#include "util/vec.h"

struct library {
	EditLine *(*el_init)(const char *, FILE *, FILE *, FILE *);
	void (*el_end)(EditLine *);
	const char *(*el_gets)(EditLine *, int *);
	int (*el_set)(EditLine *, int, ...);
	int (*el_get)(EditLine *, int, ...);
	const LineInfo *(*el_line)(EditLine *);
	int (*el_insertstr)(EditLine *, const char *);
	History *(*history_init)(void);
	void (*history_end)(History *);
	int (*history)(History *, HistEvent *, int, ...);
};

struct editor {
	lines_complete_fn *complete;
	void *user;
	const char *prompt;
	struct library lib;
	EditLine *edit;
	History *history;
};

/* ---- completion ---- */

struct words {
	char **items;
	size_t count, capacity;
};

static void add_word(void *words, const char *word)
{
	struct words *w = words;
	vec_push(w, xstrdup(word));
}

/* How many characters all words begin with. */
static size_t common(const struct words *w)
{
	size_t n = strlen(w->items[0]);
	for (size_t i = 1; i < w->count; i++) {
		size_t k = 0;
		while (k < n && w->items[i][k] == w->items[0][k])
			k++;
		n = k;
	}
	return n;
}

static void show(const struct words *w)
{
	size_t column = 0;
	putchar('\n');
	for (size_t i = 0; i < w->count; i++) {
		column += strlen(w->items[i]) + 2;
		if (i && column > 78) {
			putchar('\n');
			column = strlen(w->items[i]) + 2;
		}
		printf("%s  ", w->items[i]);
	}
	putchar('\n');
	fflush(stdout);
}

/* Also called by what libedit calls, which is given nothing but the EditLine: opening it again costs nothing. */
static void *load(struct library *lib)
{
	static const char *const names[] = { "libedit.so.2", "libedit.so.0", "libedit.so", NULL };
	const struct library_entry entries[] = {
		{ "el_init", &lib->el_init },
		{ "el_end", &lib->el_end },
		{ "el_gets", &lib->el_gets },
		{ "el_set", &lib->el_set },
		{ "el_get", &lib->el_get },
		{ "el_line", &lib->el_line },
		{ "el_insertstr", &lib->el_insertstr },
		{ "history_init", &lib->history_init },
		{ "history_end", &lib->history_end },
		{ "history", &lib->history },
		{ NULL, NULL },
	};
	struct diags ignored = { 0 };
	void *library = library_open(names, entries, &ignored);
	diags_free(&ignored);
	return library;
}

static struct editor *editor_of(EditLine *edit, struct library *lib)
{
	struct editor *e = NULL;
	return load(lib) && lib->el_get(edit, EL_CLIENTDATA, &e) == 0 ? e : NULL;
}

/* What Tab does. */
static unsigned char on_tab(EditLine *edit, int key)
{
	struct library lib;
	struct words words = { 0 };
	struct editor *e = editor_of(edit, &lib);
	(void)key;
	if (!e)
		return CC_ERROR;
	const LineInfo *line = lib.el_line(edit);
	size_t typed = e->complete(e->user, line->buffer, (size_t)(line->cursor - line->buffer), add_word, &words);
	size_t shared = words.count ? common(&words) : 0;
	bool longer = shared > typed;
	if (longer) {
		words.items[0][shared] = '\0';
		lib.el_insertstr(edit, words.items[0] + typed);
	} else if (words.count > 1) {
		show(&words);
	}
	unsigned char result = longer ? CC_REFRESH : words.count > 1 ? CC_REDISPLAY : CC_ERROR;
	for (size_t i = 0; i < words.count; i++)
		free(words.items[i]);
	vec_free(&words);
	return result;
}

static char *prompt_of(EditLine *edit)
{
	struct library lib;
	struct editor *e = editor_of(edit, &lib);
	return (char *)(uintptr_t)(e ? e->prompt : "");
}

struct editor *editor_open(lines_complete_fn *complete, void *user)
{
	HistEvent event;
	struct editor *e = xcalloc(1, sizeof *e);
	*e = (struct editor){ .complete = complete, .user = user, .prompt = "" };
	bool there = load(&e->lib) != NULL;
	e->edit = there ? e->lib.el_init("qcc", stdin, stdout, stderr) : NULL;
	e->history = e->edit ? e->lib.history_init() : NULL;
	if (!e->history) {
		editor_close(e);
		return NULL;
	}
	e->lib.history(e->history, &event, H_SETSIZE, 1000);
	e->lib.el_set(e->edit, EL_CLIENTDATA, e);
	e->lib.el_set(e->edit, EL_PROMPT, prompt_of);
	e->lib.el_set(e->edit, EL_EDITOR, "emacs");
	e->lib.el_set(e->edit, EL_SIGNAL, 1);
	e->lib.el_set(e->edit, EL_HIST, e->lib.history, e->history);
	e->lib.el_set(e->edit, EL_ADDFN, "qcc-complete", "completes the word", on_tab);
	e->lib.el_set(e->edit, EL_BIND, "^I", "qcc-complete", NULL);
	return e;
}

void editor_close(struct editor *e)
{
	if (!e)
		return;
	if (e->history)
		e->lib.history_end(e->history);
	if (e->edit)
		e->lib.el_end(e->edit);
	free(e);
}

const char *editor_read(struct editor *e, const char *prompt)
{
	HistEvent event;
	int count = 0;
	e->prompt = prompt;
	const char *text = e->lib.el_gets(e->edit, &count);
	if (!text || count <= 0)
		return NULL;
	if (count > 1)
		e->lib.history(e->history, &event, H_ENTER, text);
	return text;
}

/* Lines from the terminal: with editing, history and completion where libedit is installed, plain ones otherwise. */
#ifndef QCC_SCRIPT_LINES_H
#define QCC_SCRIPT_LINES_H

#include <stddef.h>

struct lines;

/* What the text before the cursor can go on with: calls add for each word, and returns how many characters of the text belong to
 * the word that is completed. */
typedef size_t lines_complete_fn(void *user, const char *text, size_t length,
				 void (*add)(void *words, const char *word), void *words);

struct lines *lines_open(lines_complete_fn *complete, void *user);
/* The next line without its end, until the next call; NULL: there are no more. */
const char *lines_read(struct lines *l, const char *prompt);
void lines_close(struct lines *l);

/* The part that libedit does (lines_edit.c). open gives NULL where it is not there. */
struct editor;
struct editor *editor_open(lines_complete_fn *complete, void *user);
const char *editor_read(struct editor *e, const char *prompt);
void editor_close(struct editor *e);

#endif

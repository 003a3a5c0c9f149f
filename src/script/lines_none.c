/* In the place of lines_edit.c where libedit's header is not installed. */
#include "script/lines.h"

struct editor *editor_open(lines_complete_fn *complete, void *user)
{
	(void)complete;
	(void)user;
	return NULL;
}

const char *editor_read(struct editor *e, const char *prompt)
{
	(void)e;
	(void)prompt;
	return NULL;
}

void editor_close(struct editor *e)
{
	(void)e;
}

/* Pictures of the stages: kept in a folder of their own until the whole run has succeeded. */
#include "cli/stages.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/dot/dot.h"
#include "util/file.h"
#include "util/strbuf.h"
#include "util/vec.h"

enum { LARGEST = 5000 }; /* nobody looks at a larger picture */

static char *join(struct arena *a, const char *folder, const char *name)
{
	return arena_printf(a, "%s/%s", folder, name);
}

static void draw(struct stages *s, const struct graph *g, const char *name)
{
	char *file = arena_printf(&s->arena, "%02zu-%s.dot", s->count++, name);
	if (s->failed)
		return;
	if (g->n_nodes > LARGEST) {
		diag_note(s->diags, DIAG_NOTE, NULL, NULL, "no picture of stage '%s': %u nodes are too many to look at",
			  name, g->n_nodes);
		return;
	}
	if (dir_make(s->hidden, s->diags) < 0 || dot_write(g, join(&s->arena, s->hidden, file), s->diags) < 0)
		s->failed = true;
	else
		vec_push(&s->names, file);
}

void stages_start(struct stages *s, const struct graph *g, const char *dir, struct diags *d)
{
	*s = (struct stages){ .diags = d };
	arena_init(&s->arena);
	s->hidden = arena_printf(&s->arena, "%s/.stages.%ld", dir, (long)getpid());
	s->folder = join(&s->arena, dir, "dot");
	draw(s, g, "imported");
}

void stages_observe(void *stages, const struct graph *g, const struct pipeline_step *step)
{
	draw(stages, g, step->pass->name);
}

static bool is_stage(const char *name)
{
	size_t digits = strspn(name, "0123456789"), n = strlen(name);
	return digits >= 2 && name[digits] == '-' && n > 4 && !strcmp(name + n - 4, ".dot");
}

static void remove_old(struct stages *s)
{
	DIR *folder = opendir(s->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (is_stage(entry->d_name))
			unlink(join(&s->arena, s->folder, entry->d_name));
	if (folder)
		closedir(folder);
}

static int show(struct stages *s)
{
	if (dir_make(s->folder, s->diags) < 0)
		return -1;
	remove_old(s);
	int status = 0;
	for (size_t i = 0; i < s->names.count; i++) {
		const char *to = join(&s->arena, s->folder, s->names.items[i]);
		if (rename(join(&s->arena, s->hidden, s->names.items[i]), to) < 0)
			status = diag_error(s->diags, NULL, "cannot write '%s': %s", to, strerror(errno));
	}
	return status;
}

int stages_finish(struct stages *s, bool ok)
{
	int status = s->failed ? -1 : 0;
	if (ok && !s->failed && s->names.count)
		status = show(s);
	for (size_t i = 0; i < s->names.count; i++)
		unlink(join(&s->arena, s->hidden, s->names.items[i])); /* fails where it was moved */
	rmdir(s->hidden);
	vec_free(&s->names);
	arena_free(&s->arena);
	return status;
}

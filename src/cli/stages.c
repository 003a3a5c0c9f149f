/* Pictures of the stages. */
#include "cli/stages.h"

#include "backends/dot/dot.h"
#include "util/file.h"

enum { LARGEST = 5000 }; /* nobody looks at a larger picture */

static void draw(struct stages *s, const struct graph *g, const char *name)
{
	char *file = arena_printf(&s->arena, "%02zu-%s.dot", s->count++, name);
	if (s->failed)
		return;
	if (g->n_nodes > LARGEST)
		diag_note(s->diags, DIAG_NOTE, NULL, NULL, "no picture of stage '%s': %u nodes are too many to look at",
			  name, g->n_nodes);
	else if (dir_make(s->folder, s->diags) < 0 || dot_write(g, path_in(&s->arena, s->folder, file), s->diags) < 0)
		s->failed = true;
}

void stages_start(struct stages *s, const struct graph *g, const char *dir, struct diags *d)
{
	*s = (struct stages){ .diags = d };
	arena_init(&s->arena);
	s->folder = path_in(&s->arena, dir, "dot");
	draw(s, g, "imported");
}

void stages_observe(void *stages, const struct graph *g, const struct pipeline_step *step)
{
	draw(stages, g, step->pass->name);
}

int stages_finish(struct stages *s)
{
	int status = s->failed ? -1 : 0;
	arena_free(&s->arena);
	return status;
}

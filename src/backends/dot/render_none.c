/* In the place of render.c where qcc is configured --without-graphviz. */
#include "backends/dot/dot.h"

char *dot_draw(const char *text, const char *format, size_t *size, struct diags *d)
{
	(void)text;
	(void)size;
	diag_error(d, "write DOT alone and run Graphviz's `dot` on it, or build qcc with Graphviz",
		   "this qcc was built without Graphviz: it does not draw %s", format);
	return NULL;
}

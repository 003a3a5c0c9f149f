/* Drawing by Graphviz, whose libraries are loaded for that alone: most runs draw several stages and look at none. */
#include "backends/dot/dot.h"
#include "util/library.h"

#include <cgraph.h>
#include <gvc.h>
#include <stdlib.h>
#include <string.h>

/* Graphviz's own warnings (missing fonts) are of no use to the user; the last error is in aglasterr. */
static int quiet(char *message)
{
	(void)message;
	return 0;
}

#ifdef __SANITIZE_ADDRESS__
/* Fonts, and the plugins that measure them, live until the process ends: no leaks of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libpango\nleak:libglib\nleak:libgvc\nleak:libltdl\n";
}
#endif

/* Graphviz, which is loaded for the first picture. Its plugins stay in memory, and so does it. */
struct renderer {
	__typeof__(&agmemread) agmemread;
	__typeof__(&agclose) agclose;
	__typeof__(&agseterrf) agseterrf;
	__typeof__(&aglasterr) aglasterr;
	__typeof__(&gvContext) gvContext;
	__typeof__(&gvLayout) gvLayout;
	__typeof__(&gvRenderData) gvRenderData;
	__typeof__(&gvFreeLayout) gvFreeLayout;
	__typeof__(&gvFreeRenderData) gvFreeRenderData;
	__typeof__(&gvFreeContext) gvFreeContext;
};

static bool load(struct renderer *r, struct diags *d)
{
	static const char *const names[] = { "libgvc.so.6", "libgvc.so.7", "libgvc.so", NULL };
	const struct library_entry entries[] = {
		/* those of cgraph are found through gvc, which needs it */
		{ "agmemread", &r->agmemread },
		{ "agclose", &r->agclose },
		{ "agseterrf", &r->agseterrf },
		{ "aglasterr", &r->aglasterr },
		{ "gvContext", &r->gvContext },
		{ "gvLayout", &r->gvLayout },
		{ "gvRenderData", &r->gvRenderData },
		{ "gvFreeLayout", &r->gvFreeLayout },
		{ "gvFreeRenderData", &r->gvFreeRenderData },
		{ "gvFreeContext", &r->gvFreeContext },
		{ NULL, NULL },
	};
	return library_open(names, entries, d) != NULL;
}

/* malloc'd; NULL with a diagnostic. */
static char *render(const struct renderer *r, const char *text, const char *format, size_t *size, struct diags *d)
{
	GVC_t *gvc = r->gvContext();
	Agraph_t *ag = r->agmemread(text);
	char *data = NULL, *copy = NULL;
	unsigned count = 0;

	if (ag && !r->gvLayout(gvc, ag, "dot")) {
		if (r->gvRenderData(gvc, ag, format, &data, &count) == 0) {
			copy = xcalloc(count + 1u, 1);
			memcpy(copy, data, count);
			*size = count;
		}
		r->gvFreeLayout(gvc, ag);
	}
	if (!copy) {
		const char *message = r->aglasterr();
		diag_error(d, "write DOT alone and run Graphviz's `dot` on it",
			   "Graphviz cannot draw the graph as %s: %s", format, message ? message : "unknown reason");
	}
	r->gvFreeRenderData(data);
	if (ag)
		r->agclose(ag);
	r->gvFreeContext(gvc);
	return copy;
}

char *dot_draw(const char *text, const char *format, size_t *size, struct diags *d)
{
	struct renderer renderer;

	if (!load(&renderer, d))
		return NULL;
	agusererrf previous = renderer.agseterrf(quiet);
	char *picture = render(&renderer, text, format, size, d);
	renderer.agseterrf(previous);
	return picture;
}

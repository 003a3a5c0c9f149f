/* The Pareto front of a folding, cycles a frame against LUTs, as CSV and as a plot (SVG). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "util/file.h"
#include "util/limits.h"
#include "util/strbuf.h"

struct point {
	double fps;
	struct hw_cost cost;
};

struct front {
	struct point *points; /* slowest last */
	size_t count;
};

static void csv_head(const struct folding *f, struct strbuf *csv)
{
	strbuf_puts(csv, "cycles,fps,LUT,BRAM_18K,DSP,URAM");
	for (size_t u = 0; u < f->count; u++)
		for (size_t i = 0; i < f->units[u].count; i++)
			strbuf_printf(csv, ",%s PE,%s SIMD", node_label(f->units[u].nodes[i]),
				      node_label(f->units[u].nodes[i]));
	strbuf_puts(csv, "\n");
}

static void csv_row(const struct folding *f, const size_t *chosen, const struct point *p, struct strbuf *csv)
{
	const struct hw_cost *c = &p->cost;
	strbuf_printf(csv, "%lld,%.6g,%lld,%lld,%lld,%lld", (long long)c->cycles, p->fps, (long long)c->lut,
		      (long long)c->bram, (long long)c->dsp, (long long)c->uram);
	for (size_t u = 0; u < f->count; u++)
		for (size_t i = 0; i < f->units[u].count; i++) {
			const struct hw_choice *k = &f->units[u].choices[chosen[u]][i];
			strbuf_printf(csv, ",%lld,%lld", (long long)k->pe, (long long)k->simd);
		}
	strbuf_puts(csv, "\n");
}

/* From the fastest on: a slower point is on the front where it is cheaper than all before. */
static void walk(const struct folding *f, const struct folding_rules *rules, struct front *front, struct strbuf *csv,
		 const struct diags *d)
{
	struct fold_problem p = folding_problem(f, rules);
	size_t n, *chosen = xcalloc(f->count + 1, sizeof *chosen);
	int64_t *cycles = fold_cycle_counts(&p, &n);
	front->points = xcalloc(n + 1, sizeof *front->points);
	for (size_t i = 0; i < n; i++) {
		progress_tell(d, "pareto", (double)i / (double)n);
		if (!fold_cheapest(&p, cycles[i], chosen))
			continue;
		struct point *at = &front->points[front->count];
		at->cost = folding_cost(f, chosen);
		at->fps = folding_fps(f, at->cost.cycles);
		if (front->count && at->cost.lut >= at[-1].cost.lut)
			continue;
		front->count++;
		csv_row(f, chosen, at, csv);
	}
	progress_tell(d, "pareto", 1);
	free(cycles);
	free(chosen);
}

enum { WIDTH = 640, HEIGHT = 400, LEFT = 70, BOTTOM = 50, MARGIN = 20 };

/* Where x lies on a logarithmic axis from lo to hi, in 0..1. */
static double place(double x, double lo, double hi)
{
	return hi > lo ? (log10(x) - log10(lo)) / (log10(hi) - log10(lo)) : 0.5;
}

static double x_of(double fps, const struct front *front)
{
	return LEFT + place(fps, front->points[front->count - 1].fps, front->points[0].fps) * (WIDTH - LEFT - MARGIN);
}

static double y_of(double lut, const struct front *front)
{
	double lo = (double)front->points[front->count - 1].cost.lut, hi = (double)front->points[0].cost.lut;
	return HEIGHT - BOTTOM - place(lut, lo, hi) * (HEIGHT - BOTTOM - MARGIN);
}

/* Lines and labels at the powers of ten. */
static void svg_axes(const struct front *front, struct strbuf *svg)
{
	double slow = front->points[front->count - 1].fps, fast = front->points[0].fps;
	double small = (double)front->points[front->count - 1].cost.lut, large = (double)front->points[0].cost.lut;
	for (double t = pow(10, ceil(log10(slow))); t <= fast; t *= 10)
		strbuf_printf(
			svg,
			"<path d='M%.1f %d V%d' stroke='#ddd'/><text x='%.1f' y='%d' text-anchor='middle'>%.0e</text>\n",
			x_of(t, front), MARGIN, HEIGHT - BOTTOM, x_of(t, front), HEIGHT - BOTTOM + 16, t);
	for (double t = pow(10, ceil(log10(small))); t <= large; t *= 10)
		strbuf_printf(
			svg,
			"<path d='M%d %.1f H%d' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end'>%.0e</text>\n",
			LEFT, y_of(t, front), WIDTH - MARGIN, LEFT - 6, y_of(t, front) + 4, t);
	strbuf_printf(svg, "<text x='%d' y='%d' text-anchor='middle'>frames per second</text>\n", WIDTH / 2,
		      HEIGHT - 10);
	strbuf_printf(svg,
		      "<text x='14' y='%d' text-anchor='middle' transform='rotate(-90 14 %d)'>LUTs (estimate)</text>\n",
		      HEIGHT / 2, HEIGHT / 2);
}

static void svg_plot(const struct front *front, struct strbuf *svg)
{
	strbuf_printf(
		svg,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' font-size='12'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, HEIGHT);
	svg_axes(front, svg);
	strbuf_puts(svg, "<path fill='none' stroke='#06c' d='");
	for (size_t i = 0; i < front->count; i++)
		strbuf_printf(svg, "%c%.1f %.1f", i ? 'L' : 'M', x_of(front->points[i].fps, front),
			      y_of((double)front->points[i].cost.lut, front));
	strbuf_puts(svg, "'/>\n");
	for (size_t i = 0; i < front->count; i++) {
		const struct point *p = &front->points[i];
		strbuf_printf(svg,
			      "<circle cx='%.1f' cy='%.1f' r='3' fill='#06c'><title>%lld cycles, %.0f fps, %lld LUT, "
			      "%lld RAMB18</title></circle>\n",
			      x_of(p->fps, front), y_of((double)p->cost.lut, front), (long long)p->cost.cycles, p->fps,
			      (long long)p->cost.lut, (long long)p->cost.bram);
	}
	strbuf_puts(svg, "</svg>\n");
}

static int write_text(const char *path, const struct strbuf *text, struct diags *d)
{
	return file_write(path, strbuf_text(text), text->length, d);
}

int folding_pareto(const struct folding *f, const struct folding_rules *rules, const char *path, struct diags *d)
{
	struct strbuf csv = { 0 }, svg = { 0 }, plot = { 0 };
	struct front front = { 0 };
	const char *end = strrchr(path, '.');
	csv_head(f, &csv);
	walk(f, rules, &front, &csv, d);
	int result = write_text(path, &csv, d);
	if (result == 0 && front.count) {
		svg_plot(&front, &svg);
		strbuf_add(&plot, path, end && !strchr(end, '/') ? (size_t)(end - path) : strlen(path));
		strbuf_puts(&plot, ".svg");
		result = write_text(strbuf_text(&plot), &svg, d);
	}
	free(front.points);
	strbuf_free(&csv);
	strbuf_free(&svg);
	strbuf_free(&plot);
	return result;
}

/* The history of a training run as a table and as two pictures. */
#include <math.h>
#include <stdlib.h>

#include "train/trainer.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { WIDTH = 640, HEIGHT = 400, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 50 };

static int write_file(const char *dir, const char *name, struct strbuf *text, struct diags *d)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/%s", dir, name);
	int status = file_write(path.text, text->text, text->length, d);
	strbuf_free(&path);
	strbuf_free(text);
	return status;
}

static int write_table(const struct trainer *t, const char *dir, struct diags *d)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds\n");
	for (size_t i = 0; i < t->history.count; i++) {
		const struct epoch_figures *f = &t->history.items[i];
		strbuf_printf(&b, "%zu,%.9g,%.9g,%.9g,%.9g,%.9g,%.6g\n", i + 1, f->train_loss, f->train_accuracy,
			      f->val_loss, f->val_accuracy, f->rate, f->seconds);
	}
	return write_file(dir, "history.csv", &b, d);
}

/* ---- pictures ---- */

struct chart {
	const struct trainer *t;
	const char *title;
	double (*of_train)(const struct epoch_figures *f), (*of_val)(const struct epoch_figures *f);
	double lo, hi;
};

static double train_loss(const struct epoch_figures *f)
{
	return f->train_loss;
}
static double val_loss(const struct epoch_figures *f)
{
	return f->val_loss;
}
static double train_accuracy(const struct epoch_figures *f)
{
	return f->train_accuracy;
}
static double val_accuracy(const struct epoch_figures *f)
{
	return f->val_accuracy;
}

static void find_range(struct chart *c)
{
	c->lo = INFINITY;
	c->hi = -INFINITY;
	for (size_t i = 0; i < c->t->history.count; i++) {
		double both[] = { c->of_train(&c->t->history.items[i]), c->of_val(&c->t->history.items[i]) };
		for (int k = 0; k < 2; k++)
			if (isfinite(both[k])) {
				c->lo = fmin(c->lo, both[k]);
				c->hi = fmax(c->hi, both[k]);
			}
	}
	if (!(c->hi > c->lo)) {
		c->lo -= 0.5;
		c->hi += 0.5;
	}
}

static double x_of(const struct chart *c, double epoch)
{
	double n = (double)(c->t->history.count > 1 ? c->t->history.count - 1 : 1);
	return LEFT + (epoch - 1) / n * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *c, double value)
{
	return HEIGHT - BOTTOM - (value - c->lo) / (c->hi - c->lo) * (HEIGHT - TOP - BOTTOM);
}

static void add_line(struct strbuf *b, const struct chart *c, double (*of)(const struct epoch_figures *f),
		     const char *colour, const char *name, int place)
{
	strbuf_printf(b, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
	for (size_t i = 0; i < c->t->history.count; i++) {
		double y = of(&c->t->history.items[i]);
		if (isfinite(y))
			strbuf_printf(b, "%.1f,%.1f ", x_of(c, (double)i + 1), y_of(c, y));
	}
	strbuf_printf(b, "\"/>\n<text x=\"%d\" y=\"24\" fill=\"%s\">%s</text>\n", WIDTH - RIGHT - 200 + 100 * place,
		      colour, name);
}

static void add_axes(struct strbuf *b, const struct chart *c)
{
	enum { STEPS = 5 };
	for (int i = 0; i <= STEPS; i++) {
		double value = c->lo + (c->hi - c->lo) * i / STEPS, y = y_of(c, value);
		strbuf_printf(b, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", LEFT,
			      WIDTH - RIGHT, y, y);
		strbuf_printf(b, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n", LEFT - 8, y + 4, value);
	}
	size_t n = c->t->history.count, step = n / 10 + 1;
	for (size_t i = 0; i < n; i += step)
		strbuf_printf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%zu</text>\n",
			      x_of(c, (double)i + 1), HEIGHT - BOTTOM + 20, i + 1);
	strbuf_printf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n", (LEFT + WIDTH - RIGHT) / 2,
		      HEIGHT - 10);
}

static int write_chart(struct chart *c, const char *dir, const char *name, struct diags *d)
{
	struct strbuf b = { 0 };
	find_range(c);
	strbuf_printf(&b,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
		      "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		      "<text x=\"%d\" y=\"24\" font-size=\"16\">%s</text>\n",
		      WIDTH, HEIGHT, LEFT, c->title);
	add_axes(&b, c);
	add_line(&b, c, c->of_train, "#0b62a4", "training", 0);
	if (c->t->n_val)
		add_line(&b, c, c->of_val, "#d2691e", "validation", 1);
	strbuf_puts(&b, "</svg>\n");
	return write_file(dir, name, &b, d);
}

int history_write(const struct trainer *t, const char *dir, struct diags *d)
{
	struct chart loss = { t, "Loss", train_loss, val_loss, 0, 0 };
	struct chart accuracy = { t, "Accuracy", train_accuracy, val_accuracy, 0, 0 };
	if (write_table(t, dir, d) < 0 || write_chart(&loss, dir, "loss.svg", d) < 0)
		return -1;
	return write_chart(&accuracy, dir, "accuracy.svg", d);
}

/* Adam (Kingma and Ba 2014), AdamW (Loshchilov and Hutter 2017), schedules (see optimiser.h). */
#include "train/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

/* ---- schedules ---- */

static const char *const names[] = { "constant", "cosine", "step", "restarts" };

static bool take_numbers(const char *p, struct schedule *s)
{
	double *const places[] = { &s->period, &s->factor };
	for (int i = 0; *p != ')'; p += *p == ',') {
		bool warm_up = !strncmp(p, "warmup=", 7);
		char *end;
		double x = strtod(warm_up ? p + 7 : p, &end);
		if (end == p || (*end != ',' && *end != ')') || !(x >= 0) || (!warm_up && (i > 1 || x <= 0)))
			return false;
		if (warm_up)
			s->warm_up = x;
		else
			*places[i++] = x;
		p = end;
	}
	return p[1] == '\0';
}

bool schedule_parse(const char *text, struct schedule *s)
{
	size_t n = strcspn(text, "(");
	*s = (struct schedule){ .period = 10 };
	for (int i = 0; i < 4; i++)
		if (strlen(names[i]) == n && !strncmp(names[i], text, n)) {
			s->kind = (enum schedule_kind)i;
			s->factor = s->kind == SCHEDULE_STEP ? 0.1 : 1;
			return !text[n] || take_numbers(text + n + 1, s);
		}
	return false;
}

static double half_cosine(double share)
{
	return 0.5 * (1 + cos(acos(-1) * (share < 1 ? share : 1)));
}

double schedule_factor(const struct schedule *s, double at, double epochs)
{
	double period = s->period, start = 0, warm = s->warm_up > 0 && at < s->warm_up ? at / s->warm_up : 1;
	switch (s->kind) {
	case SCHEDULE_COSINE: return warm * half_cosine(at / epochs);
	case SCHEDULE_STEP: return warm * pow(s->factor, floor(at / period));
	case SCHEDULE_RESTARTS:
		while (at >= start + period && period > 1e-3) {
			start += period;
			period *= s->factor;
		}
		return warm * half_cosine((at - start) / period);
	default: return warm;
	}
}

/* ---- a step ---- */

struct work {
	const struct optimiser *o;
	struct net *net;
	double rate;
	float c1, c2;
	struct param **params;
	int64_t *first; /* of each block; the param in params */
	int64_t count;
};

static void step_block(void *user, int64_t i, int worker)
{
	const struct work *w = user;
	const struct optimiser *o = w->o;
	struct param *p = w->params[i];
	int64_t at = w->first[i], n = p->count - at < BLOCK ? p->count - at : BLOCK;
	double decay = p->decays ? o->decay : 0;
	float *g = p->grad + at, *value = p->value + at;
	(void)worker;
	if (decay > 0 && !o->decoupled)
		for (int64_t k = 0; k < n; k++)
			g[k] += (float)decay * value[k];
	w->net->kernels->adam(value, p->m + at, p->v + at, g, (float)w->rate, (float)o->beta1, (float)o->beta2, w->c1,
			      w->c2, (float)o->epsilon, (float)(o->decoupled ? w->rate * decay : 0), n);
	for (int64_t k = 0; k < n && p->least > -INFINITY; k++)
		value[k] = value[k] > p->least ? value[k] : p->least;
}

void optimiser_step(const struct optimiser *o, struct net *n, double rate, uint64_t step)
{
	struct work w = { .o = o,
			  .net = n,
			  .rate = rate,
			  .c1 = (float)(1 / (1 - pow(o->beta1, (double)step))),
			  .c2 = (float)(1 / (1 - pow(o->beta2, (double)step))) };
	size_t layer = 0;
	int index = 0;
	for (struct param *p; (p = net_next_param(n, &layer, &index));)
		w.count += (p->count + BLOCK - 1) / BLOCK;
	w.params = xcalloc((size_t)w.count + 1, sizeof *w.params);
	w.first = xcalloc((size_t)w.count + 1, sizeof *w.first);
	layer = 0;
	index = 0;
	w.count = 0;
	for (struct param *p; (p = net_next_param(n, &layer, &index));)
		for (int64_t i = 0; i < p->count && !p->frozen; i += BLOCK) {
			w.params[w.count] = p;
			w.first[w.count++] = i;
		}
	crew_run(n->crew, w.count, step_block, &w);
	free(w.params);
	free(w.first);
}

/* Residual sums of branches with different scales. The two scales are real numbers without a small common measure,
 * but only finitely many pairs of integers can occur, and a quantiser behind them distinguishes only finitely many
 * sums. A nearby ratio of small integers usually gives the same decision for every pair, which is checked, not
 * assumed. */
#include "passes/rules/ratio.h"

#include <math.h>
#include <stdlib.h>

#include "passes/quant_grid.h"

enum {
	MOST_PAIRS = 1 << 16,
	LARGEST_TERM = 1 << 14,
	MOST_QUANTISERS = 8,
	FLOAT_COUNTS_TO = 1 << 24,
};

/* A quantiser behind the sum with the chain between. */
struct reader {
	struct chain chain;
	struct quant_grid grid;
	int64_t *levels; /* of the original sum: [pair * channels + c] */
};

struct pairs {
	int64_t lo[2], hi[2], count;
	double sign; /* of the second operand */
};

/* ---- who reads the sum ---- */

static bool add_reader(struct reader *readers, size_t *count, struct node *quantiser, struct value *sum)
{
	struct reader *r = &readers[*count];
	const char *reason;
	if (*count == MOST_QUANTISERS || !quant_grid_of(quantiser, &r->grid, &reason))
		return false;
	chain_of(node_input(quantiser, 0), &r->chain);
	(*count)++;
	if (r->chain.root != sum)
		return false;
	chain_push(&r->chain, quantiser);
	return !r->grid.scales || r->grid.scales->count == r->chain.channels;
}

/* Follows v through element-wise nodes; false where anything else than a quantiser is at the end. */
static bool find_readers(struct value *v, struct value *sum, struct reader *readers, size_t *count)
{
	value_for_each_use (v, u) {
		struct node *n = u->user;
		if (!n || elementwise_data(n) != (int)u->index)
			return false;
		bool found = n->op->flags & OP_QUANTISER ? add_reader(readers, count, n, sum)
							 : find_readers(n->outputs[0], sum, readers, count);
		if (!found)
			return false;
	}
	return v->uses != NULL;
}

/* ---- levels over all pairs ---- */

static void pair_at(const struct pairs *p, int64_t i, double q[2])
{
	int64_t width = p->hi[1] - p->lo[1] + 1;
	q[0] = (double)(p->lo[0] + i / width);
	q[1] = (double)(p->lo[1] + i % width);
}

static bool evaluate(const struct reader *r, const double *sums, int64_t count, int64_t *levels, struct diags *d)
{
	int64_t channels = r->chain.channels, total = count * channels;
	double *x = xcalloc(2 * (size_t)total, sizeof *x), *y = x + total;
	for (int64_t i = 0; i < total; i++)
		x[i] = sums[i / channels];
	bool done = chain_eval(&r->chain, x, y, count, false, d) == 0;
	for (int64_t i = 0; i < total && done; i++)
		levels[i] = quant_grid_level(&r->grid, i % channels, y[i]);
	free(x);
	return done;
}

/* The sum as float32 arithmetic computes it in the graph as it stands. */
static void original_sums(const struct pairs *p, const struct affine *a, const struct affine *b, double *sums)
{
	for (int64_t i = 0; i < p->count; i++) {
		double q[2];
		pair_at(p, i, q);
		float left = (float)(a->scale[0] * q[0]) + (float)a->bias[0];
		float right = (float)(b->scale[0] * q[1]) + (float)b->bias[0];
		sums[i] = (double)(p->sign < 0 ? left - right : left + right);
	}
}

/* The sum as it will be: one Mul and one Add behind the integer. */
static void new_sums(const struct pairs *p, const double m[2], double common, double bias, double *sums)
{
	for (int64_t i = 0; i < p->count; i++) {
		double q[2];
		pair_at(p, i, q);
		float integer = (float)(m[0] * q[0] + p->sign * m[1] * q[1]);
		float scaled = integer * (float)common;
		sums[i] = (double)(scaled + (float)bias);
	}
}

static bool decides_alike(const struct reader *readers, size_t count, const double *sums, int64_t pairs,
			  struct diags *d)
{
	bool alike = true;
	for (size_t k = 0; k < count && alike; k++) {
		int64_t total = pairs * readers[k].chain.channels;
		int64_t *levels = xcalloc((size_t)total, sizeof *levels);
		alike = evaluate(&readers[k], sums, pairs, levels, d);
		for (int64_t i = 0; i < total && alike; i++)
			alike = levels[i] == readers[k].levels[i];
		free(levels);
	}
	return alike;
}

/* ---- ratios, from coarse to fine ---- */

/* Convergents of |sa / sb| by continued fractions, each tried with its intermediate fractions left out. */
static bool search(const struct reader *readers, size_t count, const struct pairs *p, const struct affine *a,
		   const struct affine *b, double bias, double m[2], double *common, struct diags *d)
{
	double *sums = xcalloc((size_t)p->count, sizeof *sums);
	double ratio = fabs(a->scale[0] / b->scale[0]), rest = ratio;
	double h0 = 0, h1 = 1, k0 = 1, k1 = 0;
	bool found = false;
	for (int step = 0; step < 24 && !found; step++) {
		double whole = floor(rest), h2 = whole * h1 + h0, k2 = whole * k1 + k0;
		if (h2 > LARGEST_TERM || k2 > LARGEST_TERM)
			break;
		if (h2 > 0 && k2 > 0) {
			double tried[2] = { copysign(h2, a->scale[0]), copysign(k2, b->scale[0]) };
			double unit = (fabs(a->scale[0]) + fabs(b->scale[0])) / (h2 + k2);
			new_sums(p, tried, unit, bias, sums);
			found = decides_alike(readers, count, sums, p->count, d);
			if (found) {
				m[0] = tried[0];
				m[1] = tried[1];
				*common = unit;
			}
		}
		h0 = h1, h1 = h2, k0 = k1, k1 = k2;
		if (rest - whole < 1e-9)
			break;
		rest = 1 / (rest - whole);
	}
	free(sums);
	return found;
}

static bool pairs_of(struct rule_ctx *x, const struct node *n, const struct affine *a, const struct affine *b,
		     struct pairs *p)
{
	const struct range *ra = range_of(x->graph, a->root), *rb = range_of(x->graph, b->root);
	if (!ra || !rb || ra->hi - ra->lo >= MOST_PAIRS || rb->hi - rb->lo >= MOST_PAIRS)
		return false;
	*p = (struct pairs){ { ra->lo, rb->lo }, { ra->hi, rb->hi }, 0, n->op == &op_Sub ? -1 : 1 };
	p->count = (ra->hi - ra->lo + 1) * (rb->hi - rb->lo + 1);
	return p->count <= MOST_PAIRS;
}

bool ratio_proven(struct rule_ctx *x, struct node *n, const struct affine *a, const struct affine *b, double m[2],
		  double *common)
{
	struct reader readers[MOST_QUANTISERS] = { { .levels = NULL } };
	struct pairs p;
	size_t count = 0;
	bool found = a->channels == 1 && b->channels == 1 && pairs_of(x, n, a, b, &p) &&
		     find_readers(n->outputs[0], n->outputs[0], readers, &count);
	if (found) {
		double *sums = xcalloc((size_t)p.count, sizeof *sums);
		original_sums(&p, a, b, sums);
		for (size_t k = 0; k < count && found; k++) {
			readers[k].levels = xcalloc((size_t)(p.count * readers[k].chain.channels), sizeof(int64_t));
			found = evaluate(&readers[k], sums, p.count, readers[k].levels, x->diags);
		}
		free(sums);
	}
	found = found && search(readers, count, &p, a, b, a->bias[0] + p.sign * b->bias[0], m, common, x->diags);
	for (size_t k = 0; k < count; k++) {
		chain_free(&readers[k].chain);
		free(readers[k].levels);
	}
	return found;
}

/* ---- sums that float32 counts ---- */

static double magnitude(const struct range *r)
{
	return fmax(fabs((double)r->lo), fabs((double)r->hi));
}

/* Convergents of the ratio by continued fractions: the last one, with the signs of s, whose sum stays below the limit. */
static bool nearest_counting(const double s[2], const double largest[2], double m[2])
{
	double rest = fabs(s[0] / s[1]), h0 = 0, h1 = 1, k0 = 1, k1 = 0;
	bool found = false;
	for (int step = 0; step < 40 && isfinite(rest); step++) {
		double whole = floor(rest), h2 = whole * h1 + h0, k2 = whole * k1 + k0;
		if (h2 * largest[0] + k2 * largest[1] > FLOAT_COUNTS_TO)
			break;
		h0 = h1, h1 = h2, k0 = k1, k1 = k2;
		if (h2 > 0 && k2 > 0) {
			m[0] = copysign(h2, s[0]);
			m[1] = copysign(k2, s[1]);
			found = true;
		}
		rest = 1 / (rest - whole);
	}
	return found;
}

bool ratio_counts(struct rule_ctx *x, const struct affine *a, const struct affine *b, const double s[2], double m[2],
		  double *common)
{
	const struct range *ra = range_of(x->graph, a->root), *rb = range_of(x->graph, b->root);
	if (!ra || !rb)
		return false;
	double largest[2] = { magnitude(ra), magnitude(rb) };
	if (fabs(m[0]) * largest[0] + fabs(m[1]) * largest[1] <= FLOAT_COUNTS_TO)
		return true;
	if (s[0] == 0 || s[1] == 0 || !nearest_counting(s, largest, m))
		return false;
	*common = (fabs(s[0]) + fabs(s[1])) / (fabs(m[0]) + fabs(m[1]));
	return fabs(*common * m[0] - s[0]) <= 0x1p-24 * fabs(s[0]) &&
	       fabs(*common * m[1] - s[1]) <= 0x1p-24 * fabs(s[1]);
}

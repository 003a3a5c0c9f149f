/* Accuracy, confusion, precision, recall, F1 and the area under the ROC curve (see metrics.h). */
#include "data/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

/* ---- decisions ---- */

static int32_t largest(const struct tensor *t, int64_t start, int64_t n)
{
	int64_t best = 0;
	for (int64_t i = 1; i < n; i++)
		if (tensor_at(t, start + i) > tensor_at(t, start + best))
			best = i;
	return (int32_t)best;
}

static void decide_two(struct decisions *x, const struct tensor *t, double middle)
{
	x->score_columns = 1;
	x->scores = xcalloc((size_t)x->rows + 1, sizeof *x->scores);
	for (int64_t r = 0; r < x->rows; r++) {
		x->scores[r] = tensor_at(t, r);
		x->chosen[r] = x->scores[r] >= middle;
	}
}

static void decide_many(struct decisions *x, const struct tensor *t, int64_t columns)
{
	x->score_columns = x->classes;
	x->scores = xcalloc((size_t)(x->rows * x->classes) + 1, sizeof *x->scores);
	for (int64_t r = 0; r < x->rows; r++) {
		x->chosen[r] = largest(t, r * columns, columns);
		for (int64_t c = 0; c < x->classes; c++)
			x->scores[r * x->classes + c] = c < columns ? tensor_at(t, r * columns + c) : -INFINITY;
	}
}

/* The first of the indices. */
static void take_indices(struct decisions *x, const struct tensor *t, int64_t columns)
{
	for (int64_t r = 0; r < x->rows; r++) {
		x->chosen[r] = (int32_t)tensor_int_at(t, r * columns);
		if (x->chosen[r] >= x->classes)
			x->classes = x->chosen[r] + 1;
	}
}

void decide(struct decisions *x, const struct tensor *t, int64_t rows, int64_t classes, double middle)
{
	int64_t columns = rows ? t->count / rows : 1;
	*x = (struct decisions){ .rows = rows, .classes = classes };
	x->chosen = xcalloc((size_t)rows + 1, sizeof *x->chosen);
	if (t->elem == ELEM_INT64) {
		take_indices(x, t, columns);
	} else if (columns == 1) {
		x->classes = classes > 2 ? classes : 2;
		decide_two(x, t, middle);
	} else {
		x->classes = classes > columns ? classes : columns;
		decide_many(x, t, columns);
	}
}

void decisions_free(struct decisions *x)
{
	free(x->chosen);
	free(x->scores);
	*x = (struct decisions){ 0 };
}

/* ---- the area under the ROC curve ---- */

struct scored {
	double score;
	int positive;
};

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	return x->score < y->score ? -1 : x->score > y->score;
}

/* The chance that a positive scores above a negative, ties counting half (Mann and Whitney's statistic). */
static double area(struct scored *s, int64_t n)
{
	double rank_sum = 0, positives = 0;
	qsort(s, (size_t)n, sizeof *s, by_score);
	for (int64_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && s[end].score == s[i].score; end++) {
		}
		double rank = (double)(i + end + 1) / 2; /* ranks count from 1; ties share their mean */
		for (int64_t k = i; k < end; k++)
			if (s[k].positive) {
				rank_sum += rank;
				positives++;
			}
	}
	double negatives = (double)n - positives;
	return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

static double area_of_class(const struct decisions *x, const int32_t *labels, int64_t class, int64_t columns)
{
	struct scored *s = xcalloc((size_t)x->rows + 1, sizeof *s);
	for (int64_t r = 0; r < x->rows; r++) {
		double score = x->scores[columns == 1 ? r : r * columns + class];
		s[r] = (struct scored){ score, labels[r] == class };
	}
	double a = area(s, x->rows);
	free(s);
	return a;
}

static double mean_area(const struct decisions *x, const int32_t *labels)
{
	double sum = 0;
	int64_t count = 0;
	if (!x->scores || (x->score_columns == 1 && x->classes > 2))
		return NAN;
	if (x->classes == 2)
		return area_of_class(x, labels, 1, x->score_columns);
	for (int64_t c = 0; c < x->classes; c++) {
		double a = area_of_class(x, labels, c, x->score_columns);
		if (!isnan(a)) {
			sum += a;
			count++;
		}
	}
	return count ? sum / (double)count : NAN;
}

/* ---- the rest ---- */

void metrics_compute(struct metrics *m, const struct decisions *x, const int32_t *labels)
{
	*m = (struct metrics){ .rows = x->rows, .classes = x->classes };
	m->confusion = xcalloc((size_t)(m->classes * m->classes), sizeof *m->confusion);
	for (int64_t r = 0; r < m->rows; r++) {
		m->confusion[labels[r] * m->classes + x->chosen[r]]++;
		m->right += labels[r] == x->chosen[r];
	}
	m->auc = mean_area(x, labels);
}

void metrics_free(struct metrics *m)
{
	free(m->confusion);
	*m = (struct metrics){ 0 };
}

static double sum(const struct metrics *m, int64_t class, bool of_column)
{
	int64_t total = 0;
	for (int64_t i = 0; i < m->classes; i++)
		total += of_column ? m->confusion[i * m->classes + class] : m->confusion[class * m->classes + i];
	return (double)total;
}

double metrics_precision(const struct metrics *m, int64_t class)
{
	return (double)m->confusion[class * m->classes + class] / sum(m, class, true);
}

double metrics_recall(const struct metrics *m, int64_t class)
{
	return (double)m->confusion[class * m->classes + class] / sum(m, class, false);
}

double metrics_f1(const struct metrics *m, int64_t class)
{
	return 2 * (double)m->confusion[class * m->classes + class] / (sum(m, class, true) + sum(m, class, false));
}

double metrics_mean(const struct metrics *m, double (*of)(const struct metrics *m, int64_t class))
{
	double total = 0;
	int64_t count = 0;
	if (m->classes == 2)
		return of(m, 1);
	for (int64_t c = 0; c < m->classes; c++) {
		double x = of(m, c);
		if (!isnan(x)) {
			total += x;
			count++;
		}
	}
	return count ? total / (double)count : NAN;
}

static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

json_t *metrics_json(const struct metrics *m)
{
	json_t *j = json_object(), *confusion = json_array();
	json_object_set_new(j, "rows", json_integer(m->rows));
	json_object_set_new(j, "right", json_integer(m->right));
	json_object_set_new(j, "accuracy", number((double)m->right / (double)m->rows));
	json_object_set_new(j, "precision", number(metrics_mean(m, metrics_precision)));
	json_object_set_new(j, "recall", number(metrics_mean(m, metrics_recall)));
	json_object_set_new(j, "f1", number(metrics_mean(m, metrics_f1)));
	json_object_set_new(j, "auc", number(m->auc));
	for (int64_t r = 0; r < m->classes; r++) {
		json_t *row = json_array();
		for (int64_t c = 0; c < m->classes; c++)
			json_array_append_new(row, json_integer(m->confusion[r * m->classes + c]));
		json_array_append_new(confusion, row);
	}
	json_object_set_new(j, "confusion", confusion);
	return j;
}

/* Execution before and after each pass. The outputs after one pass are the reference of the next, so that a drift is
 * charged to the pass that caused it and each graph is executed once. */
#include "pipeline/verifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/execute.h"
#include "pipeline/feed.h"
#include "util/arena.h"

enum { SEED = 20240607, DEFAULT_SAMPLES = 16 };
static const double RELATIVE = 1e-5;

/* An input as the network declared it when the reference was made. */
struct face {
	char *name;
	struct datatype datatype;
	uint8_t elem;
	int8_t rank;
	int64_t dims[MAX_RANK];
};

struct verifier {
	int64_t samples;
	struct face *faces;
	size_t n_inputs, n_outputs;
	struct tensor **inputs, **outputs;
};

static void forget_tensors(struct tensor **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tensor_unref(list[i]);
	free(list);
}

static void forget_inputs(struct verifier *v)
{
	forget_tensors(v->inputs, v->n_inputs);
	for (size_t i = 0; i < v->n_inputs; i++)
		free(v->faces[i].name);
	free(v->faces);
	v->inputs = NULL;
	v->faces = NULL;
	v->n_inputs = 0;
}

static void forget_outputs(struct verifier *v)
{
	forget_tensors(v->outputs, v->n_outputs);
	v->outputs = NULL;
	v->n_outputs = 0;
}

void verifier_free(struct verifier *v)
{
	if (!v)
		return;
	forget_inputs(v);
	forget_outputs(v);
	free(v);
}

/* ---- inputs ---- */

static struct face face_of(const struct value *input)
{
	struct face f = {
		.name = xstrdup(input->name), .datatype = input->datatype, .elem = input->elem, .rank = input->rank
	};
	if (f.rank > 0)
		memcpy(f.dims, input->dims, (size_t)f.rank * sizeof *f.dims);
	return f;
}

static bool same_face(const struct face *f, const struct value *input)
{
	return !strcmp(f->name, input->name) && f->elem == input->elem && f->rank == input->rank &&
	       datatype_equal(f->datatype, input->datatype) &&
	       (f->rank <= 0 || !memcmp(f->dims, input->dims, (size_t)f->rank * sizeof *f->dims));
}

static bool same_interface(const struct verifier *v, const struct graph *g)
{
	struct feed now;
	feed_init(&now, g);
	bool same = now.count == v->n_inputs && g->n_outputs == v->n_outputs;
	for (size_t i = 0; same && i < now.count; i++)
		same = same_face(&v->faces[i], now.inputs[i]);
	feed_free(&now);
	return same;
}

static bool allows_all(const struct value *input, const struct tensor *t)
{
	if (input->elem != t->elem || input->rank != t->rank)
		return false;
	for (int k = 1; k < t->rank; k++)
		if (input->dims[k] != t->dims[k])
			return false;
	for (int64_t i = 0; input->datatype.kind != DT_NONE && i < t->count; i++)
		if (!datatype_allows(input->datatype, tensor_at(t, i)))
			return false;
	return true;
}

/* A pass that only says more about the inputs (set-datatype) may leave the samples valid. */
static bool samples_still_valid(const struct verifier *v, const struct graph *g)
{
	struct feed now;
	feed_init(&now, g);
	bool valid = now.count == v->n_inputs && g->n_outputs == v->n_outputs;
	for (size_t i = 0; valid && i < now.count; i++)
		valid = allows_all(now.inputs[i], v->inputs[i]);
	feed_free(&now);
	return valid;
}

/* Takes the feed's tensors over. */
static void keep_inputs(struct verifier *v, struct feed *f)
{
	forget_inputs(v);
	v->n_inputs = f->count;
	v->faces = xcalloc(f->count, sizeof *v->faces);
	for (size_t i = 0; i < f->count; i++)
		v->faces[i] = face_of(f->inputs[i]);
	v->inputs = f->tensors;
	f->tensors = NULL;
	f->count = 0;
	feed_free(f);
}

static int make_inputs(struct verifier *v, const struct graph *g, const char *file, struct diags *d)
{
	struct feed f;
	feed_init(&f, g);
	int status = file ? feed_read(&f, file, d) : 0;
	if (status == 0)
		status = file ? feed_complete(&f, d) : feed_generate(&f, v->samples, SEED, d);
	if (status < 0)
		feed_free(&f);
	else
		keep_inputs(v, &f);
	return status;
}

/* ---- comparing ---- */

static bool fits(const struct tensor *a, const struct tensor *b)
{
	return a->rank == b->rank && a->count == b->count &&
	       (a->rank == 0 || !memcmp(a->dims, b->dims, a->rank * sizeof *a->dims));
}

/* Largest magnitude: what rounding errors of sums are measured against near zero. */
static double magnitude(const struct tensor *t)
{
	double lo = 0, hi = 0;
	if (t->count)
		tensor_min_max(t, &lo, &hi);
	return fmax(fabs(lo), fabs(hi));
}

static bool close_enough(double a, double b, double slack)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	return a == b || fabs(a - b) <= RELATIVE * fmax(fabs(a), fabs(b)) + slack;
}

static int mismatch(const char *name, int64_t i, double was, double is, struct diags *d)
{
	return diag_error(d, "run the passes one by one with --dump-after to see what it did",
			  "changes output '%s': element %lld was %.9g and is %.9g", name, (long long)i, was, is);
}

static int compare_elements(const char *name, const struct tensor *was, const struct tensor *is, bool exact,
			    struct diags *d)
{
	double slack = exact ? 0 : 0.1 * RELATIVE * magnitude(was);
	for (int64_t i = 0; i < was->count; i++) {
		double a = tensor_at(was, i), b = tensor_at(is, i);
		if (exact ? a != b : !close_enough(a, b, slack))
			return mismatch(name, i, a, b, d);
	}
	return 0;
}

static int64_t argmax(const struct tensor *t, int64_t start, int64_t n)
{
	int64_t best = start;
	for (int64_t i = start + 1; i < start + n; i++)
		if (tensor_at(t, i) > tensor_at(t, best))
			best = i;
	return best;
}

/* The decision of each row (last axis). Where the reference itself has two largest elements that differ by
 * rounding alone there is no decision to keep. */
static int compare_decisions(const char *name, const struct tensor *was, const struct tensor *is, struct diags *d)
{
	int64_t n = was->rank == 2 ? was->dims[1] : 0;
	for (int64_t row = 0; n > 1 && row < was->count; row += n) {
		int64_t a = argmax(was, row, n), b = argmax(is, row, n);
		double top = tensor_at(was, a), other = tensor_at(was, b);
		if (a != b && fabs(top - other) > 1e-6 * fmax(fabs(top), fabs(other)))
			return diag_error(
				d, NULL,
				"changes output '%s': the largest of row %lld was element %lld (%.9g) and is %lld (%.9g)",
				name, (long long)(row / n), (long long)(a - row), top, (long long)(b - row),
				tensor_at(is, b));
	}
	return 0;
}

static int compare(const struct graph *g, size_t i, const struct tensor *was, const struct tensor *is, struct diags *d)
{
	const char *name = g->output_names[i];
	if (!fits(was, is))
		return diag_error(d, NULL, "changes the shape of output '%s'", name);
	bool exact = tensor_is_integral(was) &&
		     (!elem_is_float(was->elem) || datatype_is_integer(g->outputs[i].value->datatype));
	if (compare_elements(name, was, is, exact, d) < 0)
		return -1;
	return exact ? 0 : compare_decisions(name, was, is, d);
}

/* ---- the steps ---- */

/* New outputs; NULL with diagnostics. */
static struct tensor **execute(const struct verifier *v, const struct graph *g, struct diags *d)
{
	struct tensor **outputs = xcalloc(g->n_outputs, sizeof(struct tensor *));
	if (execute_any(g, v->inputs, outputs, d) == 0)
		return outputs;
	forget_tensors(outputs, g->n_outputs);
	return NULL;
}

static int set_reference(struct verifier *v, const struct graph *g, struct tensor **outputs)
{
	forget_outputs(v);
	v->outputs = outputs;
	v->n_outputs = outputs ? g->n_outputs : 0;
	return outputs ? 0 : -1;
}

/* After a pass that changes the interface: the samples in the file fit no longer, so some are generated. */
static int start_again(struct verifier *v, const struct graph *g, bool same_inputs, struct diags *d)
{
	diag_note(d, DIAG_NOTE, NULL, NULL, "changes the network's %s on purpose: this step is not compared",
		  same_inputs ? "outputs" : "interface");
	if (!same_inputs && make_inputs(v, g, NULL, d) < 0)
		return -1;
	return set_reference(v, g, execute(v, g, d));
}

int verifier_check(struct verifier *v, const struct graph *g, bool changes_function, struct diags *d)
{
	bool same = same_interface(v, g) || samples_still_valid(v, g);
	if (!same || changes_function)
		return start_again(v, g, same, d);
	struct tensor **outputs = execute(v, g, d);
	int status = outputs ? 0 : -1;
	for (size_t i = 0; status == 0 && i < v->n_outputs; i++)
		status = compare(g, i, v->outputs[i], outputs[i], d);
	if (status < 0 && outputs) {
		forget_tensors(outputs, g->n_outputs);
		return -1;
	}
	return set_reference(v, g, outputs);
}

struct verifier *verifier_new(const struct graph *g, int64_t samples, const char *file, struct diags *d)
{
	struct verifier *v = xcalloc(1, sizeof *v);
	v->samples = samples > 0 ? samples : DEFAULT_SAMPLES;
	if (make_inputs(v, g, file, d) == 0 && set_reference(v, g, execute(v, g, d)) == 0)
		return v;
	verifier_free(v);
	return NULL;
}

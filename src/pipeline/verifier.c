/* Execution before and after each pass. The outputs after one pass are the reference of the next, so that a drift is
 * charged to the pass that caused it and each graph is executed once. */
#include "pipeline/verifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/decisions.h"
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
	struct verification result;
	struct graph *reference; /* what gave the outputs */
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
	graph_free(v->reference);
	v->reference = NULL;
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

static bool same_shape(const struct value *input, const struct tensor *t)
{
	if (input->elem != t->elem || (int)input->rank != (int)t->rank)
		return false;
	for (int k = 1; k < t->rank; k++)
		if (input->dims[k] != t->dims[k])
			return false;
	return true;
}

/* The first element that the input's datatype does not allow; -1: there is none. */
static int64_t first_forbidden(const struct value *input, const struct tensor *t)
{
	for (int64_t i = 0; input->datatype.kind != DT_NONE && t->elem != ELEM_STRING && i < t->count; i++)
		if (!datatype_allows(input->datatype, tensor_at(t, i)))
			return i;
	return -1;
}

/* Data that a user gave are not exchanged for others without a word. */
static int check_allowed(const struct value *input, const struct tensor *t, const char *file, struct diags *d)
{
	char name[DATATYPE_NAME_SIZE];
	int64_t i = first_forbidden(input, t);
	if (i < 0)
		return 0;
	return diag_error(d, "give data of that datatype, or declare the one that they have (set-datatype)",
			  "element %lld that '%s' has for input '%s' is %.9g, which %s does not allow", (long long)i,
			  file, input->name, tensor_at(t, i), datatype_name(input->datatype, name));
}

enum validity { VALID, OTHER_INTERFACE, FORBIDDEN };

/* A pass that only says more about the inputs (set-datatype) may leave the samples valid. FORBIDDEN, with a diagnostic:
 * they come from a file and are not what it says. */
static enum validity check_samples(const struct verifier *v, const struct graph *g, struct diags *d)
{
	struct feed now;
	feed_init(&now, g);
	bool fits = now.count == v->n_inputs && g->n_outputs == v->n_outputs;
	for (size_t i = 0; fits && i < now.count; i++)
		fits = same_shape(now.inputs[i], v->inputs[i]);
	enum validity result = fits ? VALID : OTHER_INTERFACE;
	for (size_t i = 0; result == VALID && i < now.count; i++) {
		if (first_forbidden(now.inputs[i], v->inputs[i]) < 0)
			continue;
		result = OTHER_INTERFACE;
		if (v->result.from_file && check_allowed(now.inputs[i], v->inputs[i], v->result.from_file, d) < 0)
			result = FORBIDDEN;
	}
	feed_free(&now);
	return result;
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
	for (size_t i = 0; file && status == 0 && i < f.count; i++)
		status = check_allowed(f.inputs[i], f.tensors[i], file, d);
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

static int compare_all(const struct graph *g, struct tensor *const *was, struct tensor *const *is, struct diags *d)
{
	for (size_t i = 0; i < g->n_outputs; i++)
		if (compare(g, i, was[i], is[i], d) < 0)
			return -1;
	return 0;
}

/* ---- what float32 cannot decide ---- */

/* Batches of the model that the samples are; 0 where inputs disagree. */
static int64_t count_batches(const struct verifier *v, const struct graph *g)
{
	struct feed f;
	feed_init(&f, g);
	int64_t batches = 1;
	for (size_t i = 0; i < f.count; i++) {
		const struct tensor *t = v->inputs[i];
		int64_t one = t->rank ? f.inputs[i]->dims[0] : 1, all = t->rank ? t->dims[0] : 1;
		int64_t its = one > 0 && all % one == 0 ? all / one : 1;
		batches = i == 0 || its == batches ? its : 0;
	}
	feed_free(&f);
	return batches;
}

static bool batch_follows(const struct graph *before, const struct graph *after, struct tensor *const *inputs,
			  struct decision_report *report)
{
	struct diags quiet = { 0 };
	struct tensor **was = xcalloc(before->n_outputs + 1u, sizeof(struct tensor *)),
		      **is = xcalloc(after->n_outputs + 1u, sizeof(struct tensor *));
	bool same = before->n_outputs == after->n_outputs &&
		    follow_decisions(before, after, inputs, was, is, report, &quiet) == 0 && !report->wrong &&
		    compare_all(after, was, is, &quiet) == 0;
	forget_tensors(was, before->n_outputs);
	forget_tensors(is, after->n_outputs);
	diags_free(&quiet);
	return same;
}

/* Whether `after` gives what `before` gives under the same decisions of quantisers, batch by batch. */
static bool all_batches_follow(const struct verifier *v, const struct graph *before, const struct graph *after,
			       struct decision_report *report)
{
	int64_t batches = count_batches(v, before);
	bool same = batches > 0;
	for (int64_t b = 0; b < batches && same; b++) {
		struct tensor **part = xcalloc(v->n_inputs + 1u, sizeof(struct tensor *));
		for (size_t i = 0; i < v->n_inputs; i++) {
			const struct tensor *t = v->inputs[i];
			int64_t rows = t->rank ? t->dims[0] / batches : 0;
			part[i] = t->rank ? tensor_rows(t, b * rows, rows) : tensor_ref(t);
		}
		same = batch_follows(before, after, part, report);
		forget_tensors(part, v->n_inputs);
	}
	return same;
}

static void note_undecidable(const struct decision_report *r, struct diags *d)
{
	diag_note(d, DIAG_NOTE, NULL, NULL,
		  "%lld decision%s of quantisers differ%s, first of '%s': undecidable in float32 (distance %.1g)",
		  (long long)r->undecidable, r->undecidable == 1 ? "" : "s", r->undecidable == 1 ? "s" : "",
		  r->quantiser, r->distance);
}

/* The outputs differ. 0 where that is because numbers lie on the boundary of a quantiser's levels, as near as float32
 * can tell; a note says how many. -1 where it is not; the note then names the first decision that is wrong. */
static int explain(const struct verifier *v, const struct graph *g, struct diags *d)
{
	struct diags quiet = { 0 };
	struct decision_report report = { 0 };
	struct graph *before = graph_copy(v->reference), *after = graph_copy(g);
	bool same = make_executable(before, &quiet) == 0 && make_executable(after, &quiet) == 0 &&
		    all_batches_follow(v, before, after, &report);
	if (same && report.undecidable)
		note_undecidable(&report, d);
	if (!same && report.wrong)
		diag_note(d, DIAG_NOTE, NULL, NULL, "the first wrong decision is that of '%s', element %lld",
			  report.wrong, (long long)report.wrong_element);
	graph_free(before);
	graph_free(after);
	diags_free(&quiet);
	return same ? 0 : -1;
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
	v->reference = outputs ? graph_copy(g) : NULL;
	return outputs ? 0 : -1;
}

/* After a pass that changes the interface: the samples in the file fit no longer, so some are generated. */
static int start_again(struct verifier *v, const struct graph *g, bool same_inputs, struct diags *d)
{
	diag_note(d, DIAG_NOTE, NULL, NULL, "changes the network's %s on purpose: this step is not compared",
		  same_inputs ? "outputs" : "interface");
	v->result.not_compared++;
	if (!same_inputs && make_inputs(v, g, NULL, d) < 0)
		return -1;
	return set_reference(v, g, execute(v, g, d));
}

int verifier_check(struct verifier *v, const struct graph *g, bool changes_function, struct diags *d)
{
	enum validity samples = same_interface(v, g) ? VALID : check_samples(v, g, d);
	if (samples == FORBIDDEN)
		return -1;
	if (samples != VALID || changes_function)
		return start_again(v, g, samples == VALID, d);
	struct tensor **outputs = execute(v, g, d);
	struct diags quiet = { 0 };
	int status = outputs ? 0 : -1;
	if (outputs && compare_all(g, v->outputs, outputs, &quiet) < 0 && explain(v, g, d) < 0)
		status = compare_all(g, v->outputs, outputs, d);
	diags_free(&quiet);
	if (status < 0 && outputs) {
		forget_tensors(outputs, g->n_outputs);
		return -1;
	}
	v->result.compared += status == 0;
	return set_reference(v, g, outputs);
}

struct verification verifier_result(const struct verifier *v)
{
	return v->result;
}

struct verifier *verifier_new(const struct graph *g, int64_t samples, const char *file, struct diags *d)
{
	struct verifier *v = xcalloc(1, sizeof *v);
	v->samples = samples > 0 ? samples : DEFAULT_SAMPLES;
	v->result.from_file = file;
	if (make_inputs(v, g, file, d) == 0 && set_reference(v, g, execute(v, g, d)) == 0) {
		v->result.samples = v->n_inputs && v->inputs[0]->rank ? v->inputs[0]->dims[0] : 1;
		return v;
	}
	verifier_free(v);
	return NULL;
}

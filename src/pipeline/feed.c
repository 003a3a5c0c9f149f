/* Inputs from files and from a generator. */
#include "pipeline/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "ir/onnx.h"
#include "ir/npy.h"
#include "util/strbuf.h"
#include "util/integers.h"
#include "util/limits.h"

void feed_init(struct feed *f, const struct graph *g)
{
	f->count = graph_data_inputs(g, NULL, 0);
	f->inputs = xcalloc(f->count, sizeof(struct value *));
	f->tensors = xcalloc(f->count, sizeof(struct tensor *));
	graph_data_inputs(g, f->inputs, f->count);
}

void feed_free(struct feed *f)
{
	for (size_t i = 0; i < f->count; i++)
		tensor_unref(f->tensors[i]);
	free(f->inputs);
	free(f->tensors);
	*f = (struct feed){ 0 };
}

/* ---- files ---- */

/* Names of all inputs, for remedies; malloc'd. */
static char *list_inputs(const struct feed *f)
{
	struct strbuf b = { 0 };
	strbuf_puts(&b, "its inputs are");
	for (size_t i = 0; i < f->count; i++)
		strbuf_printf(&b, "%s %s", i ? "," : "", f->inputs[i]->name);
	return b.text;
}

static size_t find_input(const struct feed *f, const char *name)
{
	size_t i = 0;
	while (i < f->count && strcmp(f->inputs[i]->name, name) != 0)
		i++;
	return i;
}

static size_t first_empty(const struct feed *f)
{
	size_t i = 0;
	while (i < f->count && f->tensors[i])
		i++;
	return i;
}

/* Takes over the tensor (NULL: reading it failed). A float file is as good as a double one and the other way. */
static int put(struct feed *f, size_t i, struct tensor *t)
{
	if (!t)
		return -1;
	enum elem_type wanted = f->inputs[i]->elem;
	if (wanted != t->elem && elem_is_float(t->elem) && elem_is_float(wanted)) {
		struct tensor *cast = tensor_try_cast(t, wanted);
		tensor_unref(t);
		t = cast;
	}
	tensor_unref(f->tensors[i]);
	f->tensors[i] = t;
	return 0;
}

/* Each member to the input of its name; a single one to the place given. */
static int read_members(struct feed *f, const char *path, char **names, size_t count, struct diags *d)
{
	if (count == 1 && find_input(f, names[0]) == f->count && first_empty(f) < f->count)
		return put(f, first_empty(f), npz_read(path, NULL, d));
	for (size_t k = 0; k < count; k++) {
		size_t i = find_input(f, names[k]);
		if (i == f->count) {
			char *remedy = list_inputs(f);
			diag_error(d, remedy, "'%s' holds an array '%s', which is no input", path, names[k]);
			free(remedy);
			return -1;
		}
		if (put(f, i, npz_read(path, names[k], d)) < 0)
			return -1;
	}
	return 0;
}

static int read_archive(struct feed *f, const char *path, struct diags *d)
{
	char **names;
	size_t count;
	if (npz_names(path, &names, &count, d) < 0)
		return -1;
	int status = read_members(f, path, names, count, d);
	for (size_t k = 0; k < count; k++)
		free(names[k]);
	free(names);
	return status;
}

static struct tensor *read_one(const char *path, struct diags *d)
{
	if (ends_with(path, ".pb")) /* a TensorProto */
		return tensor_read_pb(path, d);
	return ends_with(path, ".npz") ? npz_read(path, NULL, d) : npy_read(path, d);
}

static int read_named(struct feed *f, const char *name, const char *path, struct diags *d)
{
	size_t i = find_input(f, name);
	if (i < f->count)
		return put(f, i, read_one(path, d));
	char *remedy = list_inputs(f);
	diag_error(d, remedy, "there is no input '%s'", name);
	free(remedy);
	return -1;
}

int feed_read(struct feed *f, const char *argument, struct diags *d)
{
	const char *equals = strchr(argument, '=');
	if (equals) {
		char *name = xstrdup(argument);
		name[equals - argument] = '\0';
		int status = read_named(f, name, equals + 1, d);
		free(name);
		return status;
	}
	if (ends_with(argument, ".npz"))
		return read_archive(f, argument, d);
	size_t i = first_empty(f);
	if (i == f->count)
		return diag_error(d, NULL, "'%s' is one file too many: the network has %zu input%s", argument, f->count,
				  f->count == 1 ? "" : "s");
	return put(f, i, read_one(argument, d));
}

int feed_complete(const struct feed *f, struct diags *d)
{
	int status = 0;
	for (size_t i = 0; i < f->count; i++)
		if (!f->tensors[i])
			status = diag_error(d, "give it as NAME=file.npy", "input '%s' is missing", f->inputs[i]->name);
	return status;
}

/* ---- generated ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double draw_unit(uint64_t *state)
{
	return (double)(draw(state) >> 11) * 0x1p-53;
}

/* Box and Muller. */
static double draw_normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(1 - draw_unit(state)));
	return radius * cos(6.283185307179586 * draw_unit(state));
}

static double draw_integer(uint64_t *state, double lo, double hi)
{
	return lo + floor(draw_unit(state) * (hi - lo + 1));
}

/* Wide integers: as far as float32 holds every integer. */
static double limited(double x)
{
	return fmax(-0x1p24, fmin(0x1p24, x));
}

static double draw_datatype(uint64_t *state, struct datatype t)
{
	if (t.kind == DT_BIPOLAR)
		return draw(state) >> 63 ? 1 : -1;
	double unit = t.kind == DT_FIXED ? ldexp(1, t.whole - t.bits) : 1;
	return unit * draw_integer(state, limited(datatype_min(t) / unit), limited(datatype_max(t) / unit));
}

static double draw_real(uint64_t *state, int64_t sample)
{
	bool normal = sample % 3 == 1 || (sample % 3 == 2 && draw(state) >> 63);
	return normal ? draw_normal(state) : draw_unit(state);
}

static double draw_storage(uint64_t *state, const struct value *v, int64_t sample)
{
	if (v->elem == ELEM_BOOL)
		return (double)(draw(state) >> 63);
	if (!elem_is_integer(v->elem))
		return draw_real(state, sample);
	if (elem_file_bits(v->elem) > 16) /* indices and the like: keep them small */
		return draw_integer(state, 0, 1);
	double span = ldexp(1, (int)elem_file_bits(v->elem));
	return draw_integer(state, elem_is_signed(v->elem) ? -span / 2 : 0,
			    elem_is_signed(v->elem) ? span / 2 - 1 : span - 1);
}

static bool is_drawn_by_datatype(struct datatype t)
{
	return datatype_is_integer(t) || t.kind == DT_FIXED;
}

static void fill(struct tensor *t, const struct value *v, uint64_t *state)
{
	int64_t rows = t->rank && t->dims[0] ? t->dims[0] : 1, per_row = t->count / rows;
	for (int64_t i = 0; i < t->count && t->elem != ELEM_STRING; i++) /* strings stay empty */
		tensor_put(t, i,
			   is_drawn_by_datatype(v->datatype) ? draw_datatype(state, v->datatype)
							     : draw_storage(state, v, i / per_row));
}

/* What generated inputs may take unless the user says otherwise: a model declares any size it likes. */
enum { GENERATED_BYTES = 128 << 20 };

static struct tensor *generate(const struct value *v, int64_t samples, uint64_t *state, struct diags *d)
{
	int64_t dims[MAX_RANK];
	for (int k = 0; k < v->rank; k++)
		dims[k] = v->dims[k];
	if (v->rank > 0)
		dims[0] = dims[0] > 0 ? multiply_clamped(dims[0], samples) : samples;
	for (int k = 1; k < v->rank; k++)
		if (dims[k] < 0) {
			diag_error(d, "give inputs in a file", "dimension %d of input '%s' is unknown", k, v->name);
			return NULL;
		}
	int64_t most = d->limits && d->limits->memory ? d->limits->memory : GENERATED_BYTES;
	int64_t count = v->rank < 0 ? -1 : shape_count(v->rank, dims, v->elem);
	bool fits = count >= 0 && multiply_clamped(count, (int64_t)elem_size(v->elem)) <= most;
	struct tensor *t = fits ? tensor_try_new(v->elem, v->rank, dims) : NULL;
	if (count >= 0 && !fits)
		diag_error(d, "give inputs in a file, or allow more with --max-memory",
			   "generated values for input '%s' would take more than %lld MB", v->name,
			   (long long)(most >> 20));
	else if (!t)
		diag_error(d, "give inputs in a file", "cannot generate values for input '%s'", v->name);
	else
		fill(t, v, state);
	return t;
}

int feed_generate(struct feed *f, int64_t samples, uint64_t seed, struct diags *d)
{
	uint64_t state = seed;
	for (size_t i = 0; i < f->count; i++) {
		if (f->tensors[i])
			continue;
		f->tensors[i] = generate(f->inputs[i], samples, &state, d);
		if (!f->tensors[i])
			return -1;
	}
	return 0;
}

/* Weights of other programs (see import.h). */
#include "train/import.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ir/ir.h"
#include "ir/npy.h"
#include "util/blob.h"
#include "util/file.h"
#include "util/strbuf.h"
#include "util/vec.h"

struct array {
	char *name;
	struct tensor *t;
	bool used;
};

struct arrays {
	struct array *items;
	size_t count, capacity;
};

static void free_arrays(struct arrays *a)
{
	for (size_t i = 0; i < a->count; i++) {
		free(a->items[i].name);
		tensor_unref(a->items[i].t);
	}
	vec_free(a);
}

/* ---- files ---- */

static int read_npz(struct arrays *a, const char *path, struct diags *d)
{
	char **names;
	size_t count;
	int status = npz_names(path, &names, &count, d);
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct array x = { .name = names[i], .t = npz_read(path, names[i], d) };
		vec_push(a, x);
		if (!x.t)
			status = -1;
		names[i] = NULL;
	}
	for (size_t i = 0; names && i < count; i++)
		free(names[i]);
	free(names);
	return status;
}

/* One entry of a safetensors header: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}. */
static struct tensor *safe_tensor(struct blob *b, size_t start, const char *name, const json_t *j, struct diags *d)
{
	static const struct {
		const char *name;
		enum elem_type elem;
	} types[] = { { "F32", ELEM_FLOAT },  { "F16", ELEM_FLOAT16 }, { "BF16", ELEM_BFLOAT16 },
		      { "F64", ELEM_DOUBLE }, { "I8", ELEM_INT8 },     { "I32", ELEM_INT32 },
		      { "I64", ELEM_INT64 },  { "U8", ELEM_UINT8 },    { "BOOL", ELEM_BOOL } };
	const char *type = json_string_value(json_object_get(j, "dtype"));
	const json_t *shape = json_object_get(j, "shape"), *offsets = json_object_get(j, "data_offsets");
	int64_t dims[MAX_RANK], begin = json_integer_value(json_array_get(offsets, 0)),
				end = json_integer_value(json_array_get(offsets, 1));
	size_t rank = json_array_size(shape);
	enum elem_type elem = ELEM_UNDEFINED;
	for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].name, type))
			elem = types[i].elem;
	for (size_t i = 0; i < rank && i < MAX_RANK; i++)
		dims[i] = json_integer_value(json_array_get(shape, i));
	int64_t count = rank <= MAX_RANK && elem != ELEM_UNDEFINED ? shape_count((int)rank, dims, elem) : -1;
	if (count < 0 || begin < 0 || end < begin || (uint64_t)end > b->size - start ||
	    (size_t)(end - begin) != (size_t)count * elem_size(elem)) {
		diag_error(d, NULL, "its array '%s' is malformed, or of an unknown type", name);
		return NULL;
	}
	struct tensor *t = tensor_try_raw(elem, (int)rank, dims);
	if (t && count)
		memcpy(t->data, (char *)b->base + start + begin, (size_t)(end - begin));
	return t;
}

static int read_safe_entries(struct arrays *a, struct blob *b, size_t start, json_t *header, struct diags *d)
{
	const char *name;
	json_t *entry;
	json_object_foreach(header, name, entry)
	{
		if (!strcmp(name, "__metadata__"))
			continue;
		struct array x = { .name = xstrdup(name), .t = safe_tensor(b, start, name, entry, d) };
		vec_push(a, x);
		if (!x.t)
			return -1;
	}
	return 0;
}

/* Eight bytes of length, a header of JSON, the elements. */
static int read_safetensors(struct arrays *a, const char *path, struct diags *d)
{
	struct blob *b = file_map(path, d);
	uint64_t length = 0;
	if (!b)
		return -1;
	for (int i = 7; b->size >= 8 && i >= 0; i--)
		length = length << 8 | ((const unsigned char *)b->base)[i];
	json_t *header =
		b->size >= 8 && length <= b->size - 8 ? json_loadb((char *)b->base + 8, length, 0, NULL) : NULL;
	int status = json_is_object(header) ? read_safe_entries(a, b, 8 + length, header, d)
					    : diag_error(d, NULL, "is no safetensors file");
	json_decref(header);
	blob_unref(b);
	return status;
}

/* ---- order ---- */

/* "layers.10.x" comes after "layers.9.x": digits compare as numbers. */
static int natural(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *end_a, *end_b;
			unsigned long long x = strtoull(a, &end_a, 10), y = strtoull(b, &end_b, 10);
			if (x != y)
				return x < y ? -1 : 1;
			a = end_a;
			b = end_b;
		} else if (*a != *b) {
			return *a < *b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *a ? 1 : *b ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
	return natural(((const struct array *)a)->name, ((const struct array *)b)->name);
}

/* What stands before the parameter's own name; scales of activations have long ones of their own. */
static size_t module_length(const char *name)
{
	const char *inner = strstr(name, ".act_quant."), *dot = strrchr(name, '.');
	return inner ? (size_t)(inner - name) : dot ? (size_t)(dot - name) : 0;
}

static const char *member_of(const char *name)
{
	size_t n = module_length(name);
	return name[n] == '.' ? name + n + 1 : name;
}

/* ---- matching ---- */

/* The name that PyTorch and Brevitas give it. */
static bool is_called(const char *member, const char *name)
{
	if (!strcmp(name, "range"))
		return !strcmp(member, "range") || ends_with(member, "scaling_impl.value");
	return !strcmp(member, name);
}

/* The module's array for a parameter; NULL: it has none. */
static struct array *find(struct arrays *a, size_t first, size_t end, const char *name)
{
	for (size_t i = first; i < end; i++)
		if (is_called(member_of(a->items[i].name), name))
			return &a->items[i];
	return NULL;
}

static size_t module_end(const struct arrays *a, size_t first)
{
	size_t n = module_length(a->items[first].name), i = first + 1;
	while (i < a->count && module_length(a->items[i].name) == n &&
	       !strncmp(a->items[i].name, a->items[first].name, n))
		i++;
	return i;
}

/* Whether the module can be the layer: it has the layer's first parameter, and running statistics where that has. */
static bool suits(struct arrays *a, size_t first, size_t end, const struct layer *l)
{
	if (!find(a, first, end, l->params[0].name))
		return false;
	return (l->type == &layer_bn) == (find(a, first, end, "running_mean") != NULL);
}

static int take(const struct layer *l, struct array *x, float *to, int64_t count, struct diags *d)
{
	bool transposed = l->type == &layer_linear && to == l->params[0].value;
	int64_t rows = transposed ? l->out.count : 1, columns = count / rows;
	if (x->t->count != count || (transposed && (x->t->rank != 2 || x->t->dims[0] != rows)))
		return diag_error(d, NULL, "array '%s' has %lld elements%s, but layer %d (%s) wants %lld", x->name,
				  (long long)x->t->count, transposed ? " (outputs x inputs)" : "", l->index + 1,
				  l->type->name, (long long)count);
	for (int64_t i = 0; i < count; i++) {
		double value = tensor_at(x->t, i);
		if (!isfinite(value))
			return diag_error(d, NULL, "array '%s' holds NaN or infinity", x->name);
		to[transposed ? i % columns * rows + i / columns : i] = (float)value;
	}
	x->used = true;
	return 0;
}

static int fill_layer(struct arrays *a, size_t first, size_t end, struct layer *l, struct diags *d)
{
	int status = 0;
	for (int k = 0; k < l->n_params; k++) {
		struct array *x = find(a, first, end, l->params[k].name);
		if (!x)
			status = diag_error(d, NULL, "'%.*s.%s' is missing, for layer %d (%s)",
					    (int)module_length(a->items[first].name), a->items[first].name,
					    l->params[k].name, l->index + 1, l->type->name);
		else if (take(l, x, l->params[k].value, l->params[k].count, d) < 0)
			status = -1;
	}
	for (int k = 0; l->type == &layer_bn && k < l->n_buffers; k++) {
		struct array *x = find(a, first, end, l->buffers[k].name);
		if (x && take(l, x, l->buffers[k].value, l->buffers[k].count, d) < 0)
			status = -1;
	}
	return status;
}

static int fill(struct arrays *a, struct net *n, struct diags *d)
{
	size_t at = 0;
	int status = 0;
	for (size_t i = 0; i < n->count; i++) {
		struct layer *l = &n->layers[i];
		size_t first = at;
		if (!l->n_params)
			continue;
		while (first < a->count && !suits(a, first, module_end(a, first), l))
			first = module_end(a, first);
		if (first == a->count) {
			status = diag_error(d, NULL, "no arrays are left for layer %d (%s): %s is missing",
					    l->index + 1, l->type->name, l->params[0].name);
			continue;
		}
		at = module_end(a, first);
		if (fill_layer(a, first, at, l, d) < 0)
			status = -1;
	}
	return status;
}

static void tell_superfluous(const struct arrays *a, struct diags *d)
{
	for (size_t i = 0; i < a->count; i++)
		if (!a->items[i].used && !ends_with(a->items[i].name, "num_batches_tracked"))
			diag_note(d, DIAG_WARNING, NULL, NULL, "array '%s' belongs to no layer", a->items[i].name);
}

int import_weights(struct net *n, const char *path, struct diags *d)
{
	struct arrays a = { 0 };
	const char *context = d->file;
	d->file = path;
	int status = ends_with(path, ".safetensors") ? read_safetensors(&a, path, d) : read_npz(&a, path, d);
	if (status == 0 && a.count)
		qsort(a.items, a.count, sizeof *a.items, by_name);
	if (status == 0)
		status = fill(&a, n, d);
	if (status == 0)
		tell_superfluous(&a, d);
	free_arrays(&a);
	d->file = context;
	return status;
}

/* Mutators: of bytes, and of models, whose parts are changed where they matter to operators and plans. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "targets.h"
#include "util/file.h"

size_t draw(uint64_t *state, size_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return bound ? (size_t)(*state >> 11) % bound : 0;
}

/* ---- bytes ---- */

static const int64_t integers[] = { 0,	       1,	  2,	     3,		4,	   -1,	     -2,
				    7,	       8,	  16,	     64,	127,	   128,	     255,
				    256,       1000,	  32767,     65536,	1 << 20,   1 << 24,  1 << 30,
				    INT32_MAX, INT32_MIN, 1LL << 32, 1LL << 40, INT64_MAX, INT64_MIN };
enum { INTEGERS = sizeof integers / sizeof *integers };

static size_t varint(uint8_t *to, uint64_t x)
{
	size_t n = 0;
	for (; x >= 0x80; x >>= 7)
		to[n++] = (uint8_t)(x | 0x80);
	to[n++] = (uint8_t)x;
	return n;
}

static size_t change_bytes(uint8_t *b, size_t size, size_t max, uint64_t *s)
{
	uint8_t number[10];
	size_t at = draw(s, size + 1), n;
	switch (draw(s, 8)) {
	case 0:
		if (at < size)
			b[at] ^= (uint8_t)(1u << draw(s, 8));
		return size;
	case 1:
		if (at < size)
			b[at] = (uint8_t)draw(s, 256);
		return size;
	case 2: /* cut out */
		n = draw(s, size - at < 16 ? size - at + 1 : 16);
		memmove(b + at, b + at + n, size - at - n);
		return size - n;
	case 3: /* repeat */
		n = draw(s, size - at < 64 ? size - at + 1 : 64);
		if (size + n > max)
			return size;
		memmove(b + at + n, b + at, size - at);
		return size + n;
	case 4: return draw(s, 8) ? size : at;
	case 5:
		n = varint(number, (uint64_t)integers[draw(s, INTEGERS)]);
		if (at + n <= size)
			memcpy(b + at, number, n);
		return size;
	case 6:
		if (at < size)
			b[at] = (uint8_t) " 0129,()[]<>{}\"'\\=:-.\n#"[draw(s, 23)];
		return size;
	default:
		if (at < size)
			b[at] = (uint8_t)draw(s, 4);
		return size;
	}
}

size_t mutate_bytes(uint8_t *bytes, size_t size, size_t max, uint64_t *state)
{
	for (size_t n = 1 + draw(state, 4); n; n--)
		size = change_bytes(bytes, size, max, state);
	return size;
}

/* ---- models ---- */

static const double reals[] = { 0,     -0.0,   1,     -1,	0.5,	      2,     1e-30, 1e30,
				-1e30, 3.4e38, 1e-45, 16777216, 2147483648.0, 9.3e18 };

static double real(uint64_t *s)
{
	size_t k = draw(s, sizeof reals / sizeof *reals + 3);
	return k == 0 ? (double)NAN : k == 1 ? (double)INFINITY : k == 2 ? -(double)INFINITY : reals[k - 3];
}

/* Mostly near what there was: far ones are refused early. */
static int64_t integer(uint64_t *s, int64_t was)
{
	int64_t by = (int64_t)draw(s, 5) - 2;
	return draw(s, 3) ? (int64_t)((uint64_t)was + (uint64_t)by) : integers[draw(s, INTEGERS)];
}

static struct node *some_node(const struct graph *g, uint64_t *s)
{
	struct node *n = g->first;
	for (size_t k = draw(s, g->n_nodes); k && n; k--)
		n = n->next;
	return n;
}

static struct value *some_value(const struct graph *g, uint64_t *s, bool constant)
{
	struct value *found = NULL;
	size_t seen = 0;
	for (struct value *v = g->values; v; v = v->next)
		if ((v->constant != NULL) == constant && draw(s, ++seen) == 0)
			found = v;
	return found;
}

static void change_string(struct attr *a, uint64_t *s)
{
	static const char *const words[] = { "",      "NHWC",	 "NCHW",    "SAME_UPPER", "VALID", "ROUND",
					     "FLOOR", "linear",	 "cubic",   "INT2",	  "UINT8", "BIPOLAR",
					     "INT32", "TERNARY", "nearest", "wrap",	  "CRD",   "a,b->ab" };
	a->s = words[draw(s, sizeof words / sizeof *words)];
	a->count = (uint32_t)strlen(a->s);
}

static void change_attr(struct node *n, uint64_t *s)
{
	size_t count = 0;
	for (const struct attr *a = n->attrs; a; a = a->next)
		count++;
	struct attr *a = n->attrs;
	for (size_t k = draw(s, count); k && a; k--)
		a = a->next;
	if (!a)
		return;
	if (draw(s, 16) == 0) {
		node_remove_attr(n, a->name);
	} else if (a->kind == ATTR_INT) {
		a->i = integer(s, a->i);
	} else if (a->kind == ATTR_FLOAT) {
		a->f = (float)real(s);
	} else if (a->kind == ATTR_STRING) {
		change_string(a, s);
	} else if (a->kind == ATTR_INTS && a->count) {
		int64_t *ints = (int64_t *)(uintptr_t)a->ints;
		size_t i = draw(s, a->count);
		ints[i] = integer(s, ints[i]);
		a->count -= draw(s, 8) == 0;
	}
}

static void change_dims(struct graph *g, struct value *v, uint64_t *s)
{
	int64_t dims[MAX_RANK + 1];
	int rank = v->rank;
	if (rank > 0)
		memcpy(dims, v->dims, (size_t)rank * sizeof *dims);
	if (rank > 0 && draw(s, 8)) {
		size_t i = draw(s, (size_t)rank);
		dims[i] = integer(s, dims[i]);
		if (dims[i] < 0 || dims[i] > 4096)
			dims[i] = draw(s, 16) ? (int64_t)draw(s, 64) : -1;
	} else if (rank >= 0 && rank < MAX_RANK && draw(s, 2)) {
		dims[rank++] = (int64_t)draw(s, 4);
	} else {
		rank = rank > 0 ? rank - 1 : -1;
	}
	value_set_type(g, v, v->elem, rank, dims);
	v->is_declared = true;
}

static void change_datatype(struct value *v, uint64_t *s)
{
	static const char *const names[] = { "INT2",  "INT4",	"UINT1", "UINT8",      "BIPOLAR", "TERNARY",
					     "INT32", "UINT32", "INT64", "FIXED<8,3>", "FLOAT32", "INT17" };
	struct datatype t;
	if (datatype_parse(names[draw(s, sizeof names / sizeof *names)], &t))
		v->datatype = t;
}

static void change_constant(struct value *v, uint64_t *s)
{
	int64_t dims[MAX_RANK];
	const struct tensor *t = v->constant;
	struct tensor *changed = NULL;
	static const enum elem_type elems[] = { ELEM_FLOAT, ELEM_INT64, ELEM_DOUBLE, ELEM_INT8,
						ELEM_UINT8, ELEM_BOOL,	ELEM_FLOAT16 };
	memcpy(dims, t->dims, t->rank * sizeof *dims);
	size_t what = draw(s, 4);
	if (t->elem == ELEM_STRING)
		return;
	if (what == 0) {
		changed = tensor_cast(t, elems[draw(s, sizeof elems / sizeof *elems)]);
	} else if (what == 1 && t->rank) {
		size_t i = draw(s, t->rank);
		dims[i] = draw(s, 2) ? (int64_t)draw(s, 9) : dims[i] + 1;
		changed = shape_count(t->rank, dims, t->elem) < 1 << 16 ? tensor_new(t->elem, t->rank, dims) : NULL;
		for (int64_t i2 = 0; changed && t->count && i2 < changed->count; i2++)
			tensor_put(changed, i2, tensor_at(t, i2 % t->count));
	} else if (t->count) {
		changed = tensor_copy(t);
		for (size_t n = 1 + draw(s, 3); changed && n; n--) {
			int64_t i = (int64_t)draw(s, (size_t)t->count);
			tensor_put(changed, i, draw(s, 2) ? real(s) : (double)integer(s, tensor_int_at(t, i)));
		}
	}
	if (changed)
		value_set_constant(v, changed);
}

static void change_input(struct graph *g, struct node *n, uint64_t *s)
{
	if (!n->n_inputs)
		return;
	size_t i = draw(s, n->n_inputs);
	struct value *v = draw(s, 4) ? some_value(g, s, true) : g->n_inputs ? g->inputs[draw(s, g->n_inputs)] : NULL;
	if (draw(s, 6) == 0)
		node_truncate_inputs(n, i);
	else
		node_set_input(n, i, v);
}

static void change_model(struct graph *g, uint64_t *s)
{
	struct node *n = some_node(g, s);
	struct value *v = some_value(g, s, false), *c = some_value(g, s, true);
	const struct op *op = op_table[draw(s, op_table_size)];
	switch (draw(s, 8)) {
	case 0:
	case 1:
	case 2:
		if (n)
			change_attr(n, s);
		return;
	case 3:
		if (v)
			change_dims(g, v, s);
		return;
	case 4:
		if (v)
			change_datatype(v, s);
		return;
	case 5:
	case 6:
		if (c)
			change_constant(c, s);
		return;
	default:
		if (n && draw(s, 3))
			change_input(g, n, s);
		else if (n)
			node_set_op(n, op->domain, op->name);
	}
}

/* The model's bytes, through a file. */
static size_t as_bytes(const struct graph *g, uint8_t *bytes, size_t max)
{
	char path[128];
	struct diags d = { 0 };
	size_t size = 0;
	snprintf(path, sizeof path, "%s/mutated.onnx", target_folder());
	FILE *f = graph_write(g, path, &d) == 0 ? fopen(path, "rb") : NULL;
	if (f) {
		size = fread(bytes, 1, max, f);
		size = fgetc(f) == EOF ? size : 0;
		fclose(f);
	}
	diags_free(&d);
	return size;
}

size_t mutate_model(uint8_t *bytes, size_t size, size_t max, uint64_t *state)
{
	struct diags d = { 0 };
	struct graph *g = graph_read_bytes(bytes, size, "seed.onnx", &d);
	size_t changed = 0;
	if (g) {
		for (size_t n = 1 + draw(state, 3); n; n--)
			change_model(g, state);
		changed = as_bytes(g, bytes, max);
		graph_free(g);
	}
	diags_free(&d);
	return changed ? changed : mutate_bytes(bytes, size, max, state);
}

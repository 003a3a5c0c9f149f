/* Moving elements through tables of offsets, one an axis: see move.h. */
#include "ops/move.h"

#include <stdlib.h>
#include <string.h>

#include "util/integers.h"

void move_free(struct move *m)
{
	for (int k = 0; k < m->rank; k++)
		free(m->table[k]);
	m->rank = 0;
}

int64_t *move_axis(struct move *m, int64_t dim, int64_t stride)
{
	int64_t *table = m->failed ? NULL : exec_memory(m->x, dim > 0 ? dim : 1, sizeof *table);
	m->failed = !table;
	for (int64_t i = 0; table && i < dim; i++)
		table[i] = i * stride;
	m->dims[m->rank] = dim;
	m->table[m->rank++] = table;
	return table;
}

void row_major_strides(int rank, const int64_t *dims, int64_t *strides)
{
	for (int k = 0; k < rank; k++)
		strides[k] = dims_product(dims, k + 1, rank);
}

/* ---- elements ---- */

static char *string_at(const struct tensor *t, int64_t i)
{
	return xstrdup(tensor_string(t, i));
}

void elements_copy(struct tensor *out, int64_t to, const struct tensor *in, int64_t from, int64_t n)
{
	if (out->elem == ELEM_STRING) {
		for (int64_t i = 0; i < n; i++)
			((char **)out->data)[to + i] = string_at(in, from + i);
		return;
	}
	size_t size = elem_size(out->elem);
	if (n > 0)
		memcpy((char *)out->data + (size_t)to * size, (const char *)in->data + (size_t)from * size,
		       (size_t)n * size);
}

void elements_fill(struct tensor *out, int64_t to, int64_t n, const void *value)
{
	size_t size = elem_size(out->elem);
	char *p = (char *)out->data + (size_t)to * size;
	if (out->elem == ELEM_STRING) {
		for (int64_t i = 0; i < n; i++)
			((char **)out->data)[to + i] =
				xstrdup(value && *(char *const *)value ? *(char *const *)value : "");
	} else if (!value) {
		memset(p, 0, (size_t)n * size);
	} else {
		for (int64_t i = 0; i < n; i++)
			memcpy(p + (size_t)i * size, value, size);
	}
}

void element_replace(struct tensor *out, int64_t to, const struct tensor *in, int64_t from)
{
	if (out->elem == ELEM_STRING)
		free(((char **)out->data)[to]);
	elements_copy(out, to, in, from, 1);
}

/* ---- running a move ---- */

/* Trailing axes whose offsets are 0, 1, 2, ... together: elements that can be copied in one go. */
static int64_t contiguous_block(const struct move *m, int *axes)
{
	int64_t block = 1;
	int k = m->rank;
	for (; k > 0; k--) {
		int64_t i = 0;
		while (i < m->dims[k - 1] && m->table[k - 1][i] == i * block)
			i++;
		if (i < m->dims[k - 1])
			break;
		block *= m->dims[k - 1];
	}
	*axes = k;
	return block;
}

#define COPY_ROW(T)                                                                        \
	for (int64_t i = 0; i < n; i++)                                                    \
		if (table[i] >= 0)                                                         \
			((T *)out->data)[to + i] = ((const T *)in->data)[base + table[i]]; \
		else                                                                       \
			elements_fill(out, to + i, 1, fill)

/* One row of single elements. base < 0: the whole row is filling. */
static void move_row(struct tensor *out, int64_t to, const struct tensor *in, int64_t base, const int64_t *table,
		     int64_t n, const void *fill)
{
	size_t size = elem_size(out->elem);
	if (base < 0) {
		elements_fill(out, to, n, fill);
	} else if (out->elem != ELEM_STRING && size == 4) {
		COPY_ROW(uint32_t);
	} else if (out->elem != ELEM_STRING && size == 1) {
		COPY_ROW(uint8_t);
	} else {
		for (int64_t i = 0; i < n; i++)
			if (table[i] >= 0)
				elements_copy(out, to + i, in, base + table[i], 1);
			else
				elements_fill(out, to + i, 1, fill);
	}
}

/* Axes 0..axes-1 of the move, in blocks; the innermost of them is a row where blocks are single elements. */
static void move_blocks(const struct move *m, int axes, int64_t block, struct tensor *out, const struct tensor *in,
			const void *fill)
{
	bool rows = axes > 0 && block == 1;
	int loops = rows ? axes - 1 : axes;
	int64_t step = rows ? m->dims[axes - 1] : block;
	int64_t at[MOVE_RANK] = { 0 };
	for (int64_t to = 0; to < out->count; to += step) {
		int64_t base = 0;
		for (int k = 0; k < loops; k++)
			base += m->table[k][at[k]];
		if (rows)
			move_row(out, to, in, base, m->table[axes - 1], step, fill);
		else if (base < 0)
			elements_fill(out, to, block, fill);
		else
			elements_copy(out, to, in, base, block);
		for (int k = loops - 1; k >= 0 && ++at[k] == m->dims[k]; k--)
			at[k] = 0;
	}
}

/* ---- transposing ---- */

enum { TILE = 16 }; /* elements: a tile's rows fill a cache line each */

/* An axis before the last along which the input lies element by element, while it strides along the last: then
 * whole rows would touch a cache line an element. -1: there is none, or elements are not 4 bytes of numbers. */
static int unit_axis(const struct move *m, const struct tensor *t)
{
	int last = m->rank - 1, found = -1;
	if (last < 1 || elem_size(t->elem) != 4 || m->dims[last] < TILE || m->table[last][1] < TILE)
		return -1;
	for (int k = 0; k < last; k++)
		if (m->dims[k] >= TILE && m->table[k][0] == 0 && m->table[k][1] == 1)
			found = k;
	for (int64_t i = 0; found >= 0 && i < m->dims[found]; i++)
		if (m->table[found][i] != i)
			return -1;
	for (int k = 0; k <= last; k++)
		for (int64_t i = 0; i < m->dims[k]; i++)
			if (m->table[k][i] < 0)
				return -1;
	return found;
}

/* The plane of axes `unit` and last: out[j * step + i] = in[j + table[i]], in tiles. */
static void transpose_plane(uint32_t *out, const uint32_t *in, int64_t units, int64_t step, const int64_t *table,
			    int64_t n)
{
	for (int64_t j0 = 0; j0 < units; j0 += TILE) {
		int64_t j1 = j0 + TILE < units ? j0 + TILE : units;
		for (int64_t i0 = 0; i0 < n; i0 += TILE) {
			int64_t i1 = i0 + TILE < n ? i0 + TILE : n;
			for (int64_t j = j0; j < j1; j++)
				for (int64_t i = i0; i < i1; i++)
					out[j * step + i] = in[j + table[i]];
		}
	}
}

static void transpose(const struct move *m, int unit, struct tensor *t, const struct tensor *in)
{
	int last = m->rank - 1;
	int64_t strides[MOVE_RANK], at[MOVE_RANK] = { 0 };
	row_major_strides(m->rank, m->dims, strides);
	int64_t planes = t->count / m->dims[last] / m->dims[unit];
	for (int64_t p = 0; p < planes; p++) {
		int64_t to = 0, from = 0;
		for (int k = 0; k < last; k++) {
			to += k == unit ? 0 : at[k] * strides[k];
			from += k == unit ? 0 : m->table[k][at[k]];
		}
		transpose_plane((uint32_t *)t->data + to, (const uint32_t *)in->data + from, m->dims[unit],
				strides[unit], m->table[last], m->dims[last]);
		for (int k = last - 1; k >= 0; k--) {
			if (k == unit)
				continue;
			if (++at[k] < m->dims[k])
				break;
			at[k] = 0;
		}
	}
}

/* Fills t (as large as the move's dims say) from the elements of `in`; fill is an element for those not from
 * the input, NULL for zeros. Strings are duplicated. */
static void move_run(const struct move *m, struct tensor *t, const struct tensor *in, const void *fill)
{
	if (t->count == 0)
		return;
	int axes, unit = unit_axis(m, t);
	if (unit >= 0) {
		transpose(m, unit, t, in);
		return;
	}
	int64_t block = contiguous_block(m, &axes);
	move_blocks(m, axes, block, t, in, fill);
}

int exec_move(struct exec_ctx *x, size_t i, struct move *m, const struct tensor *in, const void *fill, int rank,
	      const int64_t *dims)
{
	struct tensor *out = NULL;
	if (!m->failed)
		out = exec_output(x, i, in->elem, dims ? rank : m->rank, dims ? dims : m->dims);
	if (out)
		move_run(m, out, in, fill);
	move_free(m);
	return out ? 0 : -1;
}

/* ---- integer parameters ---- */

static bool attr_ints(const struct node *n, const char *attr, int64_t *out, size_t max, size_t *count)
{
	*count = 0;
	const int64_t *ints = attr ? node_attr_ints(n, attr, count) : NULL;
	if (!ints || *count > max) {
		*count = 0;
		return false;
	}
	memcpy(out, ints, *count * sizeof *out);
	return true;
}

bool infer_ints(const struct node *n, size_t input, const char *attr, int64_t out[MAX_RANK], size_t *count)
{
	*count = 0;
	if (node_input(n, input))
		return constant_ints(node_input(n, input), out, count);
	return attr_ints(n, attr, out, MAX_RANK, count);
}

bool exec_ints(const struct exec_ctx *x, size_t input, const char *attr, int64_t out[2 * MAX_RANK], size_t *count)
{
	const struct tensor *t = exec_input(x, input);
	if (!t)
		return attr_ints(x->node, attr, out, 2 * MAX_RANK, count);
	*count = 0;
	if (t->count > 2 * MAX_RANK || t->elem == ELEM_STRING)
		return false;
	for (; (int64_t)*count < t->count; ++*count)
		out[*count] = tensor_int_at(t, (int64_t)*count);
	return true;
}

bool normal_axes(int64_t *axes, size_t count, int rank)
{
	uint32_t seen = 0;
	for (size_t i = 0; i < count; i++) {
		int axis = normal_axis(axes[i], rank);
		if (axis < 0 || seen >> axis & 1)
			return false;
		seen |= 1u << axis;
		axes[i] = axis;
	}
	return true;
}

int exec_view(struct exec_ctx *x, int rank, const int64_t *dims)
{
	const struct tensor *in = x->in[0];
	if (rank > MAX_RANK || shape_count(rank, dims, in->elem) != in->count)
		return diag_node_error(x->diags, x->node, "check the shape it is given",
				       "the new shape does not have the input's %lld elements", (long long)in->count);
	x->out[0] = tensor_view(in, rank, dims);
	return x->out[0] ? 0 : exec_unsupported(x, "a result of that size");
}

/* Integer ranges of values: see ranges.h. */
#include "ops/ranges.h"
#include "util/integers.h"

struct datatype storage_datatype(enum elem_type elem)
{
	if (elem == ELEM_BOOL)
		return datatype_of_kind(DT_BINARY);
	if (!elem_is_integer(elem))
		return datatype_of_kind(DT_NONE);
	int bits = (int)elem_file_bits(elem);
	return elem_is_signed(elem) ? datatype_int(bits) : datatype_uint(bits);
}

struct datatype value_datatype(const struct value *v)
{
	if (!v)
		return datatype_of_kind(DT_NONE);
	if (v->datatype.kind != DT_NONE)
		return v->datatype;
	if (!value_is_constant(v) || v->constant->elem == ELEM_STRING || v->constant->count == 0 ||
	    !tensor_is_integral(v->constant))
		return storage_datatype((enum elem_type)v->elem);
	double lo, hi;
	tensor_min_max(v->constant, &lo, &hi);
	if (!(lo >= -0x1p53 && hi <= 0x1p53))
		return storage_datatype((enum elem_type)v->elem);
	return datatype_for_bounds(lo, hi);
}

bool value_int_range(const struct value *v, int64_t *lo, int64_t *hi)
{
	struct datatype t = value_datatype(v);
	if (!datatype_is_integer(t))
		return false;
	if (v->datatype.kind == DT_NONE && value_is_constant(v) && datatype_bits(t) <= 53) {
		double least, most; /* sharper than the datatype that was made from it */
		tensor_min_max(v->constant, &least, &most);
		*lo = saturated_int64(least);
		*hi = saturated_int64(most);
		return true;
	}
	*lo = datatype_int_min(t);
	*hi = datatype_int_max(t);
	return true;
}

struct datatype datatype_within(const struct node *n, size_t i, int64_t lo, int64_t hi)
{
	const struct value *out = node_output(n, i);
	struct datatype fit = datatype_for_range(lo, hi);
	if (!out || !elem_is_integer((enum elem_type)out->elem))
		return fit;
	struct datatype stored = storage_datatype((enum elem_type)out->elem);
	bool holds = lo >= datatype_int_min(stored) && hi <= datatype_int_max(stored);
	return holds ? fit : stored;
}

struct datatype datatype_join(struct datatype a, struct datatype b)
{
	if (datatype_equal(a, b))
		return a;
	if (!datatype_is_integer(a) || !datatype_is_integer(b))
		return datatype_of_kind(DT_NONE);
	int64_t lo_a = datatype_int_min(a), lo_b = datatype_int_min(b);
	int64_t hi_a = datatype_int_max(a), hi_b = datatype_int_max(b);
	int64_t lo = lo_a < lo_b ? lo_a : lo_b, hi = hi_a > hi_b ? hi_a : hi_b;
	return lo == -1 && hi == 1 ? datatype_of_kind(DT_TERNARY) : datatype_for_range(lo, hi);
}

struct datatype datatype_join_inputs(const struct node *n, size_t first, size_t last)
{
	struct datatype all = datatype_of_kind(DT_NONE);
	bool any = false;
	for (size_t i = first; i <= last && i < n->n_inputs; i++) {
		if (!node_input(n, i))
			continue;
		struct datatype t = value_datatype(node_input(n, i));
		all = any ? datatype_join(all, t) : t;
		any = true;
	}
	return all;
}

struct datatype datatype_binary(const struct node *n, size_t i)
{
	(void)n;
	(void)i;
	return datatype_of_kind(DT_BINARY);
}

/* Cast and CastLike. A number that the new type holds stays as it is, and then the result is the operand's memory;
 * else a layer truncates, wraps or rounds it as the executor does. */
#include "plan/lower.h"
#include "ops/ranges.h"

/* The integers of a storage type. False for others than those of 8 to 64 bits that an int64_t holds. */
static bool integers_of(enum elem_type elem, struct plan_layer *y, int64_t *lo, int64_t *hi)
{
	bool narrow = elem == ELEM_INT4 || elem == ELEM_UINT4 || elem == ELEM_INT2 || elem == ELEM_UINT2;
	if (!elem_is_integer(elem) || narrow || elem == ELEM_UINT64)
		return false;
	y->is_signed = elem_is_signed(elem);
	y->bits = (int)(8 * elem_size(elem));
	*lo = datatype_int_min(storage_datatype(elem));
	*hi = datatype_int_max(storage_datatype(elem));
	return true;
}

/* The greatest integer up to which a type of floating point holds all. */
static int64_t exact_up_to(enum elem_type elem)
{
	switch (elem) {
	case ELEM_BFLOAT16: return 1 << 8;
	case ELEM_FLOAT16: return 1 << 11;
	case ELEM_FLOAT: return 1 << 24;
	default: return INT64_C(1) << 53;
	}
}

static bool within(const struct plan_buf *b, int64_t lo, int64_t hi)
{
	return !b->real && b->lo >= lo && b->hi <= hi;
}

/* What takes elements of `in` to that type, as y's function, and what comes out. PLAN_COPY where they stay. */
static int casting(struct lowering *l, const struct plan_buf *in, enum elem_type to, struct plan_layer *y,
		   struct contents *c)
{
	int64_t lo, hi, most = exact_up_to(to);
	bool half = to == ELEM_FLOAT16 || to == ELEM_BFLOAT16;
	y->function = PLAN_COPY;
	*c = contents_of(in);
	if (to == ELEM_FLOAT || to == ELEM_DOUBLE || half) {
		c->real = in->real || !within(in, -most, most);
		if (half && c->real)
			y->function = to == ELEM_FLOAT16 ? PLAN_FLOAT16 : PLAN_BFLOAT16;
		return 0;
	}
	if (to == ELEM_BOOL) {
		y->function = within(in, 0, 1) ? PLAN_COPY : PLAN_NONZERO;
		*c = within(in, 0, 1) ? *c : contents_int(0, 1);
		return 0;
	}
	if (!integers_of(to, y, &lo, &hi))
		return lower_unsupported(l, y->node,
					 "a cast to that type: it has bool, integers of 8 to 64 bits (not "
					 "uint64), float16, bfloat16, float and double");
	if (!within(in, lo, hi)) {
		y->function = in->real ? PLAN_TRUNCATE : PLAN_WRAP;
		*c = contents_int(lo, hi);
	}
	return 0;
}

int lower_cast(struct lowering *l, const struct node *n)
{
	struct plan_buf *in = lower_input(l, n, 0);
	const struct value *like = node_input(n, 1), *v = n->outputs[0];
	struct plan_layer what = { .node = n };
	struct contents c;
	if (!in || casting(l, in, (enum elem_type)(like ? like->elem : node_attr_int(n, "to", 0)), &what, &c) < 0)
		return -1;
	if (what.function == PLAN_COPY && c.real == in->real)
		return lower_reshape(l, n);
	if (in->shuffle)
		in = lower_ordered(l, n, in);
	struct plan_layer *y = lower_layer(l, n, PLAN_UNARY, in);
	y->function = what.function;
	y->is_signed = what.is_signed;
	y->bits = what.bits;
	y->real = in->real || c.real;
	y->out = lower_buf(l, v, lower_result_last(l, v, in), c);
	y->stride_a = lower_strides(l, in, y->out);
	l->plan->libm |= c.real && y->function != PLAN_COPY;
	return 0;
}

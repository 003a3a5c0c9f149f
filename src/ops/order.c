/* Order over elements: see order.h. */
#include "ops/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t element_key(const struct tensor *t, int64_t i)
{
	const uint64_t sign = UINT64_C(1) << 63;
	if (t->elem == ELEM_UINT64)
		return ((const uint64_t *)t->data)[i];
	if (!elem_is_float(t->elem))
		return (uint64_t)tensor_int_at(t, i) ^ sign;
	double x = tensor_at(t, i) + 0.0; /* -0 becomes 0 */
	uint64_t bits;
	if (isnan(x))
		return UINT64_MAX;
	memcpy(&bits, &x, sizeof bits);
	return bits & sign ? ~bits : bits | sign;
}

static int compare(const void *a, const void *b)
{
	const struct ranked *p = a, *q = b;
	if (p->key != q->key)
		return p->key < q->key ? -1 : 1;
	return p->index < q->index ? -1 : p->index > q->index;
}

void ranked_sort(struct ranked *r, int64_t n)
{
	qsort(r, (size_t)n, sizeof *r, compare);
}

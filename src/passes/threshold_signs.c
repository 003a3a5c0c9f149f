/* Functions that fall: the sign of the number they are of is turned, in each channel by itself, so that they rise. */
#include "passes/threshold_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/edit.h"
#include "passes/products.h"
#include "passes/ranges.h"

int known_direction(const struct job *j, bool *mixed)
{
	int direction = 1;
	*mixed = false;
	for (size_t i = 0; i < j->chain.count; i++) {
		bool channels_differ;
		int its = elementwise_direction(j->chain.nodes[i], &channels_differ);
		*mixed = *mixed || channels_differ;
		if (!its && !channels_differ) {
			*mixed = false;
			return 0;
		}
		direction *= channels_differ ? 1 : its;
	}
	return *mixed ? 0 : direction;
}
/* Whether the root serves this quantiser alone, through the chain. */
static bool root_is_private(const struct job *j)
{
	if (!value_only_use(j->chain.root))
		return false;
	for (size_t i = 0; i + 1 < j->chain.count; i++)
		if (!value_only_use(j->chain.nodes[i]->outputs[0]))
			return false;
	return true;
}

struct value *signed_root(struct job *j)
{
	struct value *root = j->chain.root;
	struct node *producer = root->producer;
	struct product p;
	bool turned = false;
	for (int64_t c = 0; c < j->chain.channels; c++)
		turned = turned || j->sign[c] < 0;
	if (!turned)
		return root;
	bool per_channel = j->chain.channels > 1;
	if (producer && root_is_private(j) && product_describe(producer, &p) &&
	    (!per_channel || (p.out_axis == j->chain.axis && p.groups * p.out == j->chain.channels))) {
		int64_t outputs = p.groups * p.out;
		double *factors = xcalloc((size_t)outputs, sizeof *factors);
		for (int64_t c = 0; c < outputs; c++)
			factors[c] = j->sign[per_channel ? c : 0];
		struct value *old = node_input(producer, 1);
		struct value *w = value_new_constant(j->graph, old->name, product_scaled(&p, factors, NULL, NULL));
		free(factors);
		w->datatype = datatype_is_signed(old->datatype) ? old->datatype
								: datatype_int(datatype_bits(old->datatype) + 1);
		if (old->datatype.kind == DT_INT) { /* -2 turns into +2 */
			const struct range *r = range_of(j->graph, w);
			struct datatype least = datatype_for_range(r->lo < 0 ? r->lo : -1, r->hi);
			if (least.bits > w->datatype.bits)
				w->datatype = least;
		}
		node_set_input(producer, 1, w);
		range_forget(root);
		const struct range *r = range_of(j->graph, root);
		if (r)
			root->datatype = datatype_for_range(r->lo, r->hi);
		return root;
	}
	struct affine a;
	affine_init(&a, root, per_channel ? j->chain.axis : -1, j->chain.channels);
	memcpy(a.scale, j->sign, (size_t)j->chain.channels * sizeof *a.scale);
	struct value *v = affine_emit(&a, j->graph, j->quantiser, root);
	affine_free(&a);
	v->datatype = datatype_for_range(-j->hi, j->hi > -j->lo ? j->hi : -j->lo);
	const struct range *r = range_of(j->graph, v);
	if (r)
		v->datatype = datatype_for_range(r->lo, r->hi);
	return v;
}

void mirror_points(struct job *j)
{
	int64_t most = j->hi > -j->lo ? j->hi : -j->lo;
	j->lo = -most;
	j->hi = most;
}

/* Looks at both ends of each channel and turns those where the level falls. Points become those of the turned
 * root, which mirrors the range. */
int find_signs(struct job *j, int direction, bool mixed)
{
	int64_t channels = j->chain.channels;
	int64_t *points = xcalloc((size_t)channels * 4, sizeof *points), *levels = points + 2 * channels;
	for (int64_t c = 0; c < channels; c++) {
		points[c] = j->lo;
		points[channels + c] = j->hi;
	}
	int result = levels_at(j, points, levels, 2);
	bool turned = false;
	for (int64_t c = 0; c < channels && result == 0; c++) {
		bool falls = levels[c] > levels[channels + c] || (!mixed && direction < 0 && !j->of_floats);
		j->sign[c] = falls ? -1 : 1;
		turned = turned || falls;
	}
	if (turned)
		mirror_points(j);
	free(points);
	return result;
}

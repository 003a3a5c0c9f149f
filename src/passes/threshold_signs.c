/* Decreasing functions: the sign of their argument is flipped, in each channel separately, so that they increase. */
#include "passes/threshold_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "passes/turn.h"

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

struct value *signed_root(struct job *j)
{
	return turn_root(j->graph, j->quantiser, &j->chain, j->sign);
}

void mirror_points(struct job *j)
{
	int64_t most = j->hi > -j->lo ? j->hi : -j->lo;
	j->lo = -most;
	j->hi = most;
}

/* Looks at both ends of each channel: whether the level falls. */
static int signs_by_ends(struct job *j)
{
	int64_t channels = j->chain.channels;
	int64_t *points = xcalloc((size_t)channels * 4, sizeof *points), *levels = points + 2 * channels;
	for (int64_t c = 0; c < channels; c++) {
		points[c] = j->lo;
		points[channels + c] = j->hi;
	}
	int result = levels_at(j, points, levels, 2);
	for (int64_t c = 0; c < channels && result == 0; c++)
		j->sign[c] = levels[c] > levels[channels + c] ? -1 : 1;
	free(points);
	return result;
}

/* Of integers the operators tell, also where a channel is flat within its range: turning others mirrors the range of all,
 * and beyond its own a flat channel may fall. Points become those of the turned root. */
int find_signs(struct job *j)
{
	int result = 0;
	if (j->of_floats || !chain_directions(&j->chain, j->sign))
		result = signs_by_ends(j);
	bool turned = false;
	for (int64_t c = 0; c < j->chain.channels; c++)
		turned = turned || j->sign[c] < 0;
	if (turned)
		mirror_points(j);
	return result;
}

/* Thresholds by evaluation (thresholds.h), inside: the state while one quantiser is converted, and the functions that
 * the files share. threshold_search.c finds where levels begin, threshold_signs.c turns falling functions,
 * threshold_nodes.c writes nodes, and thresholds.c chooses what goes in and puts the parts together. */
#ifndef QCC_PASSES_THRESHOLD_JOB_H
#define QCC_PASSES_THRESHOLD_JOB_H

#include "passes/thresholds.h"

/* One quantiser with the chain that is to go into it. */
struct job {
	struct graph *graph;
	struct node *quantiser;
	struct chain chain; /* ends with the quantiser itself */
	struct quant_grid grid;
	bool of_floats; /* the root is a float: points are floats in order, see point_value */
	int64_t lo, hi; /* the points */
	int64_t root_lo,
		root_hi; /* integers that the root takes; of points beyond, which only other channels have, the nearest */
	double *sign;	 /* per channel: the function is of sign * point */
	struct diags *diags;
};

/* ---- search (threshold_search.c) ---- */

/* The largest point of float roots; the smallest is its negative. */
enum { LARGEST_FLOAT_POINT = 0x7f7fffff };
/* The number that a point stands for. */
double point_value(const struct job *j, int64_t point);
/* Levels at points[p * channels + c]. 0, or -1 with a diagnostic. */
int levels_at(const struct job *j, const int64_t *points, int64_t *levels, int64_t n);
/* Of functions that never decrease: first[k * channels + c] is the first point of level k + 1; hi + 1 where none is. */
int first_points(const struct job *j, int64_t *first);

/* Where a channel's level changes, and by how much. */
struct level_step {
	int64_t point, change;
};

/* One channel's function, looked at everywhere: the level of its lowest point and its steps. */
struct level_function {
	int64_t first, last;
	struct level_step *items;
	size_t count, capacity;
};

/* A function for each channel; items are malloc'd. 0, or -1 with a diagnostic. */
int evaluate_everywhere(const struct job *j, struct level_function *functions);
/* Whether that many points can be looked at everywhere in all channels. */
bool can_evaluate_everywhere(const struct job *j);

/* ---- signs (threshold_signs.c) ---- */

/* The direction in every channel as the operators alone determine it: 1 increasing, -1 decreasing, 0 where an
 * operator may do both or where parameters of both signs make channels differ (*mixed). */
int known_direction(const struct job *j, bool *mixed);
/* Flips the sign of channels in which the function decreases. 0, or -1 with a diagnostic. */
int find_signs(struct job *j);
/* Points of a root that is turned in some channels: the range and its mirror image. */
void mirror_points(struct job *j);
/* sign * root: by negating the weights that produce it where it has no other use, else by a Mul. */
struct value *signed_root(struct job *j);

/* ---- nodes (threshold_nodes.c) ---- */

/* Thresholds at the points rows[c * n + k], with levels base, base + stride, ... NULL where memory is out. */
struct value *add_thresholds(const struct job *j, struct value *x, const int64_t *rows, int64_t n, int64_t base,
			     int64_t stride, struct datatype type);
/* The nodes that give the quantiser's own numbers from the integers q; certified where asked, then put in its place.
 * up and down are the new thresholds, down NULL where there is but one. 1, or -1 with a diagnostic. */
int replace_quantiser(const struct job *j, struct value *q, const struct absorb_options *o, struct node *up,
		      struct node *down);

#endif

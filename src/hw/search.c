/* The exact folding search; see search.h for what it finds and why it is exact. */
#include "hw/search.h"

#include <stdlib.h>
#include <string.h>

#include "util/vec.h"

/* A choice for the first units: what it costs, and how it came about. */
struct state {
	int64_t cost[FOLD_COSTS];
	size_t option, parent; /* parent: index among the states of the unit before */
};

struct states {
	struct state *items;
	size_t count, capacity;
};

static int compare_cost(const void *a, const void *b)
{
	const struct state *x = a, *y = b;
	for (int i = 0; i < FOLD_COSTS; i++)
		if (x->cost[i] != y->cost[i])
			return x->cost[i] < y->cost[i] ? -1 : 1;
	return 0;
}

/* In every limited resource x takes no more than y. */
static bool takes_no_more(const struct fold_problem *p, const struct state *x, const struct state *y)
{
	for (int r = 0; r < FOLD_RESOURCES; r++)
		if (p->limit[r] >= 0 && x->cost[r] > y->cost[r])
			return false;
	return true;
}

/* Sorts by cost and keeps what no cheaper state dominates: whatever completes a dominated one completes the
 * other too, at no higher cost. */
static void prune(const struct fold_problem *p, struct states *s)
{
	size_t kept = 0;
	if (s->count)
		qsort(s->items, s->count, sizeof *s->items, compare_cost);
	for (size_t i = 0; i < s->count; i++) {
		bool dominated = false;
		for (size_t k = kept; k > 0 && !dominated; k--)
			dominated = takes_no_more(p, &s->items[k - 1], &s->items[i]);
		if (!dominated)
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
}

int64_t fold_least(const struct fold_unit *u, int64_t cycles, enum fold_cost resource)
{
	int64_t least = -1;
	for (size_t i = 0; i < u->count; i++)
		if (u->options[i].cycles <= cycles && (least < 0 || u->options[i].cost[resource] < least))
			least = u->options[i].cost[resource];
	return least;
}

/* rest[u * FOLD_RESOURCES + r]: the least that units u, u + 1, ... take of r. NULL where a unit has no option. */
static int64_t *least_rest(const struct fold_problem *p, int64_t cycles)
{
	int64_t *rest = xcalloc((p->count + 1) * FOLD_RESOURCES, sizeof *rest);
	for (size_t u = p->count; u > 0; u--)
		for (int r = 0; r < FOLD_RESOURCES; r++) {
			int64_t least = fold_least(&p->units[u - 1], cycles, (enum fold_cost)r);
			if (least < 0) {
				free(rest);
				return NULL;
			}
			rest[(u - 1) * FOLD_RESOURCES + (size_t)r] = rest[u * FOLD_RESOURCES + (size_t)r] + least;
		}
	return rest;
}

/* The options of a unit within the bound that no other dominates, as states. */
static struct states options_of(const struct fold_problem *p, size_t u, int64_t cycles)
{
	struct states s = { 0 };
	for (size_t i = 0; i < p->units[u].count; i++) {
		const struct fold_option *o = &p->units[u].options[i];
		struct state one = { .option = i };
		memcpy(one.cost, o->cost, sizeof one.cost);
		if (o->cycles <= cycles)
			vec_push(&s, one);
	}
	prune(p, &s);
	return s;
}

static bool within(const struct fold_problem *p, const struct state *s, const int64_t *rest)
{
	for (int r = 0; r < FOLD_RESOURCES; r++)
		if (p->limit[r] >= 0 && s->cost[r] + rest[r] > p->limit[r])
			return false;
	return true;
}

/* All states after unit u from those before it. */
static struct states extend(const struct fold_problem *p, const struct states *before, size_t u, int64_t cycles,
			    const int64_t *rest)
{
	struct states after = { 0 }, options = options_of(p, u, cycles);
	for (size_t i = 0; i < before->count; i++)
		for (size_t k = 0; k < options.count; k++) {
			struct state s = { .option = options.items[k].option, .parent = i };
			for (int c = 0; c < FOLD_COSTS; c++)
				s.cost[c] = before->items[i].cost[c] + options.items[k].cost[c];
			if (within(p, &s, rest))
				vec_push(&after, s);
		}
	vec_free(&options);
	prune(p, &after);
	return after;
}

bool fold_cheapest(const struct fold_problem *p, int64_t cycles, size_t *chosen)
{
	int64_t *rest = least_rest(p, cycles);
	struct states *levels = rest ? xcalloc(p->count + 1, sizeof *levels) : NULL;
	bool found = rest != NULL;
	if (rest)
		vec_push(&levels[0], ((struct state){ 0 }));
	for (size_t u = 0; found && u < p->count; u++) {
		levels[u + 1] = extend(p, &levels[u], u, cycles, rest + (u + 1) * FOLD_RESOURCES);
		found = levels[u + 1].count > 0;
	}
	for (size_t u = p->count, at = 0; found && u > 0; u--) { /* the first state is the cheapest */
		chosen[u - 1] = levels[u].items[at].option;
		at = levels[u].items[at].parent;
	}
	for (size_t u = 0; levels && u <= p->count; u++)
		vec_free(&levels[u]);
	free(levels);
	free(rest);
	return found;
}

static int compare_int(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int64_t *fold_cycle_counts(const struct fold_problem *p, size_t *count)
{
	size_t total = 0, n = 0;
	for (size_t u = 0; u < p->count; u++)
		total += p->units[u].count;
	int64_t *all = xcalloc(total + 1, sizeof *all);
	for (size_t u = 0; u < p->count; u++)
		for (size_t i = 0; i < p->units[u].count; i++)
			all[n++] = p->units[u].options[i].cycles;
	qsort(all, n, sizeof *all, compare_int);
	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (!*count || all[*count - 1] != all[i])
			all[(*count)++] = all[i];
	return all;
}

int64_t fold_fastest(const struct fold_problem *p, size_t *chosen)
{
	size_t count, lo = 0;
	int64_t *cycles = fold_cycle_counts(p, &count), best = -1;
	size_t hi = count; /* what is feasible at a bound is so at any larger one */
	while (lo < hi) {
		size_t middle = (lo + hi) / 2;
		if (fold_cheapest(p, cycles[middle], chosen))
			hi = middle;
		else
			lo = middle + 1;
	}
	if (lo < count && fold_cheapest(p, cycles[lo], chosen))
		best = cycles[lo];
	if (!p->count)
		best = 0;
	free(cycles);
	return best;
}

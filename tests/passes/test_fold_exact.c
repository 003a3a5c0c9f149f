/* The folding search against enumeration: random chains of MVAU layers, random bounds and limits. What the search
 * finds must cost exactly what the best of all combinations costs, and exist exactly where one does. */
#include "../unit/test.h"

#include "hw/folding.h"
#include "ops/op.h"

enum { CASES = 240, MAX_LAYERS = 3, MAX_CHOICES = 400 };

static uint32_t next_random(uint32_t *state, uint32_t bound)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % bound;
}

/* ---- networks ---- */

static void add_layer(struct graph *g, struct value **x, int64_t mw, int64_t mh, uint32_t *seed)
{
	static const char *const types[] = { "BIPOLAR", "INT2", "INT4", "INT8" };
	static const char *const inputs[] = { "BIPOLAR", "UINT2", "UINT4", "INT8" };
	struct value *w = value_new_constant(g, "w", tensor_new(ELEM_FLOAT, 2, (int64_t[]){ mw, mh }));
	struct value *in[] = { *x, w };
	struct node *n = node_new(g, NULL, DOMAIN_FINN, "MVAU", in, 2, 1, "y");
	static const int64_t one = 1;
	node_set_int(n, "MW", mw);
	node_set_int(n, "MH", mh);
	node_set_int(n, "PE", 1);
	node_set_int(n, "SIMD", 1);
	node_set_string(n, "inputDataType", inputs[next_random(seed, 4)]);
	node_set_string(n, "weightDataType", types[next_random(seed, 4)]);
	node_set_string(n, "outputDataType", "UINT2");
	node_set_string(n, "accDataType", "INT12");
	node_set_int(n, "noActivation", 1);
	node_set_ints(n, "numInputVectors", &one, 1);
	*x = n->outputs[0];
}

static struct graph *random_network(uint32_t *seed)
{
	static const int64_t sizes[] = { 1, 2, 4, 6, 8, 12, 16 };
	struct graph *g = graph_new();
	struct value *x = value_new(g, "x");
	int64_t width = sizes[next_random(seed, 7)];
	graph_add_input(g, x);
	size_t layers = 1 + next_random(seed, MAX_LAYERS);
	for (size_t i = 0; i < layers; i++) {
		int64_t next = sizes[next_random(seed, 5)];
		add_layer(g, &x, width, next, seed);
		width = next;
	}
	graph_add_output(g, x, "y");
	return g;
}

/* ---- enumeration ---- */

struct alternatives {
	struct hw_cost cost[MAX_CHOICES];
	size_t count;
};

static bool wide_enough(const struct hw_layer *l, const struct hw_choice *c, int64_t bits)
{
	int64_t widest = l->weight_bits * c->pe * c->simd;
	widest = l->in_bits * c->simd > widest ? l->in_bits * c->simd : widest;
	widest = l->out_bits * c->pe > widest ? l->out_bits * c->pe : widest;
	return !bits || widest <= bits;
}

/* All ways to build a layer, listed without the library's own listing. */
static void list_alternatives(const struct node *n, const struct folding_rules *r, struct alternatives *a)
{
	struct hw_layer l;
	struct diags d = { 0 };
	assert_int_equal(hw_layer_read(n, &l, &d), 0);
	for (int64_t pe = 1; pe <= l.mh; pe++)
		for (int64_t simd = 1; simd <= l.mw; simd++)
			for (int v = 0; v < 4; v++) {
				struct hw_choice c = { pe, simd, v & 1 ? HW_RAM_DISTRIBUTED : HW_RAM_AUTO, v & 2,
						       false };
				if (l.mh % pe || l.mw % simd || ((v & 2) && r->limit[FOLD_DSP] <= 0) ||
				    !wide_enough(&l, &c, r->max_stream_bits))
					continue;
				assert_true(a->count < MAX_CHOICES);
				a->cost[a->count++] = hw_layer_cost(&l, &c);
			}
}

static void as_array(const struct hw_cost *c, int64_t sum[FOLD_COSTS])
{
	sum[FOLD_LUT] += c->lut;
	sum[FOLD_BRAM] += c->bram;
	sum[FOLD_DSP] += c->dsp;
	sum[FOLD_URAM] += c->uram;
	sum[FOLD_CYCLES] += c->cycles;
}

static int compare(const int64_t *a, const int64_t *b)
{
	for (int i = 0; i < FOLD_COSTS; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* The best of all combinations for a bound, and the least bound for which any is feasible (-1: none). */
static bool enumerate(const struct alternatives *a, size_t layers, const struct folding_rules *r, int64_t bound,
		      int64_t best[FOLD_COSTS], int64_t *fastest)
{
	size_t at[MAX_LAYERS] = { 0 };
	bool found = false;
	*fastest = -1;
	for (;;) {
		int64_t sum[FOLD_COSTS] = { 0 }, slowest = 0;
		for (size_t i = 0; i < layers; i++) {
			as_array(&a[i].cost[at[i]], sum);
			slowest = a[i].cost[at[i]].cycles > slowest ? a[i].cost[at[i]].cycles : slowest;
		}
		bool fits = true;
		for (int i = 0; i < FOLD_RESOURCES; i++)
			fits = fits && (r->limit[i] < 0 || sum[i] <= r->limit[i]);
		if (fits && (*fastest < 0 || slowest < *fastest))
			*fastest = slowest;
		if (fits && slowest <= bound && (!found || compare(sum, best) < 0)) {
			memcpy(best, sum, sizeof sum);
			found = true;
		}
		size_t i = 0;
		while (i < layers && ++at[i] == a[i].count)
			at[i++] = 0;
		if (i == layers)
			return found;
	}
}

/* ---- the comparison ---- */

static struct folding_rules random_rules(uint32_t *seed)
{
	struct folding_rules r = { .limit = { -1, -1, -1, -1 } };
	if (next_random(seed, 2))
		r.limit[FOLD_LUT] = 400 + next_random(seed, 2600);
	if (next_random(seed, 2))
		r.limit[FOLD_BRAM] = next_random(seed, 6);
	if (next_random(seed, 2))
		r.limit[FOLD_DSP] = next_random(seed, 12);
	if (next_random(seed, 4) == 0)
		r.max_stream_bits = 8 + next_random(seed, 60);
	return r;
}

static void check_cost(const struct folding *f, const size_t *chosen, const int64_t *best)
{
	int64_t sum[FOLD_COSTS] = { 0 };
	for (size_t u = 0; u < f->count; u++)
		for (int i = 0; i < FOLD_COSTS; i++)
			sum[i] += f->options[u].options[chosen[u]].cost[i];
	for (int i = 0; i < FOLD_COSTS; i++)
		assert_int_equal(sum[i], best[i]);
}

static void check_network(struct graph *g, const struct folding_rules *r, uint32_t *seed)
{
	static struct alternatives a[MAX_LAYERS];
	struct folding f = { .clock_mhz = 100 };
	struct diags d = { 0 };
	int64_t best[FOLD_COSTS], fastest, bound = 1 + next_random(seed, 120);
	size_t layers = 0, chosen[MAX_LAYERS];
	memset(a, 0, sizeof a);
	graph_for_each_node (g, n)
		list_alternatives(n, r, &a[layers++]);
	bool any = true;
	for (size_t i = 0; i < layers; i++)
		any = any && a[i].count;
	assert_int_equal(folding_read(&f, g, r, &d) == 0, any);
	if (any) {
		struct fold_problem p = folding_problem(&f, r);
		bool expected = enumerate(a, layers, r, bound, best, &fastest);
		assert_int_equal(fold_cheapest(&p, bound, chosen), expected);
		if (expected)
			check_cost(&f, chosen, best);
		assert_int_equal(fold_fastest(&p, chosen), fastest);
		if (fastest > 0) {
			assert_true(enumerate(a, layers, r, fastest, best, &fastest));
			check_cost(&f, chosen, best);
		}
	}
	folding_free(&f);
	diags_free(&d);
}

static void finds_the_optimum(void **state)
{
	uint32_t seed = 7;
	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct graph *g = random_network(&seed);
		struct folding_rules r = random_rules(&seed);
		check_network(g, &r, &seed);
		graph_free(g);
	}
	print_message("# %d networks, search equal to enumeration\n", CASES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_the_optimum) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

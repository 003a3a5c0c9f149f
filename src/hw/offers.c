/* Padding that would pay: a matrix whose MW or MH has few divisors (593 = 593 x 1) can be folded only coarsely;
 * with a few columns or rows of zeros more (600) it takes less at the same rate. */
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "util/strbuf.h"

enum { MAX_PADDING_PERCENT = 10, MIN_GAIN_PERCENT = 3 };

/* Least LUTs with that SIMD over all PE within the bound, and what was known before; -1 where nothing keeps to it. */
static int64_t least_over_pe(const struct hw_layer *l, int64_t simd, int64_t cycles, int64_t least)
{
	for (int64_t pe = 1; pe <= l->mh; pe++) {
		struct hw_choice c = { .pe = pe, .simd = simd, .ram = l->now.ram, .dsp = l->now.dsp };
		if (l->mh % pe || l->mw * l->mh / (pe * simd) * l->vectors > cycles)
			continue;
		int64_t lut = hw_layer_cost(l, &c).lut;
		least = least < 0 || lut < least ? lut : least;
	}
	return least;
}

/* Least LUTs of an MVAU (in the memory it has now) within the bound; -1 where none keeps to it. */
static int64_t least_luts(const struct hw_layer *l, int64_t cycles)
{
	int64_t least = -1;
	for (int64_t d = 1; d * d <= l->mw; d++) {	/* divisors come in pairs */
		if (l->mw % d)
			continue;
		least = least_over_pe(l, d, cycles, least);
		if (d * d != l->mw)
			least = least_over_pe(l, l->mw / d, cycles, least);
	}
	return least;
}

/* The MVAU that reads l's output and nothing else between; NULL where none does. */
static const struct hw_layer *next_mvau(const struct folding *f, const struct hw_layer *l)
{
	const struct use *u = value_only_use(node_output(l->node, 0));
	for (size_t i = 0; u && u->user && i < f->count; i++)
		if (f->units[i].nodes[0] == u->user && f->units[i].layers[0].kind == HW_MVAU &&
		    f->units[i].layers[0].mw == l->mh)
			return &f->units[i].layers[0];
	return NULL;
}

struct offer {
	int64_t from, to, before, after;	/* the dimension; LUTs of the layers it concerns */
};

/* LUTs of a and b (may be NULL) with a's MW (columns) or a's MH and b's MW (rows) set to `to`; -1: not possible. */
static int64_t luts_padded(const struct hw_layer *a, const struct hw_layer *b, bool columns, int64_t to,
			   int64_t cycles)
{
	struct hw_layer first = *a;
	if (columns) {
		first.mw = first.max_simd = to;
		return least_luts(&first, cycles);
	}
	first.mh = first.max_pe = to;
	int64_t sum = least_luts(&first, cycles);
	if (sum >= 0 && b) {
		struct hw_layer second = *b;
		second.mw = second.max_simd = to;
		int64_t more = least_luts(&second, cycles);
		sum = more < 0 ? -1 : sum + more;
	}
	return sum;
}

static bool find_offer(const struct hw_layer *a, const struct hw_layer *b, bool columns, int64_t cycles,
		       struct offer *best)
{
	int64_t from = columns ? a->mw : a->mh;
	*best = (struct offer){ from, from, luts_padded(a, b, columns, from, cycles), INT64_MAX };
	for (int64_t to = from + 1; to <= from + from * MAX_PADDING_PERCENT / 100 + 1; to++) {
		int64_t luts = luts_padded(a, b, columns, to, cycles);
		if (luts >= 0 && luts < best->after) {
			best->to = to;
			best->after = luts;
		}
	}
	return best->to > from &&
	       (best->before < 0 || best->after * 100 <= best->before * (100 - MIN_GAIN_PERCENT));
}

static void say(const struct hw_layer *l, bool columns, const struct offer *o, json_t *offers, struct diags *d)
{
	const char *what = columns ? "MW" : "MH";
	json_t *entry = json_pack("{s:s, s:s, s:I, s:I, s:I}", "layer", node_label(l->node), "dimension", what, "from",
				  (json_int_t)o->from, "to", (json_int_t)o->to, "LUT_after", (json_int_t)o->after);
	json_object_set_new(entry, "LUT_before", o->before < 0 ? json_null() : json_integer(o->before));
	json_array_append_new(offers, entry);
	if (o->before < 0)
		diag_note(d, DIAG_NOTE, l->node, NULL, "padding %s from %lld to %lld would meet the bound, at %lld LUT",
			  what, (long long)o->from, (long long)o->to, (long long)o->after);
	else
		diag_note(d, DIAG_NOTE, l->node, NULL,
			  "padding %s from %lld to %lld (better divisors) would take %lld LUT instead of %lld", what,
			  (long long)o->from, (long long)o->to, (long long)o->after, (long long)o->before);
}

struct node *folding_offer_first(const struct folding *f, const size_t *chosen, int64_t cycles, int64_t *to)
{
	struct offer o;
	for (size_t u = 0; u < f->count; u++) {
		struct hw_layer l = f->units[u].layers[0];
		if (l.kind != HW_MVAU)
			continue;
		l.now = f->units[u].choices[chosen[u]][0];
		if (!find_offer(&l, NULL, true, cycles, &o))
			return NULL;
		*to = o.to;
		return f->units[u].nodes[0];
	}
	return NULL;
}

void folding_offers(const struct folding *f, const size_t *chosen, int64_t cycles, json_t *report, struct diags *d)
{
	json_t *offers = json_array();
	bool first = true;
	for (size_t u = 0; u < f->count; u++) {
		struct hw_layer l = f->units[u].layers[0];
		struct offer o;
		if (l.kind != HW_MVAU)
			continue;
		if (chosen)
			l.now = f->units[u].choices[chosen[u]][0];
		if (first && find_offer(&l, NULL, true, cycles, &o))
			say(&l, true, &o, offers, d);
		first = false;
		if (next_mvau(f, &l) && find_offer(&l, next_mvau(f, &l), false, cycles, &o))
			say(&l, false, &o, offers, d);
	}
	if (json_array_size(offers))
		json_object_set(report, "offers", offers);
	json_decref(offers);
}

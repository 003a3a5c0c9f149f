/* The figures of a folded graph for report.json: each layer and the network. */
#include <stdlib.h>
#include <string.h>

#include "hw/design.h"
#include "hw/folding.h"
#include "hw/kind.h"

struct totals {
	struct hw_cost sum; /* cycles: of the slowest layer */
	int64_t weight_bits;
	size_t layers, converters;
	const char *slowest;
};

static json_t *layer_object(const struct hw_layer *l, const struct hw_cost *cost)
{
	const struct hw_choice *c = &l->now;
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "layer", node_label(l->node), "op",
			      l->node->op->name, "PE", (json_int_t)c->pe, "SIMD", (json_int_t)c->simd, "cycles",
			      (json_int_t)cost->cycles, "LUT", (json_int_t)cost->lut, "BRAM_18K",
			      (json_int_t)cost->bram, "URAM", (json_int_t)cost->uram, "DSP", (json_int_t)cost->dsp,
			      "vectors", (json_int_t)l->vectors);
	json_object_set_new(o, "input_bits", json_integer(hw_width(hw_input(l, c, 0))));
	json_object_set_new(o, "output_bits", json_integer(hw_width(hw_output(l, c, 0))));
	if (hw_weight_bits(l)) {
		json_object_set_new(o, "MW", json_integer(l->mw));
		json_object_set_new(o, "MH", json_integer(l->mh));
		json_object_set_new(o, "accumulator_bits", json_integer(l->acc_bits));
		json_object_set_new(o, "weight_stream_bits", json_integer(hw_weight_width(l, c)));
		json_object_set_new(o, "weight_bits", json_integer(hw_weight_bits(l)));
		json_object_set_new(o, "weight_memory_efficiency", json_real(hw_weight_efficiency(l, c)));
		json_object_set_new(o, "ram_style", json_string(hw_ram_name(c->ram)));
		json_object_set_new(o, "multipliers", json_string(c->dsp ? "dsp" : "lut"));
	}
	return o;
}

static void add_cost(struct hw_cost *sum, const struct hw_cost *cost)
{
	sum->lut += cost->lut;
	sum->bram += cost->bram;
	sum->uram += cost->uram;
	sum->dsp += cost->dsp;
}

static void add_layer(struct totals *t, const struct hw_layer *l, const struct hw_cost *cost)
{
	add_cost(&t->sum, cost);
	if (cost->cycles > t->sum.cycles) {
		t->sum.cycles = cost->cycles;
		t->slowest = node_label(l->node);
	}
	t->weight_bits += hw_weight_bits(l);
	t->layers++;
	t->converters += l->kind->flags & HW_CONVERTER ? 1 : 0;
}

/* Converters that a backend will add, where insert-dwc has not: no limit of fold counts them. */
static void add_converters(json_t *network, const struct totals *t, const struct design *p)
{
	struct hw_cost sum = { 0 };
	size_t count = 0;
	for (size_t i = 0; i < p->n_layers; i++)
		if (p->layers[i].l.kind->flags & HW_CONVERTER) {
			add_cost(&sum, &p->layers[i].cost);
			count++;
		}
	if (count <= t->converters)
		return;
	json_object_set_new(network, "converters_to_add", json_integer((json_int_t)(count - t->converters)));
	json_object_set_new(network, "converters_LUT", json_integer(sum.lut));
}

/* The latency is that of the schedule where that is simulated, under the name that it has there; else a bound, under
 * another name. */
static json_t *network_object(const struct totals *t, const struct design *p)
{
	int64_t cycles = t->sum.cycles > 0 ? t->sum.cycles : 1, latency = p->schedule.latency;
	bool exact = p->schedule.simulated;
	json_t *o = json_pack("{s:f, s:s, s:I, s:f, s:I, s:f, s:s?, s:I, s:I, s:I, s:I, s:I}", "clock_mhz",
			      p->clock_mhz, "part", p->part, "cycles", (json_int_t)t->sum.cycles, "fps",
			      p->clock_mhz * 1e6 / (double)cycles, exact ? "latency_cycles" : "latency_bound_cycles",
			      (json_int_t)latency, exact ? "latency_us" : "latency_bound_us",
			      (double)latency / p->clock_mhz, "bottleneck", t->slowest, "LUT", (json_int_t)t->sum.lut,
			      "BRAM_18K", (json_int_t)t->sum.bram, "URAM", (json_int_t)t->sum.uram, "DSP",
			      (json_int_t)t->sum.dsp, "weight_bits", (json_int_t)t->weight_bits);
	add_converters(o, t, p);
	return o;
}

static void mark_bottleneck(json_t *layers, int64_t cycles)
{
	size_t i;
	json_t *layer;
	json_array_foreach(layers, i, layer) json_object_set_new(
		layer, "bottleneck", json_boolean(json_integer_value(json_object_get(layer, "cycles")) == cycles));
}

static int add_layers(const struct graph *g, struct totals *t, json_t *layers, struct diags *d)
{
	graph_for_each_node (g, n) {
		struct hw_layer l;
		if (!hw_kind_of(n))
			continue;
		if (hw_layer_read(n, &l, d) != 0)
			return -1;
		struct hw_cost cost = hw_layer_cost(&l, &l.now);
		add_layer(t, &l, &cost);
		json_array_append_new(layers, layer_object(&l, &cost));
	}
	mark_bottleneck(layers, t->sum.cycles);
	return 0;
}

int folding_report_design(const struct graph *g, const struct design *p, json_t *report, struct diags *d)
{
	struct totals t = { 0 };
	json_t *layers = json_array();
	int result = add_layers(g, &t, layers, d);
	if (result == 0)
		json_object_set_new(report, "network", network_object(&t, p));
	json_object_set_new(report, "layers", layers);
	return result;
}

int folding_report(const struct graph *g, json_t *report, struct diags *d)
{
	struct design p;
	int result = design_read(&p, g, &(struct design_options){ .simulate = SCHEDULE_QUICK }, d);
	if (result == 0)
		result = folding_report_design(g, &p, report, d);
	design_free(&p);
	return result;
}

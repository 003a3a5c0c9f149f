/* What a folded graph amounts to, for report.json: each layer and the network. */
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "ops/op.h"

struct totals {
	struct hw_cost sum; /* cycles: of the slowest layer */
	int64_t latency;    /* cycles on the longest path, layer after layer */
	int64_t weight_bits;
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

static void add_layer(struct totals *t, const struct hw_layer *l, const struct hw_cost *cost, int64_t *done)
{
	int64_t start = 0;
	for (uint32_t i = 0; i < l->node->n_inputs; i++) {
		const struct value *v = node_input(l->node, i);
		if (v && v->producer && done[v->producer->id] > start)
			start = done[v->producer->id];
	}
	done[l->node->id] = start + cost->cycles;
	if (done[l->node->id] > t->latency)
		t->latency = done[l->node->id];
	if (cost->cycles > t->sum.cycles) {
		t->sum.cycles = cost->cycles;
		t->slowest = node_label(l->node);
	}
	t->sum.lut += cost->lut;
	t->sum.bram += cost->bram;
	t->sum.uram += cost->uram;
	t->sum.dsp += cost->dsp;
	t->weight_bits += hw_weight_bits(l);
}

static json_t *network_object(const struct totals *t, double clock_mhz)
{
	int64_t cycles = t->sum.cycles > 0 ? t->sum.cycles : 1;
	return json_pack("{s:f, s:I, s:f, s:I, s:f, s:s?, s:I, s:I, s:I, s:I, s:I}", "clock_mhz", clock_mhz, "cycles",
			 (json_int_t)t->sum.cycles, "fps", clock_mhz * 1e6 / (double)cycles, "latency_cycles",
			 (json_int_t)t->latency, "latency_us", (double)t->latency / clock_mhz, "bottleneck", t->slowest,
			 "LUT", (json_int_t)t->sum.lut, "BRAM_18K", (json_int_t)t->sum.bram, "URAM",
			 (json_int_t)t->sum.uram, "DSP", (json_int_t)t->sum.dsp, "weight_bits",
			 (json_int_t)t->weight_bits);
}

static void mark_bottleneck(json_t *layers, int64_t cycles)
{
	size_t i;
	json_t *layer;
	json_array_foreach(layers, i, layer) json_object_set_new(
		layer, "bottleneck", json_boolean(json_integer_value(json_object_get(layer, "cycles")) == cycles));
}

int folding_report(const struct graph *g, double clock_mhz, json_t *report, struct diags *d)
{
	struct totals t = { 0 };
	int64_t *done = calloc((size_t)g->next_node_id + 1, sizeof *done);
	json_t *layers = json_array();
	int result = done ? 0 : -1;
	graph_for_each_node (g, n) {
		struct hw_layer l;
		if (!done || !hw_kind_of(n)) {
			for (uint32_t i = 0; done && i < n->n_inputs; i++) {
				const struct value *v = node_input(n, i);
				if (v && v->producer && done[v->producer->id] > done[n->id])
					done[n->id] = done[v->producer->id];
			}
			continue;
		}
		if (hw_layer_read(n, &l, d) != 0) {
			result = -1;
			break;
		}
		struct hw_cost cost = hw_layer_cost(&l, &l.now);
		add_layer(&t, &l, &cost, done);
		json_array_append_new(layers, layer_object(&l, &cost));
	}
	mark_bottleneck(layers, t.sum.cycles);
	json_object_set_new(report, "layers", layers);
	json_object_set_new(report, "network", network_object(&t, clock_mhz));
	free(done);
	return result;
}

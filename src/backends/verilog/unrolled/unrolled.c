/* From layers to gates: each layer is a matrix with constants and perhaps thresholds. */
#include "backends/verilog/unrolled/unrolled.h"

#include <stdlib.h>

#include "backends/verilog/unrolled/activate.h"
#include "backends/verilog/unrolled/heap.h"
#include "backends/verilog/unrolled/share.h"
#include "backends/verilog/unrolled/tables.h"
#include "hw/kind.h"
#include "ops/op.h"
#include "util/integers.h"

enum {
	MOST_ROWS = 1024,
	MOST_INPUTS = 4096,
	TABLE_INPUTS = 8 /* bits up to which a table takes no more LUTs than adders and comparisons */
};

/* ---- which layers ---- */

static bool is_supported(const struct node *n)
{
	static const struct op *const ops[] = { &op_MVAU, &op_Thresholding, &op_AddStreams, &op_ChannelwiseOp,
						&op_DuplicateStreams };
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (n->op == ops[i])
			return true;
	return hw_kind_of(n)->flags & (HW_QUEUE | HW_CONVERTER);
}

static int check_layer(const struct node *n, const struct hw_layer *l, struct diags *d)
{
	if (!is_supported(n))
		return diag_node_error(d, n, "fold it instead (verilog without unrolled)",
				       "one frame a cycle is for dense networks; it has no form for %s", n->op->name);
	if (n->op == &op_ChannelwiseOp && l->function != HW_ADD && l->function != HW_MUL)
		return diag_node_error(d, n, "fold it instead (verilog without unrolled)",
				       "one frame a cycle has no form for comparisons with constants");
	if (l->elements[0] > MOST_INPUTS || l->elements[1] > MOST_ROWS || l->vectors > 1)
		return diag_node_error(d, n, "fold it instead (verilog without unrolled)",
				       "is too large for one frame a cycle: %lld numbers in, %lld out",
				       (long long)l->elements[0], (long long)l->elements[1]);
	return 0;
}

/* Queues and converters have no place in it. */
static int prepare_layer(struct node *n, struct diags *d)
{
	struct hw_layer l;
	if (hw_kind_of(n)->flags & (HW_QUEUE | HW_CONVERTER)) {
		value_replace_uses(node_output(n, 0), node_input(n, 0));
		node_remove(n);
		return 0;
	}
	if (hw_layer_read(n, &l, d) != 0 || check_layer(n, &l, d) != 0)
		return -1;
	struct hw_choice all = l.now;
	all.pe = l.max_pe;
	all.simd = l.max_simd;
	hw_layer_write(n, &l, &all);
	return 0;
}

struct graph *unrolled_graph(const struct graph *g, struct diags *d)
{
	struct graph *copy = graph_copy(g);
	struct node *next;
	for (struct node *n = copy->first; n; n = next) {
		next = n->next;
		if (hw_kind_of(n) && prepare_layer(n, d) != 0) {
			graph_free(copy);
			return NULL;
		}
	}
	return copy;
}

/* ---- layers as matrices ---- */

/* An element of a stream. */
struct element {
	struct net_number x;
	int64_t lo, hi;
};

/* rows of coefficients over the elements of all its inputs, a constant each, and thresholds (steps 0: none). */
struct matrix {
	int64_t rows, columns, steps, base;
	int64_t *weights, *constants, *thresholds;
};

struct build {
	const struct verilog_design *p;
	struct netlist net;
	struct element **streams; /* of each stream of the design */
	int table_bits;		  /* neurons of so many input bits become tables */
	int64_t tables;		  /* how many did */
	struct diags *d;
};

static int64_t elements_of(const struct design_stream *s)
{
	return s->words.elements * s->words.words;
}

static void identity(struct matrix *m, int64_t parts)
{
	for (int64_t r = 0; r < m->rows; r++)
		for (int64_t part = 0; part < parts; part++)
			m->weights[r * m->columns + part * m->rows + r] = 1;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void read_thresholds(struct matrix *m, const struct hw_layer *l, const struct hw_memory *memory)
{
	m->steps = memory->elements;
	m->thresholds = xcalloc((size_t)(m->rows * m->steps) + 1, sizeof *m->thresholds);
	for (int64_t r = 0; r < m->rows; r++) {
		int64_t *row = m->thresholds + r * m->steps;
		for (int64_t j = 0; j < m->steps; j++)
			row[j] = hw_memory_at(memory, r, 0, j);
		qsort(row, (size_t)m->steps, sizeof *row, ascending);
	}
	if (hw_datatype(l->node, "outputDataType").kind != DT_BIPOLAR)
		m->base = node_attr_int(l->node, "ActVal", 0);
}

/* Counting equal bits, a weight of -1 counts the input's inverse. */
static void read_weights(struct matrix *m, const struct hw_layer *l, const struct hw_memory *memory)
{
	bool counts = hw_counts_bits(l->node);
	for (int64_t r = 0; r < m->rows; r++)
		for (int64_t c = 0; c < m->columns; c++) {
			int64_t w = hw_memory_at(memory, r, 0, c);
			m->weights[r * m->columns + c] = counts ? (w > 0 ? 1 : -1) : w;
			m->constants[r] += counts && w <= 0;
		}
}

static int read_matrix(const struct build *b, const struct design_layer *layer, struct matrix *m)
{
	const struct hw_layer *l = &layer->l;
	const struct op *op = l->node->op;
	struct hw_memory memories[HW_MEMORIES];
	int count = hw_memories(l, memories, b->d);
	*m = (struct matrix){ .rows = elements_of(&b->p->design.streams[layer->out[0]]) };
	for (size_t i = 0; i < layer->n_in; i++)
		m->columns += elements_of(&b->p->design.streams[layer->in[i]]);
	m->weights = xcalloc((size_t)(m->rows * m->columns) + 1, sizeof *m->weights);
	m->constants = xcalloc((size_t)m->rows + 1, sizeof *m->constants);
	if (count < 0)
		return -1;
	if (op == &op_MVAU)
		read_weights(m, l, &memories[0]);
	else
		identity(m, (int64_t)layer->n_in);
	if (op == &op_Thresholding || (op == &op_MVAU && count > 1))
		read_thresholds(m, l, &memories[op == &op_MVAU]);
	for (int64_t r = 0; op == &op_ChannelwiseOp && r < m->rows; r++)
		*(l->function == HW_MUL ? &m->weights[r * m->columns + r] : &m->constants[r]) =
			hw_memory_at(&memories[0], r, 0, 0);
	for (int i = 0; i < count; i++)
		hw_memory_free(&memories[i]);
	return 0;
}

static void free_matrix(struct matrix *m)
{
	free(m->weights);
	free(m->constants);
	free(m->thresholds);
}

/* ---- sums ---- */

/* The rows of one layer while they are built. */
struct sums {
	struct build *b;
	struct share share;
	const struct element *inputs;
	struct net_number *done;  /* bits NULL: not yet */
	struct activation *plans; /* of the layer's own rows */
	const struct matrix *m;
};

/* Makes the heap's offset what the row's thresholds ask for. */
static void meet_plan(const struct sums *s, size_t row, struct heap *h)
{
	if ((int64_t)row >= s->m->rows || !s->plans[row].width)
		return;
	const struct activation *a = &s->plans[row];
	int64_t codes = (a->steps + 1) >> a->period << a->width;
	int64_t more = (a->offset + s->m->constants[row] + h->constant) % codes;
	more += more < 0 ? codes : 0;
	heap_put_constant(h, more);
	h->constant -= more;
}

static struct net_number build_row(struct sums *s, size_t row)
{
	if (s->done[row].bits)
		return s->done[row];
	const struct share_row *r = &s->share.rows.items[row];
	struct heap h = { 0 };
	for (size_t i = 0; i < r->count; i++) {
		const struct share_digit *digit = &r->items[i];
		struct net_number x = digit->signal < s->share.n_inputs
					      ? s->inputs[digit->signal].x
					      : build_row(s, (size_t)(digit->signal - s->share.n_inputs));
		heap_add(&h, x, digit->shift, digit->negative);
	}
	meet_plan(s, row, &h);
	struct net_number sum = heap_sum(&h, &s->b->net, bits_of_unsigned(r->hi - h.constant));
	sum.offset = -h.constant;
	heap_free(&h);
	return s->done[row] = sum;
}

static void share_inputs(const struct element *in, int64_t count, struct share_input *out)
{
	for (int64_t i = 0; i < count; i++) {
		out[i] = (struct share_input){ .lo = in[i].lo, .hi = in[i].hi };
		for (int k = 0; k < in[i].x.n; k++)
			out[i].bits += in[i].x.bits[k] >> 1 != 0;
		while (out[i].shift < in[i].x.n && in[i].x.bits[out[i].shift] == LIT_0)
			out[i].shift++;
	}
}

/* ---- a layer ---- */

/* The element that a count of thresholds in so many bits stands for; out has room for a bit before it. */
static struct element counted(const struct activation *a, lit *out, int bits, int64_t base, bool bipolar)
{
	int64_t least = base, most = base;
	for (int64_t j = 0; j < a->steps; j++) {
		least += a->thresholds[j] <= a->lo;
		most += a->thresholds[j] <= a->hi;
	}
	if (bipolar)
		return (struct element){ { out, bits + 1, 1 }, -1, 1 };
	return (struct element){ { out, bits, -base }, least, most };
}

static struct element thresholded(struct build *b, const struct activation *a, struct net_number x, int64_t base,
				  bool bipolar)
{
	int bits = bits_of_unsigned(a->steps);
	lit *out = arena_array(&b->net.arena, lit, bits + 2);
	activation_count(&b->net, a, x, out + bipolar, bits);
	return counted(a, out, bits, base, bipolar);
}

/* The terms of a row; NULL where it does not become a table. */
static struct table_term *table_terms(const struct sums *s, int64_t row)
{
	const struct matrix *m = s->m;
	struct table_term *terms = xcalloc((size_t)m->columns + 1, sizeof *terms);
	for (int64_t c = 0; c < m->columns; c++)
		terms[c] = (struct table_term){ m->weights[row * m->columns + c], &s->inputs[c].x, s->inputs[c].lo,
						s->inputs[c].hi };
	if (m->steps && table_bits(terms, (size_t)m->columns) <= s->b->table_bits)
		return terms;
	free(terms);
	return NULL;
}

static struct element tabled(struct sums *s, int64_t row, const struct table_term *terms, bool bipolar)
{
	struct activation *a = &s->plans[row];
	int bits = bits_of_unsigned(a->steps);
	lit *out = arena_array(&s->b->net.arena, lit, bits + 2);
	a->lo = a->hi = s->m->constants[row];
	table_add_range(terms, (size_t)s->m->columns, &a->lo, &a->hi);
	table_count(&s->b->net, terms, (size_t)s->m->columns, s->m->constants[row], a, out + bipolar, bits);
	s->b->tables++;
	return counted(a, out, bits, s->m->base, bipolar);
}

static void plan_rows(const struct sums *s)
{
	const struct matrix *m = s->m;
	for (int64_t r = 0; r < m->rows; r++) {
		const struct share_row *row = &s->share.rows.items[r];
		s->plans[r] = (struct activation){ .thresholds = m->thresholds ? m->thresholds + r * m->steps : NULL,
						   .steps = m->steps,
						   .lo = row->lo + m->constants[r],
						   .hi = row->hi + m->constants[r] };
		if (m->steps)
			activation_plan(&s->plans[r]);
	}
}

/* Rows that become tables are nothing to the others. */
static void build_rows(struct sums *s, const struct matrix *m, bool bipolar, struct element *out)
{
	int64_t *nothing = xcalloc((size_t)m->columns + 1, sizeof *nothing);
	struct table_term **tables = xcalloc((size_t)m->rows + 1, sizeof *tables);
	for (int64_t r = 0; r < m->rows; r++) {
		tables[r] = table_terms(s, r);
		share_add_row(&s->share, tables[r] ? nothing : m->weights + r * m->columns);
	}
	plan_rows(s);
	share_run(&s->share);
	s->done = xcalloc(s->share.rows.count + 1, sizeof *s->done);
	for (int64_t r = 0; r < m->rows; r++) {
		if (tables[r]) {
			out[r] = tabled(s, r, tables[r], bipolar);
			free(tables[r]);
			continue;
		}
		struct net_number x = build_row(s, (size_t)r);
		x.offset -= m->constants[r];
		out[r] = (struct element){ x, s->plans[r].lo, s->plans[r].hi };
		if (m->steps)
			out[r] = thresholded(s->b, &s->plans[r], x, m->base, bipolar);
	}
	free(nothing);
	free(tables);
	free(s->done);
}

/* The elements of all inputs one after the other; counting equal bits, a bipolar one is 0 or 1. */
static struct element *gather_inputs(struct build *b, const struct design_layer *layer, int64_t columns)
{
	struct element *all = xcalloc((size_t)columns + 1, sizeof *all), *at = all;
	bool counts = hw_counts_bits(layer->l.node);
	for (size_t i = 0; i < layer->n_in; i++)
		for (int64_t e = 0; e < elements_of(&b->p->design.streams[layer->in[i]]); e++) {
			*at = b->streams[layer->in[i]][e];
			if (counts)
				*at = (struct element){ { &at->x.bits[at->x.n - 1], 1, 0 }, 0, 1 };
			at++;
		}
	return all;
}

static int build_layer(struct build *b, const struct design_layer *layer)
{
	struct matrix m;
	const struct design_stream *out = &b->p->design.streams[layer->out[0]];
	if (read_matrix(b, layer, &m) != 0) {
		free_matrix(&m);
		return -1;
	}
	struct element *in = gather_inputs(b, layer, m.columns);
	struct share_input *kinds = xcalloc((size_t)m.columns + 1, sizeof *kinds);
	struct sums s = { .b = b, .inputs = in, .m = &m };
	share_inputs(in, m.columns, kinds);
	share_init(&s.share, kinds, (int32_t)m.columns);
	s.plans = xcalloc((size_t)m.rows + 1, sizeof *s.plans);
	b->streams[layer->out[0]] = arena_array(&b->net.arena, struct element, m.rows + 1);
	build_rows(&s, &m, out->type.kind == DT_BIPOLAR, b->streams[layer->out[0]]);
	for (size_t i = 1; i < layer->n_out; i++)
		b->streams[layer->out[i]] = b->streams[layer->out[0]];
	share_free(&s.share);
	free(s.plans);
	free(kinds);
	free(in);
	free_matrix(&m);
	return 0;
}

/* ---- ports ---- */

static struct element input_element(struct netlist *n, struct datatype t, int bits)
{
	bool bipolar = t.kind == DT_BIPOLAR;
	struct element e = { { arena_array(&n->arena, lit, bits + 2), bits + bipolar, bipolar },
			     datatype_int_min(t),
			     datatype_int_max(t) };
	for (int k = 0; k < bits; k++)
		e.x.bits[k + bipolar] = netlist_input(n);
	if (!bipolar && datatype_is_signed(t)) {
		e.x.bits[bits - 1] = lit_not(e.x.bits[bits - 1]);
		e.x.offset = INT64_C(1) << (bits - 1);
	}
	return e;
}

/* The bits of port k's word, in order, are the netlist's inputs from the first one on. */
static void read_ports(struct build *b)
{
	for (size_t k = 0; k < b->p->design.n_inputs; k++) {
		const struct design_stream *s = design_port(&b->p->design, false, k);
		struct element *e = arena_array(&b->net.arena, struct element, elements_of(s) + 1);
		for (int64_t i = 0; i < elements_of(s); i++)
			e[i] = input_element(&b->net, s->type, s->words.bits);
		b->streams[s - b->p->design.streams] = e;
	}
}

/* The code of an element (hw/memory.h): its value in two's complement, 0 or 1 for -1 and 1. */
static void encode(struct netlist *n, const struct element *e, struct datatype t, int bits, lit *out)
{
	struct heap h = { 0 };
	if (t.kind == DT_BIPOLAR) {
		out[0] = e->x.bits[e->x.n - 1];
		return;
	}
	heap_add(&h, e->x, 0, false);
	heap_put_constant(&h, h.constant & ((INT64_C(1) << bits) - 1));
	struct net_number code = heap_sum(&h, n, bits);
	for (int k = 0; k < bits; k++)
		out[k] = code.bits[k];
	heap_free(&h);
}

static lit *encode_output(struct build *b, const struct design_stream *s)
{
	lit *out = arena_array(&b->net.arena, lit, hw_width(s->words) + 1);
	const struct element *e = b->streams[s - b->p->design.streams];
	for (int64_t i = 0; i < elements_of(s); i++)
		encode(&b->net, &e[i], s->type, s->words.bits, out + i * s->words.bits);
	return out;
}

/* ---- text ---- */

static void write_ports(const struct build *b, struct strbuf *text)
{
	const struct design *p = &b->p->design;
	lit bit = 1;
	for (size_t k = 0; k < p->n_inputs; k++) {
		const struct design_stream *s = design_port(p, false, k);
		for (int64_t i = 0; i < hw_width(s->words); i++, bit++)
			if (b->net.bits.items[bit].used)
				strbuf_printf(text, "\twire b%d = in%zu_tdata[%lld];\n", bit, k, (long long)i);
		strbuf_printf(text, "\twire in%zu_unused = &{1'b0, in%zu_tdata};\n", k, k);
		strbuf_printf(text, "\tassign in%zu_tready = move", k);
		for (size_t other = 0; other < p->n_inputs; other++)
			if (other != k)
				strbuf_printf(text, " && in%zu_tvalid", other);
		strbuf_puts(text, ";\n");
	}
}

static void write_handshake(const struct build *b, struct strbuf *text)
{
	int stages = b->net.stages;
	strbuf_printf(
		text,
		"\treg [%d:0] valid; // of the stages\n\twire move = !valid[%d] || out0_tready;\n\twire step = in0_tvalid",
		stages - 1, stages - 1);
	for (size_t k = 1; k < b->p->design.n_inputs; k++)
		strbuf_printf(text, " && in%zu_tvalid", k);
	strbuf_puts(text, ";\n\talways @(posedge clock)\n\t\tif (reset)\n");
	strbuf_printf(text, "\t\t\tvalid <= %d'd0;\n\t\telse if (move)\n", stages);
	if (stages > 1)
		strbuf_printf(text, "\t\t\tvalid <= {valid[%d:0], step};\n", stages - 2);
	else
		strbuf_puts(text, "\t\t\tvalid <= step;\n");
	strbuf_printf(text, "\tassign out0_tvalid = valid[%d];\n", stages - 1);
}

static void write_module(const struct build *b, const lit *out, int64_t width, struct strbuf *text)
{
	strbuf_printf(
		text,
		"// The design, a frame a cycle. bN is a bit, bN_S the same after register stage S; fN_I are the binary\n"
		"// digits of the sum of some bits, which a carry chain adds to others. reset: synchronous.\n");
	verilog_emit_ports(b->p, text);
	write_handshake(b, text);
	write_ports(b, text);
	netlist_write(&b->net, text);
	strbuf_puts(text, "\tassign out0_tdata = {");
	for (int64_t i = width; i-- > 0;) {
		netlist_name(&b->net, out[i], b->net.stages, text);
		strbuf_puts(text, i ? ", " : "};\nendmodule\n");
	}
}

int unrolled_emit(const struct verilog_design *p, const struct unrolled_options *o, struct strbuf *text, json_t *report,
		  struct diags *d)
{
	struct build b = { .p = p, .d = d, .table_bits = o->tables ? TABLE_INPUTS : -1 };
	int result = 0;
	if (p->design.n_outputs != 1)
		return diag_error(d, "fold it instead (verilog without unrolled)",
				  "one frame a cycle is for networks with one output; this one has %zu",
				  p->design.n_outputs);
	netlist_init(&b.net);
	b.streams = xcalloc(p->design.n_streams + 1, sizeof *b.streams);
	read_ports(&b);
	for (size_t i = 0; result == 0 && i < p->design.n_layers; i++)
		result = build_layer(&b, &p->design.layers[i]);
	if (result == 0) {
		const struct design_stream *s = design_port(&p->design, true, 0);
		lit *out = encode_output(&b, s);
		netlist_stages(&b.net, o->stages, out, (size_t)hw_width(s->words));
		write_module(&b, out, hw_width(s->words), text);
		json_object_set_new(report, "stages", json_integer(b.net.stages));
		if (o->tables)
			json_object_set_new(report, "tables", json_integer((json_int_t)b.tables));
		json_object_set_new(report, "luts", json_integer((json_int_t)netlist_luts(&b.net)));
	}
	free(b.streams);
	netlist_free(&b.net);
	return result;
}

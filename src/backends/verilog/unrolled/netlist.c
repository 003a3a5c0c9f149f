/* Gates, stages, and their text. */
#include "backends/verilog/unrolled/netlist.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/vec.h"

enum { MOST_INPUTS = 12, GATES_A_STAGE = 3 };

static int32_t add_bit(struct netlist *n, int32_t gate, int level)
{
	struct net_bit bit = { .gate = gate, .level = level };
	vec_push(&n->bits, bit);
	return (int32_t)n->bits.count - 1;
}

void netlist_init(struct netlist *n)
{
	*n = (struct netlist){ 0 };
	arena_init(&n->arena);
	add_bit(n, -1, 0); /* the constant 0 */
}

void netlist_free(struct netlist *n)
{
	vec_free(&n->bits);
	vec_free(&n->gates);
	arena_free(&n->arena);
}

lit netlist_input(struct netlist *n)
{
	return 2 * add_bit(n, -1, 0);
}

int netlist_level(const struct netlist *n, lit x)
{
	return n->bits.items[x >> 1].level;
}

/* ---- gates ---- */

static struct gate *add_gate(struct netlist *n, enum gate_kind kind, const lit *in, int n_in, lit *out, int n_out)
{
	struct gate g = { .kind = kind, .n_in = n_in, .n_out = n_out, .in = arena_array(&n->arena, lit, n_in + 1) };
	int level = 0;
	for (int i = 0; i < n_in; i++) {
		g.in[i] = in[i];
		level = netlist_level(n, in[i]) > level ? netlist_level(n, in[i]) : level;
	}
	g.level = level + 1;
	g.first = (int32_t)n->bits.count;
	for (int i = 0; i < n_out; i++)
		out[i] = 2 * add_bit(n, (int32_t)n->gates.count, g.level);
	vec_push(&n->gates, g);
	return &n->gates.items[n->gates.count - 1];
}

static bool table_at(const struct gate *g, int output, uint64_t in)
{
	uint64_t words = ((UINT64_C(1) << g->n_in) + 63) / 64;
	return g->table[(uint64_t)output * words + in / 64] >> in % 64 & 1;
}

/* LIT_0, LIT_1, an input or its inverse where the table's output is that; else -1. */
static lit trivial(const struct gate *g, int output)
{
	uint64_t rows = UINT64_C(1) << g->n_in, ones = 0;
	for (uint64_t r = 0; r < rows; r++)
		ones += table_at(g, output, r);
	if (ones == 0 || ones == rows)
		return ones ? LIT_1 : LIT_0;
	for (int i = 0; i < g->n_in; i++) {
		uint64_t same = 0;
		for (uint64_t r = 0; r < rows; r++)
			same += table_at(g, output, r) == (r >> i & 1);
		if (same == rows || same == 0)
			return same ? g->in[i] : lit_not(g->in[i]);
	}
	return -1;
}

void netlist_table(struct netlist *n, const lit *in, int n_in, uint64_t (*value)(const void *user, uint64_t in),
		   const void *user, lit *out, int n_out)
{
	assert(n_in <= MOST_INPUTS);
	struct gate *g = add_gate(n, GATE_TABLE, in, n_in, out, n_out);
	uint64_t rows = UINT64_C(1) << n_in, words = (rows + 63) / 64;
	g->table = arena_array(&n->arena, uint64_t, words * (uint64_t)n_out);
	for (uint64_t r = 0; r < rows; r++) {
		uint64_t v = value(user, r);
		for (int o = 0; o < n_out; o++)
			g->table[(uint64_t)o * words + r / 64] |= (v >> o & 1) << r % 64;
	}
	for (int o = 0; o < n_out; o++) {
		lit same = trivial(g, o);
		out[o] = same >= 0 ? same : out[o];
	}
}

lit netlist_at_least(struct netlist *n, const lit *a, const lit *b, int n_bits)
{
	lit both[2 * CHAIN_COLUMNS], out;
	assert(n_bits <= CHAIN_COLUMNS);
	for (int i = 0; i < n_bits; i++) {
		both[i] = a[i];
		both[n_bits + i] = b[i];
	}
	add_gate(n, GATE_COMPARE, both, 2 * n_bits, &out, 1);
	return out;
}

void netlist_chain(struct netlist *n, const struct net_chain *c, lit *out)
{
	lit in[CHAIN_COLUMNS * (CHAIN_GROUP + 1) + 1];
	int count = 0;
	for (int i = 0; i < c->columns; i++)
		in[count++] = c->raw[i];
	in[count++] = c->carry;
	for (int i = 0; i < c->n_groups; i++)
		for (int k = 0; k < c->groups[i].n; k++)
			in[count++] = c->groups[i].in[k];
	struct gate *g = add_gate(n, GATE_CHAIN, in, count, out, c->columns + 1);
	g->chain = arena_array(&n->arena, struct net_chain, 1);
	*g->chain = *c;
}

/* ---- stages ---- */

static int stage_of(const struct netlist *n, int level)
{
	return level > 0 ? (level - 1) / n->depth : 0;
}

static void use(struct netlist *n, lit x, int stage)
{
	struct net_bit *bit = &n->bits.items[x >> 1];
	bit->used = true;
	bit->last = stage > bit->last ? stage : bit->last;
	if (bit->gate >= 0)
		n->gates.items[bit->gate].used = true;
}

/* The first outputs of a chain: those after them have no reader. */
static int outputs_used(const struct netlist *n, const struct gate *g)
{
	int outputs = g->n_out;
	while (outputs > 1 && !n->bits.items[g->first + outputs - 1].used)
		outputs--;
	return outputs;
}

/* A chain reads what reaches an output that has a reader. */
static void use_inputs(struct netlist *n, const struct gate *g)
{
	int stage = stage_of(n, g->level);
	if (g->kind != GATE_CHAIN) {
		for (int k = 0; k < g->n_in; k++)
			use(n, g->in[k], stage);
		return;
	}
	int outputs = outputs_used(n, g);
	use(n, g->chain->carry, stage);
	for (int k = 0; k < outputs && k < g->chain->columns; k++)
		use(n, g->chain->raw[k], stage);
	for (int i = 0; i < g->chain->n_groups; i++) {
		const struct chain_group *group = &g->chain->groups[i];
		for (int k = 0; group->column < outputs && k < group->n; k++)
			if (group->n == 1 || group->column + group->next[k] < outputs)
				use(n, group->in[k], stage);
	}
}

void netlist_stages(struct netlist *n, int64_t stages, const lit *outputs, size_t count)
{
	int deepest = 1;
	for (size_t i = 0; i < count; i++)
		deepest = netlist_level(n, outputs[i]) > deepest ? netlist_level(n, outputs[i]) : deepest;
	n->depth = stages > 0 ? (int)((deepest + stages - 1) / stages) : GATES_A_STAGE;
	n->stages = stage_of(n, deepest) + 1;
	for (size_t i = 0; i < count; i++)
		use(n, outputs[i], n->stages);
	for (size_t i = n->gates.count; i-- > 0;)
		if (n->gates.items[i].used)
			use_inputs(n, &n->gates.items[i]);
}

/* ---- LUTs ---- */

static bool is_inverse(lit x)
{
	return x & 1 && x != LIT_1;
}

/* A LUT for each column that has a table, and one for an inverse where a carry chain takes a bit as it is. */
static int64_t chain_luts(const struct net_chain *c)
{
	int64_t luts = is_inverse(c->carry);
	for (int i = 0; i < c->n_groups; i++)
		luts += c->groups[i].columns;
	for (int i = 0; i < c->columns; i++)
		luts += is_inverse(c->raw[i]);
	return luts;
}

static int64_t table_luts(int inputs)
{
	return inputs < 2 ? 0 : inputs <= 6 ? 1 : inputs == 7 ? 2 : INT64_C(3) << (inputs - 8);
}

int64_t netlist_luts(const struct netlist *n)
{
	int64_t luts = 0;
	for (size_t i = 0; i < n->gates.count; i++) {
		const struct gate *g = &n->gates.items[i];
		if (!g->used)
			continue;
		if (g->kind == GATE_CHAIN)
			luts += chain_luts(g->chain);
		else if (g->kind == GATE_COMPARE)
			luts += (g->n_in / 2 + 4) / 5;
		else
			for (int o = 0; o < g->n_out; o++)
				luts += n->bits.items[g->first + o].used ? table_luts(g->n_in) : 0;
	}
	return luts;
}

/* ---- text ---- */

void netlist_name(const struct netlist *n, lit x, int stage, struct strbuf *b)
{
	const struct net_bit *bit = &n->bits.items[x >> 1];
	if (x >> 1 == 0) {
		strbuf_puts(b, x ? "1'b1" : "1'b0");
		return;
	}
	strbuf_printf(b, "%sb%d", x & 1 ? "~" : "", x >> 1);
	if (stage > stage_of(n, bit->level))
		strbuf_printf(b, "_%d", stage);
}

/* {last, ..., first} */
static void write_list(const struct netlist *n, const lit *in, int count, int stage, struct strbuf *b)
{
	strbuf_puts(b, "{");
	for (int i = count; i-- > 0;) {
		netlist_name(n, in[i], stage, b);
		strbuf_puts(b, i ? ", " : "}");
	}
}

/* The gate's outputs, of which some may have no reader. */
static void declare(const struct netlist *n, const struct gate *g, int outputs, struct strbuf *b)
{
	for (int i = 0; i < outputs; i++)
		strbuf_printf(b, "%sb%d%s", i ? ", " : "\twire ", g->first + i,
			      n->bits.items[g->first + i].used ? "" : "_unused");
	strbuf_puts(b, ";\n");
}

static void write_outputs(const struct netlist *n, const struct gate *g, int outputs, struct strbuf *b)
{
	strbuf_puts(b, "{");
	for (int i = outputs; i-- > 0;)
		strbuf_printf(b, "b%d%s%s", g->first + i, n->bits.items[g->first + i].used ? "" : "_unused",
			      i ? ", " : "}");
}

static void write_constant(const uint64_t *words, uint64_t bits, struct strbuf *b)
{
	strbuf_printf(b, "%" PRIu64 "'h", bits);
	for (uint64_t digit = (bits + 3) / 4; digit-- > 0;)
		strbuf_char(b, "0123456789abcdef"[words[digit / 16] >> digit % 16 * 4 & 15]);
}

static void write_table(const struct netlist *n, const struct gate *g, size_t number, struct strbuf *b)
{
	uint64_t rows = UINT64_C(1) << g->n_in, words = (rows + 63) / 64;
	for (int o = 0; o < g->n_out; o++) {
		if (!n->bits.items[g->first + o].used)
			continue;
		strbuf_printf(b, "\twire b%d;\n", g->first + o);
		strbuf_printf(b, "\tqcc_table #(.INPUTS(%d), .TABLE(", g->n_in);
		write_constant(g->table + (uint64_t)o * words, rows, b);
		strbuf_printf(b, ")) table%zu_%d (.in(", number, o);
		write_list(n, g->in, g->n_in, stage_of(n, g->level), b);
		strbuf_printf(b, "), .out(b%d));\n", g->first + o);
	}
}

static void write_compare(const struct netlist *n, const struct gate *g, struct strbuf *b)
{
	int stage = stage_of(n, g->level);
	strbuf_printf(b, "\twire b%d = ", g->first);
	write_list(n, g->in, g->n_in / 2, stage, b);
	strbuf_puts(b, " >= ");
	write_list(n, g->in + g->n_in / 2, g->n_in / 2, stage, b);
	strbuf_puts(b, ";\n");
}

/* The binary digits of the sum of a group of more than one literal, as tables. */
static void write_group(const struct netlist *n, const struct chain_group *g, int columns, size_t number, int index,
			int stage, struct strbuf *b)
{
	int digits = columns - g->column < g->columns ? columns - g->column : g->columns, inputs = g->n;
	if (g->n < 2 || digits < 1)
		return;
	while (digits == 1 && g->next[inputs - 1]) /* the next column is cut off */
		inputs--;
	strbuf_printf(b, "\twire [%d:0] f%zu_%d;\n", digits - 1, number, index);
	for (int digit = 0; digit < digits; digit++) {
		uint64_t table = 0;
		for (uint64_t row = 0; row < UINT64_C(1) << inputs; row++) {
			int sum = 0;
			for (int k = 0; k < inputs; k++)
				sum += (int)(row >> k & 1) << g->next[k];
			table |= (uint64_t)(sum >> digit & 1) << row;
		}
		strbuf_printf(b, "\tqcc_table #(.INPUTS(%d), .TABLE(", inputs);
		write_constant(&table, UINT64_C(1) << inputs, b);
		strbuf_printf(b, ")) digit%zu_%d_%d (.in(", number, index, digit);
		write_list(n, g->in, inputs, stage, b);
		strbuf_printf(b, "), .out(f%zu_%d[%d]));\n", number, index, digit);
	}
}

/* What the tables add in that column. */
static void write_operand(const struct netlist *n, const struct net_chain *c, int column, size_t number, int stage,
			  struct strbuf *b)
{
	for (int i = 0; i < c->n_groups; i++) {
		const struct chain_group *g = &c->groups[i];
		if (column < g->column || column >= g->column + g->columns)
			continue;
		if (g->n == 1)
			netlist_name(n, g->in[0], stage, b);
		else
			strbuf_printf(b, "f%zu_%d[%d]", number, i, column - g->column);
		return;
	}
	strbuf_puts(b, "1'b0");
}

/* {last, ..., first} = {1'b0, raw ...} + {1'b0, operands ...} + carry */
static void write_chain(const struct netlist *n, const struct gate *g, size_t number, struct strbuf *b)
{
	const struct net_chain *c = g->chain;
	int stage = stage_of(n, g->level), outputs = outputs_used(n, g);
	bool carries = outputs > c->columns;
	int columns = carries ? c->columns : outputs;
	for (int i = 0; i < c->n_groups; i++)
		write_group(n, &c->groups[i], columns, number, i, stage, b);
	declare(n, g, outputs, b);
	strbuf_puts(b, "\tassign ");
	write_outputs(n, g, outputs, b);
	strbuf_puts(b, carries ? " = {1'b0, " : " = {");
	for (int i = columns; i-- > 0;) {
		netlist_name(n, c->raw[i], stage, b);
		strbuf_puts(b, i ? ", " : carries ? "} + {1'b0, " : "} + {");
	}
	for (int i = columns; i-- > 0;) {
		write_operand(n, c, i, number, stage, b);
		strbuf_puts(b, i ? ", " : "}");
	}
	if (c->carry != LIT_0) {
		strbuf_puts(b, " + {");
		for (int i = 1; i < outputs; i++)
			strbuf_puts(b, "1'b0, ");
		netlist_name(n, c->carry, stage, b);
		strbuf_puts(b, "}");
	}
	strbuf_puts(b, ";\n");
}

/* A bit passes a register for each stage between its gate and its last use. */
static void write_registers(const struct netlist *n, bool declare, struct strbuf *b)
{
	for (size_t i = 1; i < n->bits.count; i++) {
		const struct net_bit *bit = &n->bits.items[i];
		for (int s = stage_of(n, bit->level) + 1; bit->used && s <= bit->last; s++) {
			strbuf_printf(b, declare ? "\treg b%zu_%d;\n" : "\t\t\tb%zu_%d <= ", i, s);
			if (declare)
				continue;
			netlist_name(n, 2 * (lit)i, s - 1, b);
			strbuf_puts(b, ";\n");
		}
	}
}

void netlist_write(const struct netlist *n, struct strbuf *b)
{
	write_registers(n, true, b);
	for (size_t i = 0; i < n->gates.count; i++) {
		const struct gate *g = &n->gates.items[i];
		if (!g->used)
			continue;
		if (g->kind == GATE_TABLE)
			write_table(n, g, i, b);
		else if (g->kind == GATE_COMPARE)
			write_compare(n, g, b);
		else
			write_chain(n, g, i, b);
	}
	strbuf_puts(b, "\talways @(posedge clock)\n\t\tif (move) begin\n");
	write_registers(n, false, b);
	strbuf_puts(b, "\t\tend\n");
}

/* Reading hardware layers from nodes and writing choices back; streams in and out of them. The names
 * and meanings of the attributes are FINN's. */
#include <string.h>

#include "hw/kind.h"

const struct hw_kind *hw_kind_of(const struct node *n)
{
	return n->op ? n->op->hw : NULL;
}

/* ---- attributes ---- */

struct datatype hw_datatype(const struct node *n, const char *attribute)
{
	struct datatype t = { 0 };
	const char *text = attribute ? node_attr_string(n, attribute, NULL) : NULL;
	if (text)
		datatype_parse(text, &t);
	return t;
}

int64_t hw_product(const struct node *n, const char *attribute)
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, attribute, &count);
	int64_t product = 1;
	if (!count) /* FMPadding and others hold a batch size as one integer */
		return node_attr_int(n, attribute, 1);
	for (size_t i = 0; i < count; i++)
		product *= ints[i];
	return product;
}

bool hw_read_pair(const struct node *n, const char *attribute, int64_t out[2])
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, attribute, &count);
	if (!count)
		return false;
	out[0] = ints[0];
	out[1] = ints[count > 1 ? 1 : 0];
	return true;
}

static const char *const ram_names[] = { "auto", "block", "distributed", "ultra" };

const char *hw_ram_name(enum hw_ram ram)
{
	return ram_names[ram];
}

void hw_read_resources(const struct node *n, struct hw_layer *l)
{
	const char *ram = node_attr_string(n, "ram_style", "auto");
	for (uint8_t i = 0; i < 4; i++)
		if (strcmp(ram_names[i], ram) == 0)
			l->now.ram = i;
	l->now.dsp = strcmp(node_attr_string(n, "resType", "auto"), "dsp") == 0;
}

int hw_read_vectors(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	l->mh = l->max_pe;
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->elements[1] = l->vectors * l->mh;
	return 0;
}

void hw_read_batch(const struct node *n, struct hw_layer *l, int64_t channels)
{
	l->mh = channels;
	l->vectors = node_attr_int(n, "numInputVectors", 1);
	l->elements[0] = l->vectors * hw_pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * hw_pixels(l->out_dim) * l->mh;
}

/* ---- layers ---- */

/* Bits of the output where no attribute says them: from its annotation. */
static int bits_of_output(const struct node *n, const struct hw_kind *k)
{
	struct datatype t = hw_datatype(n, k->out_type);
	const struct value *out = node_output(n, 0);
	if (t.kind == DT_NONE && out)
		t = out->datatype;
	return datatype_bits(t);
}

/* FINN names functions differently in eltwiseOp and in Func. */
enum hw_function hw_function_of(const struct node *n)
{
	static const struct {
		const char *name;
		enum hw_function f;
	} names[] = {
		{ "Add", HW_ADD }, { "Sub", HW_SUB }, { "AbsDiff", HW_ABS_DIFF }, { "Mul", HW_MUL },
		{ "add", HW_ADD }, { "mul", HW_MUL }, { "cmp_ge", HW_AT_LEAST },  { "cmp_le", HW_AT_MOST },
	};
	const struct hw_kind *k = hw_kind_of(n);
	if (!k || !k->function)
		return HW_NO_FUNCTION;
	const char *name = *k->function ? node_attr_string(n, k->function, k->default_function) : "Add";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].f;
	return HW_NO_FUNCTION;
}

const char *hw_plus_name(const struct node *n)
{
	if (n->op == &op_StreamingMaxPool || n->op == &op_DownSampler)
		return NULL;
	switch (hw_function_of(n)) {
	case HW_NO_FUNCTION: return n->op_type;
	case HW_ADD: return "ElementwiseAdd";
	case HW_SUB: return "ElementwiseSub";
	case HW_ABS_DIFF: return "ElementwiseAbsDiff";
	case HW_MUL: return "ElementwiseMul";
	default: return NULL;
	}
}

static int read_common(const struct node *n, struct hw_layer *l, struct diags *d)
{
	const struct hw_kind *k = l->kind;
	struct datatype in = hw_datatype(n, k->in_type);
	if (!datatype_is_integer(in))
		return diag_node_error(d, n, NULL, "attribute %s names no integer datatype", k->in_type);
	l->function = hw_function_of(n);
	if (k->function && l->function == HW_NO_FUNCTION)
		return diag_node_error(d, n, "Add, Sub, AbsDiff, Mul; for a ChannelwiseOp add, mul, cmp_le, cmp_ge",
				       "attribute %s names no function that is known", k->function);
	l->in_bits = datatype_bits(in);
	l->in_signed = datatype_is_signed(in);
	l->out_bits = bits_of_output(n, k);
	if (k->pe_limit)
		l->max_pe = node_attr_int(n, k->pe_limit, 0);
	if (k->simd_limit)
		l->max_simd = node_attr_int(n, k->simd_limit, 0);
	l->now = (struct hw_choice){ .pe = node_attr_int(n, "PE", 1), .simd = node_attr_int(n, "SIMD", 1) };
	for (int i = 0; i < 2; i++)
		l->kernel[i] = l->stride[i] = l->dilation[i] = l->in_dim[i] = l->out_dim[i] = 1;
	return 0;
}

int hw_layer_read(const struct node *n, struct hw_layer *l, struct diags *d)
{
	*l = (struct hw_layer){ .node = n, .kind = hw_kind_of(n), .max_pe = 1, .max_simd = 1, .vectors = 1 };
	if (!l->kind)
		return diag_node_error(d, n, "run to-hw", "is not a hardware layer");
	if (read_common(n, l, d) != 0 || l->kind->read(n, l, d) != 0)
		return -1;
	if (l->max_pe < 1 || l->max_simd < 1 || l->elements[0] < 1 || l->elements[1] < 1)
		return diag_node_error(d, n, NULL,
				       "the attributes that give the layer's size are missing or not positive");
	if (l->now.pe < 1)
		l->now.pe = 1;
	if (l->now.simd < 1)
		l->now.simd = 1;
	return 0;
}

bool hw_choice_fits(const struct hw_layer *l, const struct hw_choice *c)
{
	return c->pe > 0 && c->simd > 0 && l->max_pe % c->pe == 0 && l->max_simd % c->simd == 0;
}

void hw_layer_write(struct node *n, const struct hw_layer *l, const struct hw_choice *c)
{
	unsigned flags = l->kind->flags;
	if (l->max_pe > 1 || node_attr(n, "PE"))
		node_set_int(n, "PE", c->pe);
	if (l->max_simd > 1 || node_attr(n, "SIMD"))
		node_set_int(n, "SIMD", c->simd);
	if (flags & HW_CHOOSES_RAM)
		node_set_string(n, "ram_style", hw_ram_name(c->ram));
	if (flags & HW_MULTIPLIES)
		node_set_string(n, "resType", c->dsp ? "dsp" : "lut");
	if (flags & HW_MAKES_WINDOWS)
		node_set_int(n, "parallel_window", c->window);
}

struct hw_cost hw_default_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t in = hw_input(l, c, 0).words, out = hw_output(l, c, 0).words;
	return (struct hw_cost){ .cycles = in > out ? in : out };
}

struct hw_cost hw_layer_cost(const struct hw_layer *l, const struct hw_choice *c)
{
	return l->kind->cost ? l->kind->cost(l, c) : hw_default_cost(l, c);
}

/* ---- streams ---- */

size_t hw_stream_inputs(const struct hw_layer *l)
{
	return l->kind->streams < 0 ? l->node->n_inputs : (size_t)l->kind->streams;
}

struct hw_stream hw_stream_of(int bits, int64_t elements, int64_t total)
{
	return (struct hw_stream){ bits, elements, ceil_div(total, elements) };
}

static int64_t default_elements(const struct hw_layer *l, const struct hw_choice *c)
{
	return l->kind->simd_limit && !l->kind->pe_limit ? c->simd : c->pe;
}

struct hw_stream hw_input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	if (l->kind->input)
		return l->kind->input(l, c, i);
	return hw_stream_of(l->in_bits, default_elements(l, c), l->elements[0]);
}

struct hw_stream hw_output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	if (l->kind->output)
		return l->kind->output(l, c, i);
	return hw_stream_of(l->out_bits, default_elements(l, c), l->elements[1]);
}

int64_t hw_output_words(const struct hw_layer *l)
{
	return hw_output(l, &l->now, 0).words;
}

int64_t hw_words_in_and_out(const struct hw_layer *l)
{
	return hw_input(l, &l->now, 0).words + hw_output(l, &l->now, 0).words;
}

int64_t hw_until_written(const struct hw_layer *l)
{
	(void)l;
	return HW_UNTIL_WRITTEN;
}

struct hw_step hw_step_in_then_out(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t words = hw_input(l, &l->now, 0).words;
	return (struct hw_step){ p->at < words, p->at >= words, false };
}

bool hw_is_view(const struct node *n)
{
	return n->op == &op_Reshape || n->op == &op_Flatten || n->op == &op_Squeeze || n->op == &op_Unsqueeze ||
	       n->op == &op_Identity;
}

struct node *hw_stream_producer(const struct value *v)
{
	while (v && v->producer && hw_is_view(v->producer))
		v = node_input(v->producer, 0);
	return v && v->producer && hw_kind_of(v->producer) ? v->producer : NULL;
}

/* ---- weights ---- */

bool hw_counts_bits(const struct node *n)
{
	return node_attr_int(n, "binaryXnorMode", 0) != 0 || (hw_datatype(n, "inputDataType").kind == DT_BIPOLAR &&
							      hw_datatype(n, "weightDataType").kind == DT_BIPOLAR);
}

int64_t hw_weight_width(const struct hw_layer *l, const struct hw_choice *c)
{
	return l->kind->flags & HW_MULTIPLIES ? c->pe * c->simd * l->weight_bits : 0;
}

int64_t hw_weight_bits(const struct hw_layer *l)
{
	return l->kind->flags & HW_MULTIPLIES ? l->mw * l->mh * l->weight_bits : 0;
}

double hw_weight_efficiency(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = hw_layer_cost(l, c);
	double bits = (double)hw_weight_bits(l);
	if (bits > 0 && cost.bram > 0)
		return bits / ((double)cost.bram * 36 * 512);
	return bits > 0 && cost.uram > 0 ? bits / ((double)cost.uram * 72 * 4096) : 1;
}

bool hw_is_queue(const struct node *n)
{
	return hw_kind_of(n) && hw_kind_of(n)->flags & HW_QUEUE;
}

const struct value *hw_value_behind(const struct value *v)
{
	while (v->producer && (hw_is_view(v->producer) || hw_is_queue(v->producer)))
		v = node_input(v->producer, 0);
	return v;
}

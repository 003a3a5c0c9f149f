/* The texts in the picture of a graph: labels of nodes and edges. */
#include "backends/dot/picture.h"
#include "report/picture.h"
#include "report/report.h"
#include "util/strbuf.h"

#include <string.h>

enum { TEXT_LIMIT = 48, LIST_LIMIT = 8, ATTR_LIMIT = 12 };

/* Length of the well-formed UTF-8 sequence at s, 0 where there is none. */
static size_t utf8_length(const char *s)
{
	const unsigned char c = (unsigned char)*s;
	size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* One character, or a longer sequence as it is. */
static void add_character(struct strbuf *b, const char *s, size_t length, enum dot_place place)
{
	switch (*s) {
	case '&': strbuf_puts(b, place == DOT_HTML ? "&amp;" : "&"); break;
	case '<': strbuf_puts(b, place == DOT_HTML ? "&lt;" : "<"); break;
	case '>': strbuf_puts(b, place == DOT_HTML ? "&gt;" : ">"); break;
	case '"': strbuf_puts(b, place == DOT_HTML ? "&quot;" : "\\\""); break;
	case '\\': strbuf_puts(b, place == DOT_HTML ? "\\" : "\\\\"); break;
	default:
		if (length == 1)
			strbuf_char(b, *s);
		else
			strbuf_add(b, s, length);
	}
}

/* How many bytes at s, of n, are written as they are. */
static size_t plain(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '&' && s[i] != '<' && s[i] != '>' && s[i] != '"' &&
	       s[i] != '\\')
		i++;
	return i;
}

/* Characters that start within the first n bytes. Returns where the next one starts. */
static const char *add_characters(struct strbuf *b, const char *s, size_t n, enum dot_place place)
{
	const char *end = s + n;

	while (s < end) {
		size_t run = plain(s, (size_t)(end - s)), step = run ? 0 : utf8_length(s);

		strbuf_add(b, s, run);
		if (!run)
			add_character(b, step ? s : "?", step ? step : 1, place);
		s += run ? run : step ? step : 1;
	}
	return s;
}

/* The start and the end are what tells exported names apart, so the middle goes. */
void dot_clean_text(struct strbuf *b, const char *text, enum dot_place place)
{
	const size_t length = strlen(text), half = TEXT_LIMIT / 2;
	const char *end = text + length;

	if (length > TEXT_LIMIT + 3) {
		add_characters(b, text, half, place);
		strbuf_puts(b, "...");
		for (text = end - half; ((unsigned char)*text & 0xc0) == 0x80; text++)
			;
	}
	add_characters(b, text, (size_t)(end - text), place);
}

static void add_escaped(struct strbuf *b, const char *text)
{
	dot_clean_text(b, text, DOT_HTML);
}

static void add_shape(struct strbuf *b, const struct value *v)
{
	if (v->rank < 0)
		return;
	if (v->rank == 0)
		strbuf_puts(b, " scalar");
	for (int i = 0; i < v->rank; i++) {
		strbuf_puts(b, i ? "x" : " ");
		if (v->dims[i] >= 0)
			strbuf_int(b, v->dims[i]);
		else
			strbuf_puts(b, "?");
	}
}

/* The QONNX datatype where there is one; else how the value is stored. */
static void add_type(struct strbuf *b, const struct value *v)
{
	char name[DATATYPE_NAME_SIZE];

	if (v->datatype.kind != DT_NONE)
		strbuf_puts(b, datatype_name(v->datatype, name));
	else if (v->elem != ELEM_UNDEFINED)
		strbuf_puts(b, elem_name(v->elem));
	else
		strbuf_puts(b, "?");
}

void dot_value_label(struct strbuf *b, const struct value *v)
{
	add_type(b, v);
	add_shape(b, v);
}

static void add_ints(struct strbuf *b, const struct attr *a)
{
	for (size_t i = 0; i < a->count && i < LIST_LIMIT; i++) {
		strbuf_puts(b, i ? " " : "");
		strbuf_int(b, a->ints[i]);
	}
	if (a->count > LIST_LIMIT)
		strbuf_puts(b, " ...");
}

static void add_floats(struct strbuf *b, const struct attr *a)
{
	for (size_t i = 0; i < a->count && i < LIST_LIMIT; i++)
		strbuf_printf(b, "%s%g", i ? " " : "", (double)a->floats[i]);
	if (a->count > LIST_LIMIT)
		strbuf_puts(b, " ...");
}

static bool all_ints(const struct attr *a, int64_t x)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->ints[i] != x)
			return false;
	return true;
}

/* Values that exporters write out although they say nothing. */
static bool is_default(const struct attr *a)
{
	static const char *const zero[] = { "storage_order", "ceil_mode", "allowzero", "binaryXnorMode", "ActVal" };

	for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
		if (a->kind == ATTR_INT && !a->i && !strcmp(a->name, zero[i]))
			return true;
	if (a->kind == ATTR_INTS)
		return (!strcmp(a->name, "pads") && all_ints(a, 0)) ||
		       (!strcmp(a->name, "dilations") && all_ints(a, 1));
	return (a->kind == ATTR_INT && a->i == 1 && !strcmp(a->name, "group")) ||
	       (a->kind == ATTR_STRING && !strcmp(a->name, "auto_pad") && !strcmp(a->s, "NOTSET"));
}

static bool is_folding(const struct attr *a)
{
	return !strcmp(a->name, "PE") || !strcmp(a->name, "SIMD");
}

static bool is_shown(const struct attr *a)
{
	return !is_default(a) &&
	       (a->kind == ATTR_FLOAT || a->kind == ATTR_INT || (a->kind == ATTR_STRING && a->count) ||
		(a->kind == ATTR_INTS && a->count) || (a->kind == ATTR_FLOATS && a->count));
}

static void add_attr(struct strbuf *b, const struct attr *a)
{
	strbuf_puts(b, is_folding(a) ? "<B>" : "");
	add_escaped(b, a->name);
	strbuf_puts(b, " ");
	switch (a->kind) {
	case ATTR_FLOAT: strbuf_printf(b, "%g", (double)a->f); break;
	case ATTR_INT: strbuf_int(b, a->i); break;
	case ATTR_STRING: add_escaped(b, a->s); break;
	case ATTR_INTS: add_ints(b, a); break;
	default: add_floats(b, a);
	}
	strbuf_puts(b, is_folding(a) ? "</B>" : "");
}

/* The folding first, then what else there is up to a limit. */
static void add_attrs(struct strbuf *b, const struct node *n)
{
	size_t shown = 0;

	for (int rest = 0; rest < 2; rest++)
		for (const struct attr *a = n->attrs; a; a = a->next) {
			if (is_folding(a) == rest || !is_shown(a) || shown > ATTR_LIMIT)
				continue;
			strbuf_puts(b, shown++ ? "<BR ALIGN=\"LEFT\"/>" : "<TR><TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
			if (shown > ATTR_LIMIT)
				strbuf_puts(b, "...");
			else
				add_attr(b, a);
		}
	if (shown)
		strbuf_puts(b, "</TD></TR>");
}

static void add_constant(struct strbuf *b, const struct value *v)
{
	double x;

	strbuf_puts(b, "<TR><TD ALIGN=\"LEFT\"><I>");
	add_escaped(b, v->name);
	strbuf_puts(b, "</I>: ");
	add_type(b, v);
	if (value_scalar(v, &x))
		strbuf_printf(b, " = %g", x);
	else
		add_shape(b, v);
	strbuf_puts(b, "</TD></TR>");
}

/* "88 cycles, 436 LUT, 1 BRAM": what is known. */
static void add_costs(struct strbuf *b, int64_t cycles, int64_t lut, int64_t bram, int64_t dsp)
{
	const struct {
		int64_t count;
		const char *unit;
	} costs[] = {
		{ cycles, "cycles" }, { lut, "LUT" }, { bram > 0 ? bram : -1, "BRAM" }, { dsp > 0 ? dsp : -1, "DSP" }
	};
	const char *separator = "<TR><TD ALIGN=\"LEFT\"><B>";

	for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
		if (costs[i].count < 0)
			continue;
		strbuf_puts(b, separator);
		strbuf_int(b, costs[i].count);
		strbuf_printf(b, " %s", costs[i].unit);
		separator = ", ";
	}
	strbuf_puts(b, *separator == ',' ? "</B></TD></TR>" : "");
}

void dot_node_label(struct strbuf *b, const struct node *n, const struct report_layer *layer)
{
	strbuf_puts(b, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\"><TR><TD><B>");
	add_escaped(b, n->op_type);
	strbuf_puts(b, "</B></TD></TR>");
	if (*n->name) {
		strbuf_puts(b, "<TR><TD>");
		add_escaped(b, n->name);
		strbuf_puts(b, "</TD></TR>");
	}
	if (layer)
		add_costs(b, layer->cycles, layer->lut, layer->bram_18k, layer->dsp);
	add_attrs(b, n);
	for (uint32_t i = 0; i < n->n_inputs; i++)
		if (value_is_constant(node_input(n, i)))
			add_constant(b, node_input(n, i));
	strbuf_puts(b, "</TABLE>");
}

void dot_group_label(struct strbuf *b, const struct group *group, const struct dot_sum *sum)
{
	strbuf_printf(
		b, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\"><TR><TD><B>%u times</B></TD></TR><TR><TD>",
		(unsigned)group->times);
	add_escaped(b, group->label);
	strbuf_printf(b, "</TD></TR><TR><TD>%u nodes", (unsigned)group->nodes);
	if (sum->macs > 0) {
		strbuf_puts(b, ", ");
		strbuf_int(b, sum->macs);
		strbuf_puts(b, " MACs");
	}
	strbuf_puts(b, "</TD></TR>");
	add_costs(b, sum->cycles, sum->lut, -1, -1);
	strbuf_puts(b, "</TABLE>");
}

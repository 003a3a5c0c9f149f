/* Collects what users want to know of each layer, and prints it. */
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "util/file.h"
#include "util/strbuf.h"

/* ---- collecting ---- */

/* Takes the same spelling for annotated and for plain storage types: "INT2", "FLOAT32", "INT64". */
static void add_type(struct strbuf *b, const struct value *v)
{
	char name[DATATYPE_NAME_SIZE];
	if (v->datatype.kind != DT_NONE || v->elem == ELEM_FLOAT || v->elem == ELEM_UNDEFINED) {
		strbuf_puts(b, datatype_name(v->datatype, name));
		return;
	}
	for (const char *s = elem_name(v->elem); *s; s++) {
		char c = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
		strbuf_add(b, &c, 1);
	}
}

static void set_type(json_t *layer, const char *key, const struct value *v)
{
	struct strbuf b = { 0 };
	if (v)
		add_type(&b, v);
	json_object_set_new(layer, key, v ? json_string(b.text) : json_null());
	strbuf_free(&b);
}

static void set_shape(json_t *layer, const char *key, const struct value *v)
{
	json_t *shape = json_array();
	for (int k = 0; v && k < v->rank; k++)
		json_array_append_new(shape, v->dims[k] < 0 ? json_null() : json_integer(v->dims[k]));
	json_object_set_new(layer, key, shape);
}

static void set_int(json_t *layer, const char *key, int64_t x)
{
	json_object_set_new(layer, key, x < 0 ? json_null() : json_integer(x));
}

/* The constant behind input i: itself, or what its quantiser reads (weights before conversion). */
static const struct value *constant_behind(const struct node *n, size_t i)
{
	const struct value *v = node_input(n, i);
	while (v && !v->constant && v->producer && v->producer->op && v->producer->op->flags & OP_QUANTISER)
		v = node_input(v->producer, 0);
	return value_is_constant(v) ? v : NULL;
}

static bool has_thresholds(const struct node *n)
{
	return !strcmp(n->op_type, "MultiThreshold") || !strncmp(n->op_type, "Thresholding", 12);
}

static bool is_quantiser(const struct node *n)
{
	return n->op && n->op->flags & OP_QUANTISER;
}

static bool multiplies(const struct node *n)
{
	return n->op && n->op->macs && !constant_behind(n, 0);
}

/* A constant that is learnt, not a shape, an index or a quantiser's setting. */
static const struct value *parameter(const struct node *n, size_t i)
{
	if (is_quantiser(n) && !has_thresholds(n))
		return NULL;
	const struct value *v = constant_behind(n, i);
	if (!v || v->constant->elem == ELEM_INT64 || v->constant->elem == ELEM_STRING ||
	    v->constant->elem == ELEM_BOOL)
		return NULL;
	return v;
}

static bool is_layer(const struct node *n)
{
	if (constant_behind(n, 0))
		return false;
	if (multiplies(n) || is_quantiser(n) || has_thresholds(n))
		return true;
	for (size_t i = 1; i < n->n_inputs; i++)
		if (parameter(n, i) && parameter(n, i)->constant->count > 1)
			return true;
	return node_attr(n, "PE") != NULL;
}

/* Bits that the constant takes where each element has its datatype's width: that of the value the layer reads, so
 * that 2-bit weights behind their quantiser count as 2 bits. */
static int64_t memory_bits(const struct value *read, const struct value *constant)
{
	int width = read->datatype.kind != DT_NONE ? datatype_bits(read->datatype)
						    : (int)elem_file_bits(constant->constant->elem);
	return constant->constant->count * width;
}

static void set_parameters(json_t *layer, const struct node *n)
{
	int64_t params = 0, bits = 0;
	for (size_t i = 1; i < n->n_inputs; i++) {
		const struct value *v = parameter(n, i);
		if (!v)
			continue;
		params += v->constant->count;
		bits += memory_bits(node_input(n, i), v);
	}
	set_int(layer, "params", params);
	set_int(layer, "weight_bits", bits);
}

static void set_folding(json_t *layer, const struct node *n)
{
	static const char *const attrs[][2] = { { "PE", "PE" }, { "SIMD", "SIMD" }, { "cycles_estimate", "cycles" } };
	for (int i = 0; i < 3; i++)
		if (node_attr(n, attrs[i][0]))
			set_int(layer, attrs[i][1], node_attr_int(n, attrs[i][0], 0));
}

static json_t *describe(const struct node *n)
{
	json_t *layer = json_object();
	bool weighted = parameter(n, 1) != NULL;
	json_object_set_new(layer, "name", json_string(node_label(n)));
	json_object_set_new(layer, "op", json_string(n->op_type));
	set_type(layer, "input", node_input(n, 0));
	set_type(layer, "weights", weighted ? node_input(n, 1) : NULL);
	set_type(layer, "output", node_output(n, 0));
	set_shape(layer, "weight_shape", weighted ? parameter(n, 1) : NULL);
	set_shape(layer, "output_shape", node_output(n, 0));
	set_parameters(layer, n);
	set_int(layer, "macs", n->op && n->op->macs ? n->op->macs(n) : 0);
	set_folding(layer, n);
	return layer;
}

json_t *report_layers(const struct graph *g)
{
	json_t *layers = json_array();
	graph_for_each_node(g, n)
		if (is_layer(n))
			json_array_append_new(layers, describe(n));
	return layers;
}

static int64_t sum(const json_t *layers, const char *key)
{
	size_t i;
	int64_t total = 0;
	const json_t *layer;
	json_array_foreach(layers, i, layer)
		total += json_integer_value(json_object_get(layer, key));
	return total;
}

/* What constants that several layers read were counted too often. */
static void count_shared(const struct graph *g, int64_t *params, int64_t *bits)
{
	unsigned char *seen = xcalloc(g->next_value_id + 1u, 1);
	*params = *bits = 0;
	graph_for_each_node(g, n) {
		for (size_t i = 1; is_layer(n) && i < n->n_inputs; i++) {
			const struct value *v = parameter(n, i);
			if (v && seen[v->id]) {
				*params += v->constant->count;
				*bits += memory_bits(node_input(n, i), v);
			} else if (v) {
				seen[v->id] = 1;
			}
		}
	}
	free(seen);
}

json_t *report_totals(const struct graph *g, const json_t *layers)
{
	int64_t shared_params, shared_bits;
	json_t *totals = json_object();
	count_shared(g, &shared_params, &shared_bits);
	set_int(totals, "nodes", g->n_nodes);
	set_int(totals, "layers", (int64_t)json_array_size(layers));
	set_int(totals, "params", sum(layers, "params") - shared_params);
	set_int(totals, "macs", sum(layers, "macs"));
	set_int(totals, "weight_bits", sum(layers, "weight_bits") - shared_bits);
	return totals;
}

/* Members of each layer's entry that go into the table. */
static void merge_layers(json_t *layers, const json_t *folded)
{
	static const char *const keys[] = { "cycles", "LUT", "BRAM_18K" };
	size_t i;
	json_t *layer, *by_name = json_object();
	json_array_foreach(layers, i, layer)
		json_object_set(by_name, json_string_value(json_object_get(layer, "name")), layer);
	json_array_foreach(folded, i, layer) {
		const char *name = json_string_value(json_object_get(layer, "layer"));
		json_t *ours = name ? json_object_get(by_name, name) : NULL;
		for (size_t k = 0; ours && k < sizeof keys / sizeof *keys; k++)
			if (json_object_get(layer, keys[k]))
				json_object_set(ours, keys[k], json_object_get(layer, keys[k]));
	}
	json_decref(by_name);
}

void report_add_folding(json_t *layers, json_t *totals, const json_t *passes)
{
	const json_t *last = NULL;
	for (size_t i = 0; i < json_array_size(passes); i++)
		if (json_is_object(json_object_get(json_array_get(passes, i), "network")))
			last = json_array_get(passes, i);
	if (!last)
		return;
	json_t *network = json_object_get(last, "network");
	merge_layers(layers, json_object_get(last, "layers"));
	json_object_set(totals, "folding", network);
	json_object_set(totals, "LUT", json_object_get(network, "LUT"));
	json_object_set(totals, "BRAM_18K", json_object_get(network, "BRAM_18K"));
}

/* ---- the table ---- */

struct column {
	const char *key, *title;
	bool number;
	int width;
};

/* A cell as text; "" for what a layer does not have. */
static void add_cell(struct strbuf *b, const json_t *cell)
{
	size_t i;
	const json_t *dim;
	if (json_is_string(cell))
		strbuf_puts(b, json_string_value(cell));
	else if (json_is_integer(cell))
		strbuf_printf(b, "%lld", (long long)json_integer_value(cell));
	json_array_foreach(cell, i, dim)
		if (json_is_integer(dim))
			strbuf_printf(b, "%s%lld", i ? "x" : "", (long long)json_integer_value(dim));
		else
			strbuf_puts(b, i ? "x?" : "?");
}

static int cell_width(const json_t *cell)
{
	struct strbuf b = { 0 };
	add_cell(&b, cell);
	int width = (int)b.length;
	strbuf_free(&b);
	return width;
}

/* Columns that no layer fills get no width and are left out. */
static void measure(struct column *columns, size_t n, const json_t *layers, const json_t *totals)
{
	for (size_t c = 0; c < n; c++) {
		size_t i;
		const json_t *layer;
		json_array_foreach(layers, i, layer) {
			int width = cell_width(json_object_get(layer, columns[c].key));
			if (width > columns[c].width)
				columns[c].width = width;
		}
		int total = i ? cell_width(json_object_get(totals, columns[c].key)) : 0;
		if (columns[c].number && total > columns[c].width)
			columns[c].width = total;
		if (columns[c].width && (int)strlen(columns[c].title) > columns[c].width)
			columns[c].width = (int)strlen(columns[c].title);
	}
}

static void print_row(const struct column *columns, size_t n, const json_t *row, const char *first, FILE *out)
{
	struct strbuf line = { 0 };
	for (size_t c = 0; c < n; c++) {
		struct strbuf cell = { 0 };
		if (!columns[c].width)
			continue;
		if (!row)
			strbuf_puts(&cell, columns[c].title);
		else if (c == 0 && first)
			strbuf_puts(&cell, first);
		else
			add_cell(&cell, json_object_get(row, columns[c].key));
		strbuf_printf(&line, "  %*s", columns[c].number ? columns[c].width : -columns[c].width,
			      strbuf_text(&cell));
		strbuf_free(&cell);
	}
	while (line.length && line.text[line.length - 1] == ' ')
		line.text[--line.length] = '\0';
	fprintf(out, "%s\n", strbuf_text(&line));
	strbuf_free(&line);
}

static void print_folding(const json_t *f, FILE *out)
{
	const char *bottleneck = json_string_value(json_object_get(f, "bottleneck"));
	if (!f)
		return;
	fprintf(out, "folding: %lld cycles a frame, %.0f frames a second at %g MHz",
		(long long)json_integer_value(json_object_get(f, "cycles")),
		json_number_value(json_object_get(f, "fps")), json_number_value(json_object_get(f, "clock_mhz")));
	if (bottleneck)
		fprintf(out, ", bottleneck %s", bottleneck);
	fputc('\n', out);
}

/* Beyond this the middle is left out on the terminal; report.json has all. */
enum { SHOWN_LAYERS = 60 };

void report_print(const json_t *layers, const json_t *totals, FILE *out)
{
	struct column columns[] = {
		{ "name", "layer", false, 0 },	  { "op", "operator", false, 0 },
		{ "input", "input", false, 0 },	  { "weights", "weights", false, 0 },
		{ "weight_shape", "shape", false, 0 }, { "output", "output", false, 0 },
		{ "params", "params", true, 0 },  { "macs", "MACs", true, 0 },
		{ "weight_bits", "weight bits", true, 0 }, { "PE", "PE", true, 0 },
		{ "SIMD", "SIMD", true, 0 },	  { "cycles", "cycles", true, 0 },
		{ "LUT", "LUT", true, 0 },	  { "BRAM_18K", "BRAM18", true, 0 },
	};
	size_t n = sizeof columns / sizeof *columns, count = json_array_size(layers);
	measure(columns, n, layers, totals);
	if (!count)
		return;
	print_row(columns, n, NULL, NULL, out);
	for (size_t i = 0; i < count; i++) {
		if (count > SHOWN_LAYERS && i == SHOWN_LAYERS / 2) {
			fprintf(out, "  ... %zu more\n", count - SHOWN_LAYERS);
			i = count - SHOWN_LAYERS / 2;
		}
		print_row(columns, n, json_array_get(layers, i), NULL, out);
	}
	print_row(columns, n, totals, "total", out);
	print_folding(json_object_get(totals, "folding"), out);
}

void report_print_passes(const json_t *passes, FILE *out)
{
	size_t i;
	const json_t *pass;
	double total = 0;
	json_array_foreach(passes, i, pass) {
		double ms = 1e3 * json_real_value(json_object_get(pass, "seconds"));
		fprintf(out, "%s%s %.1f ms", i ? ", " : "passes: ", json_string_value(json_object_get(pass, "pass")), ms);
		total += ms;
	}
	if (i)
		fprintf(out, "; together %.1f ms\n", total);
}

int report_write(const json_t *report, const char *path, struct diags *d)
{
	struct file_out f;
	if (file_create(&f, path, d) < 0)
		return -1;
	if (json_dumpf(report, f.stream, JSON_INDENT(2)) < 0 && !ferror(f.stream)) {
		file_abandon(&f);
		return diag_error(d, NULL, "cannot write '%s': a name in it is no UTF-8", path);
	}
	fputc('\n', f.stream);
	return file_commit(&f, d);
}

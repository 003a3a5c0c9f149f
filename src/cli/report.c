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
	if (!v || v->constant->elem == ELEM_INT64 || v->constant->elem == ELEM_STRING || v->constant->elem == ELEM_BOOL)
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

/* What constants that several layers read were counted too often. */
static void count_shared(const struct graph *g, int64_t *params, int64_t *bits)
{
	unsigned char *seen = xcalloc(g->next_value_id + 1u, 1);
	*params = *bits = 0;
	graph_for_each_node (g, n) {
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

/* What the folding of the graph said of each layer, by its name; NULL where it was not folded. */
struct folding {
	const json_t *network;
	json_t *layers;
};

/* From the report of the last pass that folded. */
static void find_folding(struct folding *f, const json_t *passes)
{
	size_t i;
	const json_t *pass, *last = NULL;
	json_t *layer;
	*f = (struct folding){ 0 };
	json_array_foreach(passes, i, pass) if (json_is_object(json_object_get(pass, "network"))) last = pass;
	if (!last)
		return;
	f->network = json_object_get(last, "network");
	f->layers = json_object();
	json_array_foreach(json_object_get(last, "layers"), i,
			   layer) if (json_is_string(json_object_get(layer, "layer")))
		json_object_set(f->layers, json_string_value(json_object_get(layer, "layer")), layer);
}

/* Members of the layer's entry there that go into the table. */
static void add_folding(json_t *layer, const struct folding *f)
{
	static const char *const keys[] = { "cycles", "LUT", "BRAM_18K" };
	json_t *folded = json_object_get(f->layers, json_string_value(json_object_get(layer, "name")));
	for (size_t k = 0; folded && k < sizeof keys / sizeof *keys; k++)
		if (json_object_get(folded, keys[k]))
			json_object_set(layer, keys[k], json_object_get(folded, keys[k]));
}

struct sums {
	int64_t params, macs, bits;
};

static void add_sums(struct sums *s, const json_t *layer)
{
	s->params += json_integer_value(json_object_get(layer, "params"));
	s->macs += json_integer_value(json_object_get(layer, "macs"));
	s->bits += json_integer_value(json_object_get(layer, "weight_bits"));
}

static json_t *totals_of(const struct graph *g, const struct report_table *t, const struct sums *s,
			 const struct folding *f)
{
	int64_t shared_params, shared_bits;
	json_t *totals = json_object();
	count_shared(g, &shared_params, &shared_bits);
	set_int(totals, "nodes", g->n_nodes);
	set_int(totals, "layers", (int64_t)t->layers);
	set_int(totals, "params", s->params - shared_params);
	set_int(totals, "macs", s->macs);
	set_int(totals, "weight_bits", s->bits - shared_bits);
	if (f->network) {
		json_object_set(totals, "folding", (json_t *)(uintptr_t)f->network);
		json_object_set(totals, "LUT", json_object_get(f->network, "LUT"));
		json_object_set(totals, "BRAM_18K", json_object_get(f->network, "BRAM_18K"));
	}
	return totals;
}

/* Beyond this the middle is left out on the terminal; report.json has all. */
enum { SHOWN_LAYERS = 60 };

static void show_in_table(struct report_table *t, json_t *layer)
{
	if (t->layers++ < SHOWN_LAYERS / 2) {
		json_array_append(t->first, layer);
		return;
	}
	if (json_array_size(t->last) == SHOWN_LAYERS / 2)
		json_array_remove(t->last, 0);
	json_array_append(t->last, layer);
}

void report_collect(struct report_table *t, const struct graph *g, const json_t *passes,
		    void (*take)(void *user, json_t *layer), void *user)
{
	struct folding f;
	struct sums sums = { 0 };
	*t = (struct report_table){ json_array(), json_array(), 0, NULL };
	find_folding(&f, passes);
	graph_for_each_node (g, n) {
		if (!is_layer(n))
			continue;
		json_t *layer = describe(n);
		add_folding(layer, &f);
		add_sums(&sums, layer);
		show_in_table(t, layer);
		take(user, layer);
		json_decref(layer);
	}
	t->totals = totals_of(g, t, &sums, &f);
	json_decref(f.layers);
}

void report_table_free(struct report_table *t)
{
	json_decref(t->first);
	json_decref(t->last);
	json_decref(t->totals);
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
	json_array_foreach(cell, i, dim) if (json_is_integer(dim))
		strbuf_printf(b, "%s%lld", i ? "x" : "", (long long)json_integer_value(dim));
	else strbuf_puts(b, i ? "x?" : "?");
}

static int cell_width(const json_t *cell)
{
	struct strbuf b = { 0 };
	add_cell(&b, cell);
	int width = (int)b.length;
	strbuf_free(&b);
	return width;
}

static void measure_layers(struct column *column, const json_t *layers)
{
	size_t i;
	const json_t *layer;
	json_array_foreach(layers, i, layer)
	{
		int width = cell_width(json_object_get(layer, column->key));
		if (width > column->width)
			column->width = width;
	}
}

/* Columns that no layer fills get no width and are left out. */
static void measure(struct column *columns, size_t n, const struct report_table *t)
{
	for (size_t c = 0; c < n; c++) {
		measure_layers(&columns[c], t->first);
		measure_layers(&columns[c], t->last);
		int total = cell_width(json_object_get(t->totals, columns[c].key));
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

static void print_rows(const struct column *columns, size_t n, const json_t *layers, FILE *out)
{
	size_t i;
	const json_t *layer;
	json_array_foreach(layers, i, layer) print_row(columns, n, layer, NULL, out);
}

void report_print(const struct report_table *t, FILE *out)
{
	struct column columns[] = {
		{ "name", "layer", false, 0 },
		{ "op", "operator", false, 0 },
		{ "input", "input", false, 0 },
		{ "weights", "weights", false, 0 },
		{ "weight_shape", "shape", false, 0 },
		{ "output", "output", false, 0 },
		{ "params", "params", true, 0 },
		{ "macs", "MACs", true, 0 },
		{ "weight_bits", "weight bits", true, 0 },
		{ "PE", "PE", true, 0 },
		{ "SIMD", "SIMD", true, 0 },
		{ "cycles", "cycles", true, 0 },
		{ "LUT", "LUT", true, 0 },
		{ "BRAM_18K", "BRAM18", true, 0 },
	};
	size_t n = sizeof columns / sizeof *columns, shown = json_array_size(t->first) + json_array_size(t->last);
	if (!t->layers)
		return;
	measure(columns, n, t);
	print_row(columns, n, NULL, NULL, out);
	print_rows(columns, n, t->first, out);
	if (t->layers > shown)
		fprintf(out, "  ... %zu more\n", t->layers - shown);
	print_rows(columns, n, t->last, out);
	print_row(columns, n, t->totals, "total", out);
	print_folding(json_object_get(t->totals, "folding"), out);
}

static void print_notes(const json_t *passes, FILE *out)
{
	size_t i, k;
	const json_t *pass, *note;
	json_array_foreach(passes, i, pass) json_array_foreach(json_object_get(pass, "notes"), k, note)
		fprintf(out, "%s: %s\n", json_string_value(json_object_get(pass, "pass")), json_string_value(note));
}

void report_print_passes(const json_t *passes, FILE *out)
{
	size_t i;
	const json_t *pass;
	double total = 0;
	print_notes(passes, out);
	json_array_foreach(passes, i, pass)
	{
		double ms = 1e3 * json_real_value(json_object_get(pass, "seconds"));
		fprintf(out, "%s%s %.1f ms", i ? ", " : "passes: ", json_string_value(json_object_get(pass, "pass")),
			ms);
		total += ms;
	}
	if (i)
		fprintf(out, "; together %.1f ms\n", total);
}

/* ---- the file ---- */

/* Text that jansson makes, two columns further to the right: it is a member of the whole. */
static int put_indented(const char *text, size_t size, void *stream)
{
	for (size_t i = 0; i < size; i++) {
		putc(text[i], stream);
		if (text[i] == '\n')
			fputs("  ", stream);
	}
	return 0;
}

/* One report on its way into a file. */
struct report_file {
	FILE *stream;
	const char *separator; /* of what is written next: "" or "," */
	bool failed;	       /* a name is no UTF-8 */
};

static void start_member(struct report_file *f, const char *key)
{
	fprintf(f->stream, "%s\n  \"%s\": ", f->separator, key);
	f->separator = ",";
}

static void put_member(struct report_file *f, const char *key, const json_t *value)
{
	start_member(f, key);
	if (json_dump_callback(value, put_indented, f->stream, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
		f->failed = true;
}

/* An element of a long list takes one line. */
static void put_line(void *file, json_t *element)
{
	struct report_file *f = file;
	fprintf(f->stream, "%s\n    ", f->separator);
	f->separator = ",";
	if (json_dumpf(element, f->stream, 0) < 0)
		f->failed = true;
}

static void end_list(struct report_file *f)
{
	fputs(*f->separator ? "\n  ]" : "]", f->stream);
	f->separator = ",";
}

static void put_certificates(struct report_file *f, const struct certificates *c)
{
	start_member(f, "certificates");
	putc('[', f->stream);
	f->separator = "";
	for (size_t i = 0; i < c->count; i++) {
		json_t *one = certificate_json(&c->items[i]);
		put_line(f, one);
		json_decref(one);
	}
	end_list(f);
}

static void put_layers(struct report_file *f, struct report_table *t, const struct graph *g, const json_t *passes)
{
	start_member(f, "layers");
	putc('[', f->stream);
	f->separator = "";
	report_collect(t, g, passes, put_line, f);
	end_list(f);
}

int report_write(const struct report *r, struct report_table *t, const char *path, struct diags *d)
{
	const char *key;
	json_t *value;
	struct file_out out;
	if (file_create(&out, path, d) < 0)
		return -1;
	struct report_file f = { .stream = out.stream, .separator = "" };
	putc('{', f.stream);
	json_object_foreach(r->members, key, value) put_member(&f, key, value);
	if (r->certificates)
		put_certificates(&f, r->certificates);
	put_layers(&f, t, r->graph, json_object_get(r->members, "passes"));
	put_member(&f, "totals", t->totals);
	fputs("\n}\n", f.stream);
	if (!f.failed || ferror(f.stream))
		return file_commit(&out, d);
	file_abandon(&out);
	return diag_error(d, NULL, "cannot write '%s': a name in it is no UTF-8", path);
}

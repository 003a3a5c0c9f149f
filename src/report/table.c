/* The report on the terminal. */
#include "report/report.h"

#include <string.h>

#include "util/strbuf.h"

/* Beyond this the middle is left out; report.json has all. */
enum { SHOWN_LAYERS = 60 };

struct column {
	const char *title;
	/* The cell of a layer, "" for what it does not have. */
	void (*cell)(struct strbuf *b, const struct report_layer *l);
	bool number;
	int width; /* 0: no layer has it, and it is left out */
};

static void add_number(struct strbuf *b, int64_t x)
{
	if (x >= 0)
		strbuf_printf(b, "%lld", (long long)x);
}

static void add_text(struct strbuf *b, const char *text)
{
	strbuf_puts(b, text ? text : "");
}

static void add_shape(struct strbuf *b, const struct report_value *v)
{
	for (int k = 0; k < v->rank; k++) {
		strbuf_puts(b, k ? "x" : "");
		if (v->dims[k] < 0)
			strbuf_puts(b, "?");
		else
			add_number(b, v->dims[k]);
	}
}

#define CELL(name, statement)                                                   \
	static void name##_cell(struct strbuf *b, const struct report_layer *l) \
	{                                                                       \
		statement;                                                      \
	}
CELL(name, add_text(b, l->name))
CELL(op, add_text(b, l->op))
CELL(input, add_text(b, l->input.type))
CELL(weights, add_text(b, l->weights.type))
CELL(weight_shape, add_shape(b, &l->weights))
CELL(output, add_text(b, l->output.type))
CELL(params, add_number(b, l->params))
CELL(macs, add_number(b, l->macs))
CELL(weight_bits, add_number(b, l->weight_bits))
CELL(pe, add_number(b, l->pe))
CELL(simd, add_number(b, l->simd))
CELL(cycles, add_number(b, l->cycles))
CELL(lut, add_number(b, l->lut))
CELL(bram, add_number(b, l->bram_18k))
CELL(uram, add_number(b, l->uram))
CELL(dsp, add_number(b, l->dsp))
#undef CELL

static const struct column all_columns[] = {
	{ "layer", name_cell, false, 0 },
	{ "operator", op_cell, false, 0 },
	{ "input", input_cell, false, 0 },
	{ "weights", weights_cell, false, 0 },
	{ "shape", weight_shape_cell, false, 0 },
	{ "output", output_cell, false, 0 },
	{ "params", params_cell, true, 0 },
	{ "MACs", macs_cell, true, 0 },
	{ "weight bits", weight_bits_cell, true, 0 },
	{ "PE", pe_cell, true, 0 },
	{ "SIMD", simd_cell, true, 0 },
	{ "cycles", cycles_cell, true, 0 },
	{ "LUT", lut_cell, true, 0 },
	{ "BRAM18", bram_cell, true, 0 },
	{ "URAM", uram_cell, true, 0 },
	{ "DSP", dsp_cell, true, 0 },
};
enum { COLUMNS = sizeof all_columns / sizeof *all_columns };

/* Rows that are no layers: a name, and sums in the columns of numbers. */
static struct report_layer total_row(const struct report_totals *t)
{
	return (struct report_layer){ .name = "total",
				      .weights.rank = -1,
				      .params = t->params,
				      .macs = t->macs,
				      .weight_bits = t->weight_bits,
				      .pe = -1,
				      .simd = -1,
				      .cycles = -1,
				      .lut = t->lut,
				      .bram_18k = t->bram_18k,
				      .uram = t->uram > 0 ? t->uram : -1,
				      .dsp = t->dsp > 0 ? t->dsp : -1 };
}

/* Part of the network that is in its sum and in no layer of the table. */
static int64_t rest(int64_t total, const struct report *r, int64_t (*of)(const struct report_layer *l))
{
	for (size_t i = 0; i < r->n_layers; i++)
		total -= of(&r->layers[i]) > 0 ? of(&r->layers[i]) : 0;
	return total > 0 ? total : -1;
}

#define MEMBER(name)                                           \
	static int64_t of_##name(const struct report_layer *l) \
	{                                                      \
		return l->name;                                \
	}
MEMBER(lut)
MEMBER(bram_18k)
MEMBER(uram)
MEMBER(dsp)
#undef MEMBER

static struct report_layer others_row(const struct report *r)
{
	const struct report_totals *t = &r->totals;
	return (struct report_layer){ .name = "others",
				      .weights.rank = -1,
				      .params = -1,
				      .macs = -1,
				      .weight_bits = -1,
				      .pe = -1,
				      .simd = -1,
				      .cycles = -1,
				      .lut = rest(t->lut, r, of_lut),
				      .bram_18k = rest(t->bram_18k, r, of_bram_18k),
				      .uram = rest(t->uram, r, of_uram),
				      .dsp = rest(t->dsp, r, of_dsp) };
}

static bool is_shown(size_t i, size_t n)
{
	return n <= SHOWN_LAYERS || i < SHOWN_LAYERS / 2 || i >= n - SHOWN_LAYERS / 2;
}

static void widen(struct column *columns, const struct report_layer *row)
{
	for (int c = 0; c < COLUMNS; c++) {
		struct strbuf cell = { 0 };
		columns[c].cell(&cell, row);
		if ((int)cell.length > columns[c].width)
			columns[c].width = (int)cell.length;
		strbuf_free(&cell);
	}
}

/* Columns of zeros alone (no layer uses URAM) are left out like those without numbers. */
static bool is_used(const struct report *r, const struct column *column)
{
	for (size_t i = 0; i < r->n_layers; i++) {
		struct strbuf cell = { 0 };
		column->cell(&cell, &r->layers[i]);
		bool used = cell.length && strcmp(cell.text, "0") != 0;
		strbuf_free(&cell);
		if (used)
			return true;
	}
	return false;
}

static void measure(struct column *columns, const struct report *r, const struct report_layer *total)
{
	widen(columns, total);
	for (size_t i = 0; i < r->n_layers; i++)
		if (is_shown(i, r->n_layers))
			widen(columns, &r->layers[i]);
	for (int c = 0; c < COLUMNS; c++) {
		int title = (int)strlen(columns[c].title);
		if (!is_used(r, &columns[c]) && columns[c].cell != params_cell && columns[c].cell != macs_cell &&
		    columns[c].cell != weight_bits_cell)
			columns[c].width = 0;
		else if (columns[c].width < title)
			columns[c].width = title;
	}
}

/* row NULL: the titles. */
static void print_row(const struct column *columns, const struct report_layer *row, FILE *out)
{
	struct strbuf line = { 0 };
	for (int c = 0; c < COLUMNS; c++) {
		struct strbuf cell = { 0 };
		if (!columns[c].width)
			continue;
		if (row)
			columns[c].cell(&cell, row);
		else
			strbuf_puts(&cell, columns[c].title);
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

void report_print_layers(const struct report *r, FILE *out)
{
	struct column columns[COLUMNS];
	struct report_layer total = total_row(&r->totals), others = others_row(r);
	if (!r->n_layers)
		return;
	memcpy(columns, all_columns, sizeof columns);
	measure(columns, r, &total);
	print_row(columns, NULL, out);
	for (size_t i = 0; i < r->n_layers; i++) {
		if (is_shown(i, r->n_layers))
			print_row(columns, &r->layers[i], out);
		else if (i == SHOWN_LAYERS / 2)
			fprintf(out, "  ... %zu more\n", r->n_layers - SHOWN_LAYERS);
	}
	if (others.lut > 0 || others.bram_18k > 0 || others.uram > 0 || others.dsp > 0)
		print_row(columns, &others, out);
	print_row(columns, &total, out);
	print_folding(r->totals.folding, out);
}

static void print_notes(const json_t *passes, FILE *out)
{
	size_t i, k;
	const json_t *pass, *note;
	json_array_foreach(passes, i, pass) json_array_foreach(json_object_get(pass, "notes"), k, note)
		fprintf(out, "%s: %s\n", json_string_value(json_object_get(pass, "pass")), json_string_value(note));
}

void report_print_passes(const struct report *r, FILE *out)
{
	size_t i;
	const json_t *pass;
	double total = 0;
	print_notes(r->passes, out);
	json_array_foreach(r->passes, i, pass)
	{
		double ms = 1e3 * json_real_value(json_object_get(pass, "seconds"));
		fprintf(out, "%s%s %.1f ms", i ? ", " : "passes: ", json_string_value(json_object_get(pass, "pass")),
			ms);
		total += ms;
	}
	if (i)
		fprintf(out, "; together %.1f ms\n", total);
}

/* 128,064 */
static void add_grouped(struct strbuf *b, int64_t x)
{
	if (x < 1000) {
		strbuf_printf(b, "%lld", (long long)x);
		return;
	}
	add_grouped(b, x / 1000);
	strbuf_printf(b, ",%03d", (int)(x % 1000));
}

static void add_count(struct strbuf *b, int64_t n, const char *what)
{
	add_grouped(b, n);
	strbuf_printf(b, " %s%s", what, n == 1 ? "" : *what == 'p' && what[1] == 'a' ? "es" : "s");
}

void report_print_proof(const struct report *r, FILE *out)
{
	struct strbuf line = { 0 };
	const struct verification *v = &r->verification;
	int64_t points = 0;
	for (size_t i = 0; i < r->certificates.count; i++)
		points += r->certificates.items[i].points;
	if (v->samples) {
		strbuf_puts(&line, "verified: ");
		add_count(&line, (int64_t)v->compared, "pass");
		strbuf_puts(&line, ", ");
		add_count(&line, v->samples, "sample");
		strbuf_puts(&line, " equal");
		if (v->not_compared)
			strbuf_printf(&line, " (%zu not compared: made to change the outputs)", v->not_compared);
	}
	if (r->certify) {
		strbuf_puts(&line, line.length ? "; certified: " : "certified: ");
		add_count(&line, (int64_t)r->certificates.count, "layer");
		strbuf_puts(&line, ", ");
		add_count(&line, points, "point");
	}
	if (line.length)
		fprintf(out, "%s\n", line.text);
	strbuf_free(&line);
}

void report_print_backends(const struct report *r, FILE *out)
{
	const char *name;
	json_t *entry;
	int count = 0;
	json_object_foreach(r->backends, name, entry) fprintf(out, "%s%s", count++ ? ", " : "backends: ", name);
	if (count)
		fputc('\n', out);
	json_object_foreach(r->left_out, name, entry) fprintf(out, "%s left out: %s\n", name, json_string_value(entry));
}

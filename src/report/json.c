/* The report as JSON: docs/report.md describes the members. */
#include "report/report.h"

#include "util/file.h"

/* ---- parts of it ---- */

static json_t *number(int64_t x)
{
	return x < 0 ? json_null() : json_integer(x);
}

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *shape(const struct report_value *v)
{
	json_t *dims = json_array();
	for (int k = 0; k < v->rank; k++)
		json_array_append_new(dims, number(v->dims[k]));
	return dims;
}

static void set_range(json_t *o, const struct report_layer *l)
{
	json_t *bounds = l->has_range ? json_array() : json_null();
	if (l->has_range) {
		json_array_append_new(bounds, json_real(l->lo));
		json_array_append_new(bounds, json_real(l->hi));
	}
	json_object_set_new(o, "range", bounds);
}

/* Only hardware layers have these. */
static void set_hardware(json_t *o, const struct report_layer *l)
{
	const struct {
		const char *key;
		int64_t x;
	} members[] = {
		{ "PE", l->pe },   { "SIMD", l->simd },		{ "cycles", l->cycles },
		{ "LUT", l->lut }, { "BRAM_18K", l->bram_18k }, { "URAM", l->uram },
		{ "DSP", l->dsp },
	};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].x >= 0)
			json_object_set_new(o, members[i].key, json_integer(members[i].x));
}

/* One layer as an object, with the members of docs/report.md. A new reference. */
static json_t *layer_json(const struct report_layer *l)
{
	json_t *o = json_object(), *origin = json_array();
	for (size_t i = 0; i < l->n_origin; i++)
		json_array_append_new(origin, json_string(l->origin[i]));
	json_object_set_new(o, "name", text(l->name));
	json_object_set_new(o, "op", text(l->op));
	json_object_set_new(o, "input", text(l->input.type));
	json_object_set_new(o, "weights", text(l->weights.type));
	json_object_set_new(o, "output", text(l->output.type));
	json_object_set_new(o, "input_shape", shape(&l->input));
	json_object_set_new(o, "weight_shape", shape(&l->weights));
	json_object_set_new(o, "output_shape", shape(&l->output));
	json_object_set_new(o, "params", number(l->params));
	json_object_set_new(o, "weight_bits", number(l->weight_bits));
	json_object_set_new(o, "macs", number(l->macs));
	set_range(o, l);
	json_object_set_new(o, "origin", origin);
	set_hardware(o, l);
	return o;
}

static json_t *totals_json(const struct report *r)
{
	const struct report_totals *t = &r->totals;
	json_t *o = json_object();
	json_object_set_new(o, "nodes", number(t->nodes));
	json_object_set_new(o, "layers", number((int64_t)r->n_layers));
	json_object_set_new(o, "params", number(t->params));
	json_object_set_new(o, "macs", number(t->macs));
	json_object_set_new(o, "weight_bits", number(t->weight_bits));
	if (!t->folding)
		return o;
	json_object_set(o, "folding", (json_t *)(uintptr_t)t->folding);
	json_object_set_new(o, "LUT", number(t->lut));
	json_object_set_new(o, "BRAM_18K", number(t->bram_18k));
	json_object_set_new(o, "URAM", number(t->uram));
	json_object_set_new(o, "DSP", number(t->dsp));
	return o;
}

static json_t *verification_json(const struct verification *v)
{
	if (!v->samples)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "passes", json_integer((json_int_t)v->compared));
	json_object_set_new(o, "not_compared", json_integer((json_int_t)v->not_compared));
	json_object_set_new(o, "samples", json_integer(v->samples));
	json_object_set_new(o, "inputs", text(v->from_file ? v->from_file : "generated"));
	return o;
}

/* The short members; the lists follow them. */
static json_t *head(const struct report *r)
{
	json_t *o = json_object();
	json_object_set_new(o, "qcc", json_string(PACKAGE_VERSION));
	json_object_set_new(o, "version", json_integer(REPORT_VERSION));
	json_object_set_new(o, "model", text(r->model));
	json_object_set_new(o, "pipeline", text(r->pipeline));
	json_object_set(o, "passes", r->passes);
	json_object_set(o, "backends", r->backends);
	json_object_set(o, "left_out", r->left_out);
	json_object_set_new(o, "verification", verification_json(&r->verification));
	return o;
}

json_t *report_json(const struct report *r)
{
	json_t *all = head(r), *layers = json_array(), *certificates = json_array();
	for (size_t i = 0; i < r->n_layers; i++)
		json_array_append_new(layers, layer_json(&r->layers[i]));
	for (size_t i = 0; i < r->certificates.count; i++)
		json_array_append_new(certificates, certificate_json(&r->certificates.items[i]));
	if (r->certify)
		json_object_set(all, "certificates", certificates);
	json_decref(certificates);
	json_object_set_new(all, "layers", layers);
	json_object_set_new(all, "totals", totals_json(r));
	return all;
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

static void put_layers(struct report_file *f, const struct report *r)
{
	start_member(f, "layers");
	putc('[', f->stream);
	f->separator = "";
	for (size_t i = 0; i < r->n_layers; i++) {
		json_t *one = layer_json(&r->layers[i]);
		put_line(f, one);
		json_decref(one);
	}
	end_list(f);
}

static void put_all(struct report_file *f, const struct report *r)
{
	const char *key;
	json_t *value, *members = head(r), *totals = totals_json(r);
	putc('{', f->stream);
	json_object_foreach(members, key, value) put_member(f, key, value);
	if (r->certify)
		put_certificates(f, &r->certificates);
	put_layers(f, r);
	put_member(f, "totals", totals);
	fputs("\n}\n", f->stream);
	json_decref(members);
	json_decref(totals);
}

int report_write(const struct report *r, const char *path, struct diags *d)
{
	struct file_out out;
	if (file_create(&out, path, d) < 0)
		return -1;
	struct report_file f = { .stream = out.stream, .separator = "" };
	put_all(&f, r);
	if (!f.failed || ferror(f.stream))
		return file_commit(&out, d);
	file_abandon(&out);
	return diag_error(d, NULL, "cannot write '%s': a name in it is no UTF-8", path);
}

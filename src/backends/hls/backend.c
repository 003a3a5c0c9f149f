/* The backend `hls`: a self-contained dataflow design for Vitis HLS, with a C simulation that needs only a C++
 * compiler and the ap_int headers. */
#include "backends/hls/hls.h"

#include <ctype.h>
#include <string.h>

#include "hw/folding.h"
#include "util/file.h"

struct output {
	struct backend_ctx *x;
	int status;
};

static void write_file(struct output *o, const char *name, const char *text, size_t length)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/hls/%s", o->x->dir, name);
	if (o->status == 0)
		o->status = file_write(path.text, text, length, o->x->diags);
	strbuf_free(&path);
}

static void write_buffer(struct output *o, const char *name, struct strbuf *b)
{
	write_file(o, name, strbuf_text(b), b->length);
	strbuf_free(b);
}

static void make_folder(struct output *o, const char *name)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/hls%s", o->x->dir, name);
	if (o->status == 0)
		o->status = dir_make(path.text, o->x->diags);
	strbuf_free(&path);
}

static void write_templates(struct output *o)
{
	write_file(o, "qcc_layers.h", hls_text_qcc_layers, strlen(hls_text_qcc_layers));
	write_file(o, "sim/hls_stream.h", hls_text_hls_stream, strlen(hls_text_hls_stream));
	write_file(o, "sim/ap_axi_sdata.h", hls_text_ap_axi_sdata, strlen(hls_text_ap_axi_sdata));
	write_file(o, "sim/npy.h", hls_text_npy, strlen(hls_text_npy));
}

static void write_host_header(struct output *o, const struct hls_design *p)
{
	struct strbuf b = { 0 };
	strbuf_printf(
		&b,
		"/* in and out: an array for each of the network's inputs (or the design's streams), elements in order. */\n"
		"#ifndef QCC_HOST_H\n#define QCC_HOST_H\n\nvoid %s_head(const float *const *in, float *const *out);\n"
		"void %s_tail(const float *const *in, float *const *out);\n\n#endif\n",
		p->top, p->top);
	write_buffer(o, "host.h", &b);
}

static void write_design(struct output *o, struct hls_design *p)
{
	struct strbuf params = { 0 }, thresholds = { 0 }, top = { 0 }, header = { 0 }, host = { 0 };
	struct strbuf bench = { 0 }, makefile = { 0 }, tcl = { 0 };
	if (hls_emit_params(p, &params, &thresholds, o->x->diags) != 0 ||
	    hls_emit_top(p, &top, &header, o->x->diags) != 0 || hls_emit_host(p, &host, o->x->diags) != 0)
		o->status = -1;
	write_buffer(o, "params.h", &params);
	write_buffer(o, "thresh.h", &thresholds);
	write_buffer(o, "top.cpp", &top);
	write_buffer(o, "top.h", &header);
	write_buffer(o, "host.c", &host);
	if (o->status == 0) {
		write_host_header(o, p);
		hls_emit_testbench(p, &bench);
		hls_emit_makefile(p, &makefile);
		hls_emit_tcl(p, &tcl);
	}
	write_buffer(o, "testbench.cpp", &bench);
	write_buffer(o, "Makefile", &makefile);
	write_buffer(o, "run_hls.tcl", &tcl);
}

static void report(struct backend_ctx *x, const struct hls_design *p)
{
	json_object_set_new(x->report, "top", json_string(p->top));
	design_report(&p->design, x->report);
	json_object_set_new(x->report, "part", json_string(p->design.part));
	json_object_set_new(x->report, "clock_mhz", json_real(p->design.clock_mhz));
}

/* A trial without the costly parts: whether the graph can be emitted; else d says why. */
static bool fits(struct backend_ctx *x, struct diags *d)
{
	struct hls_design p;
	struct strbuf host = { 0 };
	bool ok = hls_design_read(&p, x->graph, "", &(struct design_options){ 0 }, d) == 0 &&
		  hls_emit_host(&p, &host, d) == 0;
	strbuf_free(&host);
	hls_design_free(&p);
	return ok;
}

static bool accepts(struct backend_ctx *x)
{
	if (!(x->graph->properties & GRAPH_FOLDED))
		diag_error(x->diags, "-p streamline,fold(target_fps=...)", "it needs a folded graph");
	else
		return fits(x, x->diags);
	return false;
}

static int emit(struct backend_ctx *x)
{
	struct output o = { x, 0 };
	struct hls_design p;
	if (!(x->graph->properties & GRAPH_FOLDED))
		return diag_error(x->diags, "-p streamline,fold(target_fps=...)", "backend hls needs a folded graph");
	double clock = backend_string(x, "clock_mhz") ? backend_real(x, "clock_mhz") : 0;
	struct design_options options = { .simulate = SCHEDULE_FULL,
					  .part = backend_string(x, "part"),
					  .clock_mhz = backend_string(x, "clock_mhz") ? &clock : NULL };
	int status = hls_design_read(&p, x->graph, backend_string(x, "top"), &options, x->diags);
	p.tlast = backend_flag(x, "tlast");
	if (status == 0) {
		make_folder(&o, "");
		make_folder(&o, "/sim");
		make_folder(&o, "/tv");
		write_templates(&o);
		write_design(&o, &p);
		struct strbuf dir = { 0 };
		strbuf_printf(&dir, "%s/hls", x->dir);
		if (o.status == 0)
			o.status = hls_write_vectors(&p, dir.text, backend_int(x, "samples"), x->diags);
		strbuf_puts(&dir, "/folding_config.json");
		if (o.status == 0)
			o.status = folding_config_write(x->graph, dir.text, x->diags);
		strbuf_free(&dir);
		report(x, &p);
		status = o.status;
	}
	hls_design_free(&p);
	return status;
}

static const struct pass_option options[] = {
	{ "top", OPTION_STRING, "network", "name of the top function" },
	{ "part", OPTION_STRING, NULL, "FPGA or board for run_hls.tcl; absent: fold's part, else xc7z020clg400-1" },
	{ "clock_mhz", OPTION_REAL, NULL, "clock for run_hls.tcl; absent: fold's clock, else 100" },
	{ "tlast", OPTION_FLAG, NULL, "words of the outer streams carry TKEEP, and TLAST at the end of a frame" },
	{ "samples", OPTION_INT, "4", "golden vectors to write" },
	{ 0 }
};

const struct backend backend_hls = {
	.name = "hls",
	.summary = "a dataflow design for Vitis HLS, with C simulation",
	.help = "Writes hls/: top.cpp with a function per layer and a top function with AXI streams and ap_ctrl_none, params.h and\n"
		"thresh.h with weights and thresholds, qcc_layers.h with the layers as templates, host.c with what stays for the\n"
		"host, a testbench with golden vectors, run_hls.tcl, folding_config.json. `make csim AP_TYPES=DIR` simulates it;\n"
		"reading from an empty stream and data left in one are errors there. The graph must have been folded.\n"
		"\n"
		"    qcc model.onnx -p 'streamline,fold(target_fps=100000)' -b hls -o out\n",
	.options = options,
	.accepts = accepts,
	.emit = emit,
};

/* The backend `verilog`: the design in Verilog-2005 with simulation, lint and synthesis by open tools. */
#include "backends/verilog/verilog.h"

#include <stdlib.h>
#include <string.h>

#include "backends/verilog/unrolled/unrolled.h"
#include "hw/folding.h"
#include "ops/op.h"
#include "util/file.h"
#include "util/identifier.h"

/* Words that identifiers of Verilog-2005 may not be, beyond those of C. */
static const char *const keywords[] = {
	"always",
	"and",
	"assign",
	"begin",
	"buf",
	"bufif0",
	"bufif1",
	"casex",
	"casez",
	"cell",
	"cmos",
	"config",
	"deassign",
	"defparam",
	"design",
	"disable",
	"edge",
	"end",
	"endcase",
	"endconfig",
	"endfunction",
	"endgenerate",
	"endmodule",
	"endprimitive",
	"endspecify",
	"endtable",
	"endtask",
	"event",
	"force",
	"forever",
	"fork",
	"function",
	"generate",
	"genvar",
	"highz0",
	"highz1",
	"ifnone",
	"incdir",
	"include",
	"initial",
	"inout",
	"input",
	"instance",
	"integer",
	"join",
	"large",
	"liblist",
	"library",
	"localparam",
	"macromodule",
	"medium",
	"module",
	"nand",
	"negedge",
	"nmos",
	"nor",
	"noshowcancelled",
	"not",
	"notif0",
	"notif1",
	"or",
	"output",
	"parameter",
	"pmos",
	"posedge",
	"primitive",
	"pull0",
	"pull1",
	"pulldown",
	"pullup",
	"pulsestyle_onevent",
	"pulsestyle_ondetect",
	"rcmos",
	"real",
	"realtime",
	"reg",
	"release",
	"repeat",
	"rnmos",
	"rpmos",
	"rtran",
	"rtranif0",
	"rtranif1",
	"scalared",
	"showcancelled",
	"small",
	"specify",
	"specparam",
	"strong0",
	"strong1",
	"supply0",
	"supply1",
	"table",
	"task",
	"time",
	"tran",
	"tranif0",
	"tranif1",
	"tri",
	"tri0",
	"tri1",
	"triand",
	"trior",
	"trireg",
	"use",
	"uwire",
	"vectored",
	"wait",
	"wand",
	"weak0",
	"weak1",
	"wire",
	"wor",
	"xnor",
	"xor",
	"circuit",
	"clock",
	"reset",
	"seed",
	"testbench",
	"tb_sink",
	"tb_source",
	"board",
	"sim",
};

static int check_kinds(const struct design *p, struct diags *d)
{
	for (size_t i = 0; i < p->n_layers; i++)
		if (verilog_check_layer(&p->layers[i].l, d) != 0)
			return -1;
	return 0;
}

/* A file of a module has its name: "qcc_fifo" for "qcc_fifo.v". */
static const char *module_name(struct arena *a, const char *file)
{
	return arena_printf(a, "%.*s", (int)strcspn(file, "."), file);
}

int verilog_design_read(struct verilog_design *p, const struct graph *g, const char *top,
			const struct design_options *o, struct diags *d)
{
	*p = (struct verilog_design){ 0 };
	if (design_read(&p->design, g, o, d) != 0 || check_kinds(&p->design, d) != 0)
		return -1;
	struct map taken = { 0 };
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		identifier_take(&taken, keywords[i]);
	for (size_t i = 0; verilog_texts[i].name; i++)
		identifier_take(&taken, module_name(&p->design.arena, verilog_texts[i].name));
	p->top = identifier_unique(&p->design.arena, &taken, identifier_alone(&p->design.arena, top, "n"), NULL);
	design_name_layers(&p->design, &taken, NULL);
	map_free(&taken);
	return 0;
}

void verilog_design_free(struct verilog_design *p)
{
	design_free(&p->design);
}

/* ---- writing ---- */

struct output {
	struct backend_ctx *x;
	const char *dir;
	int status;
};

static void write_file(struct output *o, const char *name, const char *text, size_t length)
{
	struct strbuf path = { 0 };
	strbuf_printf(&path, "%s/%s", o->dir, name);
	if (o->status == 0)
		o->status = file_write(path.text, text, length, o->x->diags);
	strbuf_free(&path);
}

static void write_buffer(struct output *o, const char *name, struct strbuf *b)
{
	write_file(o, name, strbuf_text(b), b->length);
	strbuf_free(b);
}

/* One frame a cycle. */
static bool is_unrolled(const struct backend_ctx *x)
{
	return backend_flag(x, "unrolled") || backend_flag(x, "tables");
}

/* 0: auto. */
static int64_t stages(const struct backend_ctx *x)
{
	const char *text = backend_string(x, "stages");
	return strcmp(text, "auto") ? strtol(text, NULL, 10) : 0;
}

/* The top module's text: 0, or -1. */
static int emit_top(struct output *o, const struct verilog_design *p, struct strbuf *text)
{
	struct verilog_writer w = { p, o->dir, text, o->x->diags, false };
	struct unrolled_options unrolled = { stages(o->x), backend_flag(o->x, "tables") };
	if (is_unrolled(o->x))
		return unrolled_emit(p, &unrolled, text, o->x->report, o->x->diags);
	verilog_emit_top(&w);
	return w.failed ? -1 : 0;
}

static void write_design(struct output *o, const struct verilog_design *p)
{
	struct strbuf top = { 0 }, header = { 0 }, makefile = { 0 }, bench = { 0 }, board = { 0 }, name = { 0 };
	if (emit_top(o, p, &top) != 0)
		o->status = -1;
	verilog_emit_sim_header(p, &header);
	verilog_emit_makefile(p, &makefile);
	verilog_emit_board_makefile(p, &makefile);
	verilog_emit_testbench(p, backend_int(o->x, "samples"), &bench);
	strbuf_printf(&name, "%s.v", p->top);
	write_buffer(o, name.text, &top);
	write_buffer(o, "sim.h", &header);
	write_buffer(o, "Makefile", &makefile);
	write_buffer(o, "testbench.v", &bench);
	if (verilog_has_board(p)) {
		verilog_emit_board(p, &board);
		write_buffer(o, "board.v", &board);
	}
	for (size_t i = 0; verilog_texts[i].name; i++)
		write_file(o, verilog_texts[i].name, verilog_texts[i].text, strlen(verilog_texts[i].text));
	strbuf_free(&name);
}

static void report(struct backend_ctx *x, const struct verilog_design *p)
{
	json_object_set_new(x->report, "top", json_string(p->top));
	design_report(&p->design, x->report);
}

static bool accepts(struct backend_ctx *x)
{
	struct verilog_design p;
	if (!(x->graph->properties & GRAPH_FOLDED)) {
		diag_error(x->diags, "-p streamline,fold(target_fps=...)", "it needs a folded graph");
		return false;
	}
	bool ok = verilog_design_read(&p, x->graph, "network", &(struct design_options){ 0 }, x->diags) == 0;
	verilog_design_free(&p);
	return ok;
}

/* The design as it is folded, or (unrolled) with every layer at its most parallel: then a frame takes one cycle. */
static int read_design(struct backend_ctx *x, struct verilog_design *p)
{
	bool unrolled = is_unrolled(x);
	struct design_options options = { .simulate = unrolled ? 0 : SCHEDULE_FULL, .modules = &verilog_modules };
	if (!unrolled)
		return verilog_design_read(p, x->graph, backend_string(x, "top"), &options, x->diags);
	struct graph *g = unrolled_graph(x->graph, x->diags);
	if (!g)
		return -1;
	int result = verilog_design_read(p, g, backend_string(x, "top"), &options, x->diags);
	p->design.schedule.bottleneck = p->design.schedule.interval = 1;
	p->design.schedule.simulated = true;
	graph_free(g);
	return result;
}

static int emit(struct backend_ctx *x)
{
	struct verilog_design p = { 0 };
	struct strbuf dir = { 0 }, vectors = { 0 };
	strbuf_printf(&dir, "%s/verilog", x->dir);
	strbuf_printf(&vectors, "%s/tv", dir.text);
	struct output o = { x, dir.text, 0 };
	if (!(x->graph->properties & (is_unrolled(x) ? GRAPH_HARDWARE : GRAPH_FOLDED)))
		return diag_error(x->diags,
				  "-p streamline,fold(target_fps=...); -p streamline,to-hw for verilog(unrolled)",
				  "backend verilog needs a folded graph");
	o.status = read_design(x, &p);
	if (o.status == 0)
		o.status = dir_make(vectors.text, x->diags);
	if (o.status == 0) {
		write_design(&o, &p);
		if (o.status == 0 && verilog_has_board(&p))
			o.status = verilog_write_host(&p, dir.text, x->diags);
		if (o.status == 0)
			o.status = verilog_write_vectors(&p, dir.text, backend_int(x, "samples"), x->diags);
		report(x, &p);
	}
	verilog_design_free(&p);
	strbuf_free(&dir);
	strbuf_free(&vectors);
	return o.status;
}

static const struct pass_option options[] = {
	{ "top", OPTION_STRING, "network", "name of the top module" },
	{ "unrolled", OPTION_FLAG, NULL, "one frame a cycle: every neuron a circuit" },
	{ "tables", OPTION_FLAG, NULL, "unrolled, but neurons of up to 8 input bits are truth tables" },
	{ "stages", OPTION_STRING, "auto", "unrolled: register stages, or auto: one every three gates" },
	{ "samples", OPTION_INT, "4", "golden vectors to write" },
	{ 0 }
};

const struct backend backend_verilog = {
	.name = "verilog",
	.summary = "a dataflow design in Verilog, with simulation and synthesis by open tools",
	.help = "Writes verilog/: a top module with valid and ready at every border, a module a kind of layer, weights and\n"
		"thresholds as .hex files, a testbench with golden vectors of the integer part, a Makefile. `make sim` runs it in\n"
		"verilator and compares words and cycles a frame with what was computed (STALLS=SEED: with random pauses),\n"
		"`make lint` checks it, `make synth TARGET=xilinx|ice40|ecp5|gowin` synthesises it with yosys. `make bitstream BOARD=ice40-hx8k-b-evn`\n"
		"(ice40-up5k, ulx3s) makes a bitstream with a serial line, over which host.py sends rows and reads classes;\n"
		"`make board-sim` simulates that line bit by bit. The graph must have been folded.\n"
		"\n"
		"    qcc model.onnx -p 'streamline,fold(target_fps=100000)' -b verilog -o out\n"
		"\n"
		"verilog(unrolled) writes small dense networks as one circuit that takes a frame a cycle: weights and thresholds\n"
		"become adders and tables, what neurons have in common is computed once, registers stand between so many gates.\n"
		"\n"
		"    qcc model.onnx -p 'streamline,to-hw' -b 'verilog(unrolled,stages=4)' -o out\n"
		"\n"
		"verilog(tables) does the same, but neurons of up to 8 input bits become truth tables: networks that were trained\n"
		"with `qcc train --fan-in` have many of them.\n",
	.options = options,
	.accepts = accepts,
	.emit = emit,
};

/* The files around the design: what the testbench must know, Makefile, golden vectors. */
#include "backends/verilog/verilog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "pipeline/feed.h"
#include "util/file.h"
#include "util/integers.h"

static void emit_port_list(const struct verilog_design *p, bool output, struct strbuf *b)
{
	size_t count = output ? p->design.n_outputs : p->design.n_inputs;
	strbuf_puts(b, output ? "#define OUTPUTS(X)" : "#define INPUTS(X)");
	for (size_t k = 0; k < count; k++) {
		const struct design_stream *s = design_port(&p->design, output, k);
		strbuf_printf(b, " X(%zu, %lld, %lld)", k, (long long)hw_width(s->words), (long long)s->words.words);
	}
	strbuf_puts(b, "\n");
}

void verilog_emit_sim_header(const struct verilog_design *p, struct strbuf *b)
{
	strbuf_printf(b,
		      "// What the testbench must know of the design: ports as number, bits and words a frame.\n"
		      "#include \"V%s.h\"\ntypedef V%s Top;\n",
		      p->top, p->top);
	emit_port_list(p, false, b);
	emit_port_list(p, true, b);
	strbuf_printf(b, "static const long INTERVAL = %lld; // cycles a frame, as scheduled\n",
		      (long long)p->design.schedule.interval);
	strbuf_printf(b, "static const bool SIMULATED = %s; // else INTERVAL is that of the slowest layer\n",
		      p->design.schedule.simulated ? "true" : "false");
}

void verilog_emit_makefile(const struct verilog_design *p, struct strbuf *b)
{
	strbuf_printf(
		b,
		"# make sim: the design on its golden vectors, with cycles a frame (verilator); STALLS=SEED: valid and ready pause at\n"
		"# random. make isim: the same in iverilog; make wave: wave.vcd. make lint. make prove: pauses change no\n# word (yosys, ABC). make synth TARGET=xilinx|ice40|ecp5|gowin (yosys). make place: placed and routed for an iCE40 (nextpnr).\n"
		"TOP = %s\nTARGET = xilinx\nDEVICE = hx8k\nPACKAGE = ct256\nSEED = 1\nCXXFLAGS = -O1\nSTALLS =\n"
		"SOURCES = $(wildcard qcc_*.v) $(TOP).v\n\n"
		"sim: obj/sim\n\t./obj/sim $(STALLS)\n"
		"obj/sim: $(SOURCES) testbench.cpp sim.h\n"
		"\tverilator --language 1364-2005 --cc --exe --build -j 1 -Wno-fatal -y . --top-module $(TOP) --Mdir obj -CFLAGS \"$(CXXFLAGS) -I..\" -o sim "
		"$(TOP).v testbench.cpp >sim.log || { cat sim.log; false; }\n"
		"isim: obj/isim\n\tvvp -n obj/isim $(if $(STALLS),+seed=$(STALLS)) | tee obj/isim.out\n"
		"\t@grep -q 'equal bit for bit' obj/isim.out && ! grep -q FAILED obj/isim.out\n"
		"wave: obj/isim\n\tvvp -n obj/isim +wave\n"
		"obj/isim: $(SOURCES) testbench.v tb_source.v tb_sink.v\n\tmkdir -p obj\n"
		"\tiverilog -g2005 -s testbench -o $@ testbench.v tb_source.v tb_sink.v $(SOURCES)\n"
		"lint:\n\tverilator --language 1364-2005 --lint-only -Wall -y . --top-module $(TOP) $(TOP).v\n\tiverilog -g2005 -Wall -t null -s $(TOP) $(SOURCES)\n"
		"synth: synth-$(TARGET)\n"
		"synth-xilinx:\n\tyosys -q -l xilinx.log -p 'read_verilog -defer $(SOURCES); synth_xilinx -nodsp -nosrl -flatten -top $(TOP); "
		"tee -o xilinx.stat stat -tech xilinx'\n\tcat xilinx.stat\n"
		"synth-ice40: $(TOP).json\n\tcat ice40.stat\n"
		"synth-ecp5 synth-gowin: synth-%%: $(SOURCES)\n\tyosys -q -l $*.log -p 'read_verilog -defer $(SOURCES); synth_$* -top $(TOP); "
		"tee -o $*.stat stat'\n\tcat $*.stat\n"
		"$(TOP).json: $(SOURCES)\n\tyosys -q -l ice40.log -p 'read_verilog -defer $(SOURCES); synth_ice40 -top $(TOP) -json $@; "
		"tee -o ice40.stat stat'\n"
		"place: $(TOP).json\n\tnextpnr-ice40 --$(DEVICE) --package $(PACKAGE) --pcf-allow-unconstrained --seed $(SEED) --json $< "
		"--asc $(TOP).asc --report place.json\n"
		"prove:\n\tpython3 prove.py $(MODULES)\n"
		"clean:\n\trm -rf obj *.log *.stat *.json *.asc *.vcd\n"
		".PHONY: sim isim wave lint synth synth-xilinx synth-ice40 synth-ecp5 synth-gowin place prove clean\n",
		p->top);
}

/* ---- a testbench in Verilog, for iverilog and for waveforms ---- */

static int64_t frames_of(int64_t samples)
{
	return samples < 4 ? 8 : 2 * samples;
}

/* The source or the sink at a port. */
static void emit_end(const struct design_stream *s, bool output, int64_t samples, struct strbuf *b)
{
	const char *end = output ? "out" : "in", *module = output ? "sink" : "source";
	long long words = (long long)s->words.words;
	size_t k = s->port;
	strbuf_printf(
		b,
		"\twire [%lld:0] %s%zu_tdata;\n\twire %s%zu_tvalid, %s%zu_tready;\n\ttb_%s #(.WIDTH(%lld), .WORDS(%lld), "
		".TOTAL(%lld), .FILE(\"tv/%s%zu.hex\")",
		(long long)hw_width(s->words) - 1, end, k, end, k, end, k, module, (long long)hw_width(s->words),
		samples * words, frames_of(samples) * words, end, k);
	if (output)
		strbuf_printf(b, ", .FRAME(%lld)", words);
	strbuf_printf(
		b,
		") %s%zu (\n\t\t.clock(clock), .reset(reset), .seed(seed), .data(%s%zu_tdata), .valid(%s%zu_tvalid), "
		".ready(%s%zu_tready)",
		module, k, end, k, end, k, end, k);
	if (output)
		strbuf_printf(b, ", .done(done[%zu]), .wrong(wrong[%zu]), .interval(interval[%zu +: 64])", k, k,
			      64 * k);
	strbuf_puts(b, ");\n");
}

static void emit_ends(const struct verilog_design *p, int64_t samples, struct strbuf *b)
{
	for (size_t k = 0; k < p->design.n_inputs; k++)
		emit_end(design_port(&p->design, false, k), false, samples, b);
	for (size_t k = 0; k < p->design.n_outputs; k++)
		emit_end(design_port(&p->design, true, k), true, samples, b);
	strbuf_printf(b, "\t%s circuit (.clock(clock), .reset(reset)", p->top);
	for (int output = 0; output < 2; output++)
		for (size_t k = 0; k < (output ? p->design.n_outputs : p->design.n_inputs); k++) {
			const char *end = output ? "out" : "in";
			strbuf_printf(b,
				      ",\n\t\t.%s%zu_tdata(%s%zu_tdata), .%s%zu_tvalid(%s%zu_tvalid), "
				      ".%s%zu_tready(%s%zu_tready)",
				      end, k, end, k, end, k, end, k, end, k, end, k);
		}
	strbuf_puts(b, ");\n");
}

void verilog_emit_testbench(const struct verilog_design *p, int64_t samples, struct strbuf *b)
{
	long long interval = (long long)p->design.schedule.interval;
	strbuf_printf(
		b,
		"// Runs the golden vectors tv/ through the design and counts cycles: vvp obj/isim [+seed=N] [+wave].\n"
		"// +seed: with random pauses at every port. +wave: writes wave.vcd.\n"
		"`timescale 1ns/1ps\nmodule testbench;\n\treg clock, reset;\n\treg [31:0] seed;\n\treg [63:0] cycle;\n"
		"\twire [%zu:0] done, wrong;\n\twire [%zu:0] interval;\n",
		p->design.n_outputs - 1, 64 * p->design.n_outputs - 1);
	emit_ends(p, samples, b);
	strbuf_printf(
		b,
		"\twire late = interval[63:0] != 64'd%lld && seed == 0;\n"
		"\talways #5 clock = ~clock;\n\tinitial begin\n\t\tclock = 1'b0;\n\t\treset = 1'b1;\n\t\tcycle = 0;\n"
		"\t\tif (!$value$plusargs(\"seed=%%d\", seed))\n\t\t\tseed = 0;\n"
		"\t\tif ($test$plusargs(\"wave\")) begin\n\t\t\t$dumpfile(\"wave.vcd\");\n\t\t\t$dumpvars(0, testbench);\n\t\tend\n"
		"\t\t#22 reset = 1'b0;\n\tend\n"
		"\talways @(posedge clock) begin\n\t\tcycle = cycle + 1;\n\t\tif (&done) begin\n"
		"\t\t\t$display(\"testbench: %%0s, %%0d cycles a frame, %%0sas scheduled: %lld\",\n"
		"\t\t\t\t|wrong ? \"DIFFERENT from the golden words\" : \"equal bit for bit\", interval[63:0],\n"
		"\t\t\t\tseed != 0 ? \"with pauses, \" : late ? \"NOT \" : \"\");\n\t\t\tif (|wrong || (late && %d))\n"
		"\t\t\t\t$display(\"testbench: FAILED\");\n\t\t\t$finish;\n"
		"\t\tend else if (cycle > 64'd%lld) begin\n\t\t\t$display(\"testbench: FAILED, it HANGS\");\n\t\t\t$finish;\n"
		"\t\tend\n\tend\nendmodule\n",
		interval, interval, p->design.schedule.simulated ? 1 : 0,
		100000 + 20 * (long long)frames_of(samples) * interval);
}

/* ---- golden vectors: the words of the border streams, a file a stream ---- */

struct recording {
	const struct verilog_design *p;
	struct strbuf *files; /* of inputs, then of outputs */
};

static void record_words(const struct design_stream *s, const struct tensor *t, struct strbuf *b)
{
	int64_t width = hw_width(s->words), digits = ceil_div(width, 4);
	unsigned char *word = xcalloc((size_t)(digits * 4), 1); /* a bit a byte */
	for (int64_t i = 0; i + s->words.elements <= t->count; i += s->words.elements) {
		memset(word, 0, (size_t)(digits * 4));
		for (int64_t e = 0; e < s->words.elements; e++) {
			uint64_t code = hw_code(s->type, tensor_at(t, i + e));
			for (int k = 0; k < s->words.bits; k++)
				word[e * s->words.bits + k] = code >> k & 1;
		}
		for (int64_t k = digits - 1; k >= 0; k--) {
			const unsigned char *bits = word + 4 * k;
			strbuf_char(b, "0123456789abcdef"[bits[0] + 2 * bits[1] + 4 * bits[2] + 8 * bits[3]]);
		}
		strbuf_char(b, '\n');
	}
	free(word);
}

static void observe(void *user, const struct value *v, const struct tensor *t)
{
	struct recording *r = user;
	for (int output = 0; output < 2; output++)
		for (size_t k = 0; k < (output ? r->p->design.n_outputs : r->p->design.n_inputs); k++) {
			const struct design_stream *s = design_port(&r->p->design, output, k);
			if (!strcmp(s->value->name, v->name))
				record_words(s, t, &r->files[output ? r->p->design.n_inputs + k : k]);
		}
}

static int write_recording(const struct recording *r, const char *dir, struct diags *d)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < r->p->design.n_inputs + r->p->design.n_outputs; i++) {
		struct strbuf path = { 0 };
		bool output = i >= r->p->design.n_inputs;
		strbuf_printf(&path, "%s/tv/%s%zu.hex", dir, output ? "out" : "in",
			      output ? i - r->p->design.n_inputs : i);
		result = file_write(path.text, strbuf_text(&r->files[i]), r->files[i].length, d);
		strbuf_free(&path);
	}
	return result;
}

int verilog_write_vectors(const struct verilog_design *p, const char *dir, int64_t samples, struct diags *d)
{
	struct feed f;
	struct graph *g = design_exact(&p->design);
	size_t files = p->design.n_inputs + p->design.n_outputs;
	struct recording r = { p, xcalloc(files + 1, sizeof *r.files) };
	struct tensor **outputs = xcalloc(g->n_outputs + 1, sizeof *outputs);
	struct exec_options options = { .observe = observe, .user = &r };
	feed_init(&f, g);
	int result = feed_generate(&f, samples, 1, d);
	if (result == 0)
		result = exec_batch(g, f.tensors, outputs, &options, NULL, d);
	if (result == 0)
		result = write_recording(&r, dir, d);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(outputs[i]);
	for (size_t i = 0; i < files; i++)
		strbuf_free(&r.files[i]);
	free(r.files);
	free(outputs);
	feed_free(&f);
	graph_free(g);
	return result;
}

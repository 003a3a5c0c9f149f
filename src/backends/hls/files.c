/* The files around the design: testbench, Makefile, script for Vitis HLS, golden vectors. */
#include "backends/hls/hls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "pipeline/feed.h"
#include "ir/npy.h"

static long long elements_of(const struct design_stream *s)
{
	return (long long)(s->words.words * s->words.elements);
}

static long long size_of(const struct value *v)
{
	long long n = 1;
	for (int i = 0; i < v->rank; i++)
		n *= v->dims[i];
	return n;
}

/* ---- testbench ---- */

static void emit_feed(const struct hls_design *p, size_t k, struct strbuf *b)
{
	const struct design_stream *s = design_port(&p->design, false, k);
	char element[40];
	strbuf_printf(b, "\tfeed<%s, %lld, %lld>(x%zu, in%zu, %lld);\n", hls_element(s->type, element),
		      (long long)s->words.elements, (long long)hls_border(hw_width(s->words)), k, k,
		      (long long)s->words.words);
}

static void emit_drain(const struct hls_design *p, size_t k, struct strbuf *b)
{
	const struct design_stream *s = design_port(&p->design, true, k);
	char element[40];
	strbuf_printf(b, "\tdrain<%s, %lld, %lld>(out%zu, y%zu, %lld);\n", hls_element(s->type, element),
		      (long long)s->words.elements, (long long)hls_border(hw_width(s->words)), k, k,
		      (long long)s->words.words);
}

static const char testbench_head[] =
	"/* Runs samples through the design: testbench INPUT.npy... OUTPUT.npy... [GOLDEN.npy...]: a file for each input and output of\n"
	" * the network. Fails on a read from an empty stream, on data left in one, and on outputs other than the golden ones. */\n"
	"#include \"top.h\"\n#include \"npy.h\"\n#include <cmath>\nextern \"C\" {\n#include \"host.h\"\n}\n\n"
	"template <class E, int N, int WIDTH> static void feed(const float *x, hls::stream<typename qcc::Port<WIDTH>::word> &s, long words)\n{\n"
	"\tfor (long i = 0; i < words; i++) {\n\t\tap_uint<WIDTH> word = 0;\n\t\tfor (int k = 0; k < N; k++)\n"
	"\t\t\tqcc::set_element<E::bits>(word, k, E::encode(typename E::value((long)x[i * N + k])));\n\t\ts.write(qcc::Port<WIDTH>::make(word, i == words - 1));\n\t}\n}\n\n"
	"template <class E, int N, int WIDTH> static void drain(hls::stream<typename qcc::Port<WIDTH>::word> &s, float *y, long words)\n{\n"
	"\tfor (long i = 0; i < words; i++) {\n\t\tconst typename qcc::Port<WIDTH>::word beat = s.read();\n\t\tconst ap_uint<WIDTH> word = qcc::Port<WIDTH>::data(beat);\n"
	"\t\tif (i == words - 1 && !qcc::Port<WIDTH>::ends(beat))\n\t\t\tnpy_fail(\"output stream\", \"TLAST is missing\");\n\t\tfor (int k = 0; k < N; k++)\n"
	"\t\t\ty[i * N + k] = (float)(long)E::decode(qcc::element<E::bits>(word, k));\n\t}\n}\n\n";

static const char testbench_main[] =
	"int main(int argc, char **argv)\n{\n\tif (argc != 1 + INPUTS + OUTPUTS && argc != 1 + INPUTS + 2 * OUTPUTS) {\n"
	"\t\tstd::fprintf(stderr, \"usage: %s INPUT.npy... OUTPUT.npy... [GOLDEN.npy...]\\n\", argv[0]);\n\t\treturn 2;\n\t}\n"
	"\tArray in[INPUTS], out[OUTPUTS];\n\tconst float *x[INPUTS];\n\tfloat *y[OUTPUTS];\n\tfor (int k = 0; k < INPUTS; k++)\n"
	"\t\tin[k] = npy_read(argv[1 + k]);\n"
	"\tconst size_t frames = in[0].data.size() / input_size[0];\n\tfor (int k = 0; k < INPUTS; k++)\n"
	"\t\tif (in[k].data.size() != frames * input_size[k])\n\t\t\tnpy_fail(argv[1 + k], \"has another size than the network's input\");\n"
	"\tfor (int k = 0; k < OUTPUTS; k++) {\n\t\tout[k].dims = output_dims[k];\n\t\tout[k].dims[0] *= frames;\n"
	"\t\tout[k].data.resize(frames * output_size[k]);\n\t}\n\tfor (size_t f = 0; f < frames; f++) {\n"
	"\t\tfor (int k = 0; k < INPUTS; k++)\n\t\t\tx[k] = &in[k].data[f * input_size[k]];\n"
	"\t\tfor (int k = 0; k < OUTPUTS; k++)\n\t\t\ty[k] = &out[k].data[f * output_size[k]];\n\t\trun_frame(x, y);\n\t}\n"
	"\tif (!hls::all_streams_empty())\n\t\treturn 1;\n\tsize_t wrong = 0, count = 0;\n\tfor (int k = 0; k < OUTPUTS; k++) {\n"
	"\t\tnpy_write(argv[1 + INPUTS + k], out[k]);\n\t\tif (argc == 1 + INPUTS + OUTPUTS)\n\t\t\tcontinue;\n"
	"\t\tconst Array golden = npy_read(argv[1 + INPUTS + OUTPUTS + k]);\n"
	"\t\tif (golden.data.size() != out[k].data.size())\n\t\t\tnpy_fail(argv[1 + INPUTS + OUTPUTS + k], \"has another size than the network's output\");\n"
	"\t\tcount += golden.data.size();\n\t\tfor (size_t i = 0; i < golden.data.size(); i++)\n"
	"\t\t\twrong += TOLERANCE > 0 ? !(std::fabs(out[k].data[i] - golden.data[i]) <= TOLERANCE * (1 + std::fabs(golden.data[i])))\n"
	"\t\t\t\t\t       : out[k].data[i] != golden.data[i];\n\t}\n\tif (argc == 1 + INPUTS + OUTPUTS)\n\t\treturn 0;\n"
	"\tstd::printf(\"csim: %lu frames, %lu outputs, %s\\n\", (unsigned long)frames, (unsigned long)count,\n"
	"\t\t    wrong ? \"DIFFERENT from the golden ones\" : TOLERANCE > 0 ? \"equal within tolerance\" : \"equal bit for bit\");\n"
	"\treturn wrong ? 1 : 0;\n}\n";

static void emit_dims(const struct value *v, struct strbuf *b)
{
	strbuf_puts(b, "{ ");
	for (int i = 0; i < v->rank; i++)
		strbuf_printf(b, "%s%lld", i ? ", " : "", (long long)v->dims[i]);
	strbuf_puts(b, v->rank ? " }" : "1 }");
}

static void emit_sizes(const struct hls_design *p, struct strbuf *b)
{
	const struct graph *g = p->design.g;
	size_t inputs = 0;
	strbuf_puts(b, "static const size_t input_size[] = { ");
	for (uint32_t i = 0; i < g->n_inputs; i++)
		if (!g->inputs[i]->constant)
			strbuf_printf(b, "%s%lld", inputs++ ? ", " : "", size_of(g->inputs[i]));
	strbuf_printf(b, " };\nenum { INPUTS = %zu, OUTPUTS = %u };\nstatic const size_t output_size[] = { ", inputs,
		      g->n_outputs);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		strbuf_printf(b, "%s%lld", i ? ", " : "", size_of(g->outputs[i].value));
	strbuf_puts(b, " };\nstatic const std::vector<size_t> output_dims[] = { ");
	for (uint32_t i = 0; i < g->n_outputs; i++) {
		strbuf_puts(b, i ? ", " : "");
		emit_dims(g->outputs[i].value, b);
	}
	strbuf_printf(b, " };\nstatic const double TOLERANCE = %s;\n\n", p->host_rounds ? "1e-6" : "0");
}

void hls_emit_testbench(const struct hls_design *p, struct strbuf *b)
{
	strbuf_puts(b, testbench_head);
	emit_sizes(p, b);
	strbuf_puts(b, "static void run_frame(const float *const *in, float *const *out)\n{\n");
	for (size_t k = 0; k < p->design.n_inputs; k++)
		strbuf_printf(
			b,
			"\tstatic float x%zu[%lld];\n\tstatic hls::stream<qcc::Port<%lld>::word> in%zu(\"in%zu\");\n",
			k, elements_of(design_port(&p->design, false, k)),
			(long long)hls_border(hw_width(design_port(&p->design, false, k)->words)), k, k);
	for (size_t k = 0; k < p->design.n_outputs; k++)
		strbuf_printf(
			b,
			"\tstatic float y%zu[%lld];\n\tstatic hls::stream<qcc::Port<%lld>::word> out%zu(\"out%zu\");\n",
			k, elements_of(design_port(&p->design, true, k)),
			(long long)hls_border(hw_width(design_port(&p->design, true, k)->words)), k, k);
	for (int output = 0; output < 2; output++) {
		strbuf_printf(b, "\tstatic %sfloat *const %s[] = { ", output ? "const " : "", output ? "y" : "x");
		for (size_t k = 0; k < (output ? p->design.n_outputs : p->design.n_inputs); k++)
			strbuf_printf(b, "%s%s%zu", k ? ", " : "", output ? "y" : "x", k);
		strbuf_puts(b, " };\n");
	}
	strbuf_printf(b, "\t%s_head(in, x);\n", p->top);
	for (size_t k = 0; k < p->design.n_inputs; k++)
		emit_feed(p, k, b);
	strbuf_printf(b, "\t%s(", p->top);
	for (size_t k = 0; k < p->design.n_inputs; k++)
		strbuf_printf(b, "in%zu, ", k);
	for (size_t k = 0; k < p->design.n_outputs; k++)
		strbuf_printf(b, "%sout%zu", k ? ", " : "", k);
	strbuf_puts(b, ");\n");
	for (size_t k = 0; k < p->design.n_outputs; k++)
		emit_drain(p, k, b);
	strbuf_printf(b, "\t%s_tail(y, out);\n}\n\n%s", p->top, testbench_main);
}

/* ---- building ---- */

/* output.npy; output0.npy, output1.npy, ... where there are several. */
static void output_file(const struct graph *g, const char *folder, const char *name, uint32_t i, struct strbuf *b)
{
	if (g->n_outputs == 1)
		strbuf_printf(b, "%s%s.npy", folder, name);
	else
		strbuf_printf(b, "%s%s%u.npy", folder, name, i);
}

void hls_emit_makefile(const struct hls_design *p, struct strbuf *b)
{
	strbuf_puts(
		b,
		"# make csim AP_TYPES=DIR simulates the design in C. DIR holds ap_int.h and its kin: Vitis HLS's include folder,\n"
		"# or the Apache-licensed ap_types folder of the hls4ml package from PyPI.\n"
		"CXX = g++\nCC = cc\nAP_TYPES = /opt/xilinx/include\nCXXFLAGS = -std=c++14 -O2 -ffp-contract=off -Wno-unknown-pragmas\n"
		"CFLAGS = -std=c99 -O2 -ffp-contract=off\n\n"
		"csim: testbench\n\t./testbench");
	size_t inputs = graph_data_inputs(p->design.g, NULL, 0);
	for (size_t i = 0; i < inputs; i++)
		strbuf_printf(b, " tv/input%zu.npy", i);
	for (int golden = 0; golden < 2; golden++)
		for (uint32_t i = 0; i < p->design.g->n_outputs; i++)
			output_file(p->design.g, " tv/", golden ? "output" : "csim", i, b);
	strbuf_puts(b, "\n\n"
		       "testbench: testbench.o top.o host.o\n\t$(CXX) $(CXXFLAGS) -o $@ testbench.o top.o host.o -lm\n"
		       "top.o: top.cpp top.h params.h thresh.h qcc_layers.h sim/hls_stream.h\n"
		       "\t$(CXX) $(CXXFLAGS) -I. -Isim -I$(AP_TYPES) -c top.cpp\n"
		       "testbench.o: testbench.cpp top.h qcc_layers.h sim/hls_stream.h sim/npy.h host.h\n"
		       "\t$(CXX) $(CXXFLAGS) -I. -Isim -I$(AP_TYPES) -c testbench.cpp\n"
		       "host.o: host.c host.h\n\t$(CC) $(CFLAGS) -c host.c\n"
		       "hls:\n\tvitis_hls -f run_hls.tcl\n"
		       "clean:\n\trm -rf testbench *.o tv/csim*.npy prj\n"
		       ".PHONY: csim hls clean\n");
}

void hls_emit_tcl(const struct hls_design *p, struct strbuf *b)
{
	strbuf_printf(
		b,
		"# Synthesises the design: vitis_hls -f run_hls.tcl\n"
		"open_project -reset prj\nset_top %s\nadd_files top.cpp -cflags \"-std=c++14 -I.\"\n"
		"add_files -tb testbench.cpp -cflags \"-std=c++14 -I. -Isim\"\nadd_files -tb host.c -cflags \"-I.\"\n"
		"add_files -tb tv\nopen_solution -reset sol -flow_target vivado\nset_part %s\ncreate_clock -period %.3f\n"
		"csynth_design\nexport_design -format ip_catalog\nexit\n",
		p->top, p->design.part, 1000 / p->design.clock_mhz);
}

/* ---- golden vectors ---- */

static int write_tensors(const struct graph *g, const struct feed *f, struct tensor *const *outputs, const char *dir,
			 struct diags *d)
{
	struct strbuf path = { 0 };
	int result = 0;
	for (size_t i = 0; result == 0 && i < f->count; i++) {
		path.length = 0;
		strbuf_printf(&path, "%s/tv/input%zu.npy", dir, i);
		result = npy_write(f->tensors[i], path.text, d);
	}
	for (uint32_t i = 0; result == 0 && i < g->n_outputs; i++) {
		struct tensor *real = tensor_cast(outputs[i], ELEM_FLOAT);
		path.length = 0;
		strbuf_printf(&path, "%s/tv/", dir);
		output_file(g, "", "output", i, &path);
		result = npy_write(real, path.text, d);
		tensor_unref(real);
	}
	strbuf_free(&path);
	return result;
}

int hls_write_vectors(const struct hls_design *p, const char *dir, int64_t samples, struct diags *d)
{
	struct feed f;
	struct graph *g = design_exact(&p->design);
	struct tensor **outputs = xcalloc(g->n_outputs + 1, sizeof *outputs);
	struct exec_options options = { .threads = 0 };
	feed_init(&f, g);
	int result = feed_generate(&f, samples, 1, d);
	if (result == 0)
		result = exec_batch(g, f.tensors, outputs, &options, NULL, d);
	if (result == 0)
		result = write_tensors(g, &f, outputs, dir, d);
	for (uint32_t i = 0; i < g->n_outputs; i++)
		tensor_unref(outputs[i]);
	free(outputs);
	feed_free(&f);
	graph_free(g);
	return result;
}

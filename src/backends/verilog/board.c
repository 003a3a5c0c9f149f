/* The design on a board: a wrapper with a serial line, and what the host must know to talk to it. */
#include "backends/verilog/verilog.h"

#include <stdlib.h>
#include <string.h>

#include "hw/host.h"
#include "util/file.h"
#include "util/integers.h"

bool verilog_has_board(const struct verilog_design *p)
{
	return p->design.n_inputs == 1 && p->design.n_outputs == 1;
}

static void emit_side(struct strbuf *b, const char *name, const struct design_stream *s)
{
	long long width = (long long)hw_width(s->words), bytes = ceil_div(width, 8);
	strbuf_printf(b, ", .%s(%lld), .%s_BYTES(%lld), .%s_BITS(%d)", name, width, name, bytes, name,
		      verilog_index_bits(bytes + 1));
}

void verilog_emit_board(const struct verilog_design *p, struct strbuf *b)
{
	const struct design_stream *in = design_port(&p->design, false, 0), *out = design_port(&p->design, true, 0);
	long long in_width = (long long)hw_width(in->words), out_width = (long long)hw_width(out->words);
	long long frame = (long long)in->words.words;
	strbuf_puts(
		b,
		"// The design with a serial line: board_serial.v says how frames go in and answers come out. DIVIDER: clock\n"
		"// cycles a bit. The LED shows the lowest bit of the last word that came out.\n"
		"`ifndef DIVIDER\n`define DIVIDER 104\n`endif\n"
		"module board (\n\tinput wire clock,\n\tinput wire uart_rx,\n\toutput wire uart_tx,\n\toutput reg led\n);\n");
	strbuf_printf(b,
		      "\twire reset, in_valid, in_ready, out_valid, out_ready;\n"
		      "\twire [%lld:0] in_data;\n\twire [%lld:0] out_data;\n",
		      in_width - 1, out_width - 1);
	strbuf_puts(b, "\tboard_serial #(.DIVIDER(`DIVIDER), .DIVIDER_BITS($clog2(`DIVIDER + 1))");
	emit_side(b, "IN", in);
	emit_side(b, "OUT", out);
	strbuf_printf(b, ", .FRAME(%lld)) serial (\n", frame > 2 ? frame : 2);
	strbuf_printf(b,
		      "\t\t.clock(clock), .uart_rx(uart_rx), .uart_tx(uart_tx), .reset(reset),\n"
		      "\t\t.in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),\n"
		      "\t\t.out_data(out_data), .out_valid(out_valid), .out_ready(out_ready));\n"
		      "\t%s circuit (\n\t\t.clock(clock), .reset(reset),\n"
		      "\t\t.in0_tdata(in_data), .in0_tvalid(in_valid), .in0_tready(in_ready),\n"
		      "\t\t.out0_tdata(out_data), .out0_tvalid(out_valid), .out0_tready(out_ready));\n"
		      "\talways @(posedge clock)\n\t\tif (reset)\n\t\t\tled <= 1'b0;\n"
		      "\t\telse if (out_valid && out_ready)\n\t\t\tled <= out_data[0];\nendmodule\n",
		      p->top);
}

void verilog_emit_board_makefile(const struct verilog_design *p, struct strbuf *b)
{
	if (verilog_has_board(p))
		strbuf_printf(b, "PATIENCE = %lld\ninclude board.mk\n",
			      100000 + 20 * (long long)p->design.schedule.interval);
	else
		strbuf_puts(b, "bitstream board-sim:\n\t@echo 'make: boards take designs with one input and one output'"
			       " >&2; false\n");
}

/* ---- the host ---- */

static json_t *shape_of(const struct value *v)
{
	json_t *shape = json_array();
	for (int i = 0; i < v->rank; i++)
		json_array_append_new(shape, json_integer(v->dims[i]));
	return shape;
}

static json_t *describe_stream(const struct design_stream *s)
{
	const char *kind = s->type.kind == DT_BIPOLAR ? "bipolar" : datatype_is_signed(s->type) ? "signed" : "unsigned";
	return json_pack("{s:i, s:I, s:I, s:s, s:o}", "bits", s->words.bits, "elements", (json_int_t)s->words.elements,
			 "words", (json_int_t)s->words.words, "kind", kind, "shape", shape_of(s->value));
}

/* A part of the network as a file of its own, where it computes anything. */
static int write_part(const struct host_part *t, const char *dir, const char *name, struct diags *d)
{
	char *path = path_join(dir, name);
	int status = t->computes ? graph_write(t->g, path, d) : 0;
	free(path);
	return status;
}

static int write_description(const struct verilog_design *p, const struct host_part *head, const struct host_part *tail,
			     const char *dir, struct diags *d)
{
	struct value *input;
	const struct design_stream *out = design_port(&p->design, true, 0);
	bool label = !tail->computes && out->type.kind != DT_BIPOLAR && !datatype_is_signed(out->type);
	graph_data_inputs(head->g, &input, 1);
	json_t *all = json_pack("{s:o, s:o, s:o, s:b, s:o, s:b, s:b}", "inputs", shape_of(input), "in",
				describe_stream(design_port(&p->design, false, 0)), "out", describe_stream(out),
				"before", head->computes, "outputs", shape_of(p->design.g->outputs[0].value), "after",
				tail->computes, "label", label);
	char *text = json_dumps(all, JSON_INDENT(1)), *path = path_join(dir, "host.json");
	int status = file_write(path, text, strlen(text), d);
	free(text);
	free(path);
	json_decref(all);
	return status;
}

int verilog_write_host(const struct verilog_design *p, const char *dir, struct diags *d)
{
	struct host_part head = { 0 }, tail = { 0 };
	int status = host_head(&head, &p->design, d);
	if (status == 0)
		status = host_tail(&tail, &p->design, d);
	if (status == 0)
		status = write_part(&head, dir, "before.onnx", d);
	if (status == 0)
		status = write_part(&tail, dir, "after.onnx", d);
	if (status == 0)
		status = write_description(p, &head, &tail, dir, d);
	host_part_free(&head);
	host_part_free(&tail);
	return status;
}

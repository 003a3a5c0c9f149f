/* The top module: a queue for each stream, an instance for each layer. */
#include "backends/verilog/verilog.h"

static long long width_of(const struct design_stream *s)
{
	return (long long)hw_width(s->words);
}

static void emit_port(const struct design_stream *s, const char *name, size_t k, bool output, struct strbuf *b)
{
	const char *forward = output ? "output" : "input", *back = output ? "input" : "output";
	strbuf_printf(b, ",\n\t%s wire [%lld:0] %s%zu_tdata,\n\t%s wire %s%zu_tvalid,\n\t%s wire %s%zu_tready", forward,
		      width_of(s) - 1, name, k, forward, name, k, back, name, k);
}

void verilog_emit_ports(const struct verilog_design *p, struct strbuf *b)
{
	strbuf_printf(b, "module %s (\n\tinput wire clock,\n\tinput wire reset", p->top);
	for (size_t k = 0; k < p->design.n_inputs; k++)
		emit_port(design_port(&p->design, false, k), "in", k, false, b);
	for (size_t k = 0; k < p->design.n_outputs; k++)
		emit_port(design_port(&p->design, true, k), "out", k, true, b);
	strbuf_puts(b, "\n);\n");
}

/* The writer's side is called w, the reader's side r. */
static void emit_queue(const struct verilog_design *p, size_t i, struct strbuf *b)
{
	const struct design_stream *s = &p->design.streams[i];
	strbuf_printf(
		b,
		"\n\twire [%lld:0] w%zu_data, r%zu_data;\n\twire w%zu_valid, w%zu_ready, r%zu_valid, r%zu_ready;\n"
		"\tqcc_fifo #(.WIDTH(%lld), .DEPTH(%lld)) queue%zu (\n\t\t.clock(clock), .reset(reset),\n"
		"\t\t.in_data(w%zu_data), .in_valid(w%zu_valid), .in_ready(w%zu_ready),\n"
		"\t\t.out_data(r%zu_data), .out_valid(r%zu_valid), .out_ready(r%zu_ready));\n",
		width_of(s) - 1, i, i, i, i, i, i, width_of(s), (long long)s->depth, i, i, i, i, i, i, i);
	if (!s->writer)
		strbuf_printf(
			b, "\tassign w%zu_data = in%zu_tdata, w%zu_valid = in%zu_tvalid, in%zu_tready = w%zu_ready;\n",
			i, s->port, i, s->port, s->port, i);
	if (!s->reader)
		strbuf_printf(
			b,
			"\tassign out%zu_tdata = r%zu_data, out%zu_tvalid = r%zu_valid, r%zu_ready = out%zu_tready;\n",
			s->port, i, s->port, i, i, s->port);
}

void verilog_emit_top(struct verilog_writer *w)
{
	const struct design *design = &w->p->design;
	strbuf_puts(
		w->b,
		"// The design: a module a layer and a queue a stream, all with valid and ready. A word passes in a\n"
		"// cycle in which both are set. Words hold their first element in the lowest bits. reset: synchronous.\n");
	verilog_emit_ports(w->p, w->b);
	for (size_t i = 0; i < design->n_streams; i++)
		emit_queue(w->p, i, w->b);
	for (size_t i = 0; i < design->n_layers; i++)
		verilog_emit_layer(w, &design->layers[i]);
	strbuf_puts(w->b, "endmodule\n");
}

/* host.c: what is left of the network before the first and behind the last hardware layer, as two C functions. Each part
 * is a graph of its own, planned as generated C is and written by the C backend's reference style. */
#include "backends/c/emit.h"
#include "backends/hls/hls.h"
#include "hw/host.h"

#include <stdlib.h>

/* One of the two parts. Ports are arrays of floats. */
struct part {
	struct host_part host;
	struct plan *plan; /* NULL: the host computes nothing */
};

typedef int read_part_fn(struct host_part *t, const struct design *p, struct diags *d);

static int part_read(struct part *t, read_part_fn *read, const struct hls_design *p, struct diags *d)
{
	static const struct plan_options options = { .fuse = true };
	*t = (struct part){ 0 };
	if (read(&t->host, &p->design, d) != 0)
		return -1;
	if (t->host.computes)
		t->plan = plan_build(t->host.g, &options, d);
	return !t->host.computes || t->plan ? 0 : -1;
}

static void part_free(struct part *t)
{
	plan_free(t->plan);
	host_part_free(&t->host);
}

/* ---- text ---- */

/* Integers of a buffer are converted from and to the floats that the functions take. */
static void convert_inputs(const struct plan *plan, struct strbuf *b)
{
	for (size_t i = 0; i < plan->n_inputs; i++) {
		const struct plan_buf *x = plan->inputs[i];
		if (x->real) {
			strbuf_printf(b, "\tconst float *in%zu = in[%zu];\n", i, i);
			continue;
		}
		strbuf_printf(
			b,
			"\tstatic %s in%zu[%lld];\n\tfor (long i = 0; i < %lld; i++)\n\t\tin%zu[i] = (%s)in[%zu][i];\n",
			buf_ctype(x), i, LL(x->count), LL(x->count), i, buf_ctype(x), i);
	}
}

static void declare_outputs(const struct part *t, struct strbuf *b)
{
	for (size_t port = 0, i = 0; port < t->host.n_out; port++) {
		if (t->host.copies[port] >= 0)
			continue;
		const struct plan_buf *y = t->plan->outputs[i];
		if (y->real)
			strbuf_printf(b, "\tfloat *out%zu = out[%zu];\n", i, port);
		else
			strbuf_printf(b, "\tstatic %s out%zu[%lld];\n", buf_ctype(y), i, LL(y->count));
		i++;
	}
}

static void convert_outputs(const struct part *t, struct strbuf *b)
{
	for (size_t port = 0, i = 0; port < t->host.n_out; port++) {
		if (t->host.copies[port] >= 0)
			continue;
		const struct plan_buf *y = t->plan->outputs[i];
		if (!y->real)
			strbuf_printf(b, "\tfor (long i = 0; i < %lld; i++)\n\t\tout[%zu][i] = (float)out%zu[i];\n",
				      LL(y->count), port, i);
		i++;
	}
}

static void copy_ports(const struct part *t, const int64_t *counts, struct strbuf *b)
{
	for (size_t port = 0; port < t->host.n_out; port++)
		if (t->host.copies[port] >= 0)
			strbuf_printf(b, "\tmemcpy(out[%zu], in[%ld], %lld * sizeof(float));\n", port,
				      t->host.copies[port], LL(counts[port]));
}

/* The layers' functions, their constants before them, to `functions`; the part's own statements to `body`. */
static int emit_layers(const struct part *t, const char *prefix, struct strbuf *functions, struct strbuf *body)
{
	struct output out;
	output_init(&out, NULL, &style_reference);
	out.name = prefix;
	out.constants.form = WEIGHTS_STATIC;
	struct emit e = emit_begin(&out, t->plan);
	name_layers(&out.arena, t->plan);
	style_reference.size(&e);
	plan_place(t->plan, style_reference.align);
	int status = style_reference.layers(&e);
	if (e.run.uses_scratch)
		strbuf_printf(body,
			      "\tstatic union {\n\t\tchar bytes[%zu];\n\t\tlong long aligned;\n\t} scratch;\n"
			      "\tchar *arena = scratch.bytes;\n",
			      t->plan->arena_bytes + style_reference.align);
	convert_inputs(t->plan, body);
	declare_outputs(t, body);
	strbuf_puts(body, strbuf_text(&e.run.text));
	convert_outputs(t, body);
	strbuf_puts(functions, strbuf_text(&out.includes));
	strbuf_puts(functions, strbuf_text(&out.constants.definitions));
	strbuf_puts(functions, strbuf_text(&out.code));
	emit_end(&e);
	output_free(&out);
	return status;
}

static int emit_part(const struct hls_design *p, const struct part *t, const char *name, const int64_t *counts,
		     struct strbuf *b)
{
	struct strbuf body = { 0 };
	bool head = name[0] == 'h';
	int status = t->plan ? emit_layers(t, head ? "host_head" : "host_tail", b, &body) : 0;
	strbuf_printf(b, "\n/* %s */\nvoid %s_%s(const float *const *in, float *const *out)\n{\n",
		      head ? "From the network's inputs to the integers that the design's input streams carry."
			   : "From the integers of the design's output streams to the network's outputs.",
		      p->top, name);
	copy_ports(t, counts, &body);
	strbuf_printf(b, "%s}\n", strbuf_text(&body));
	strbuf_free(&body);
	return status;
}

static int64_t count_of(const struct value *v)
{
	int64_t n = 1;
	for (int i = 0; i < v->rank; i++)
		n *= v->dims[i];
	return n;
}

static int emit_head(const struct hls_design *p, struct strbuf *b, struct diags *d)
{
	struct part t;
	int64_t *counts = xcalloc(p->design.n_inputs + 1, sizeof *counts);
	for (size_t k = 0; k < p->design.n_inputs; k++)
		counts[k] = count_of(design_port(&p->design, false, k)->value);
	int status = part_read(&t, host_head, p, d);
	if (status == 0)
		status = emit_part(p, &t, "head", counts, b);
	part_free(&t);
	free(counts);
	return status;
}

static int emit_tail(struct hls_design *p, struct strbuf *b, struct diags *d)
{
	struct part t;
	int64_t *counts = xcalloc(p->design.g->n_outputs + 1, sizeof *counts);
	for (uint32_t i = 0; i < p->design.g->n_outputs; i++)
		counts[i] = count_of(p->design.g->outputs[i].value);
	int status = part_read(&t, host_tail, p, d);
	p->host_rounds = false;
	for (const struct plan_layer *l = t.plan ? t.plan->layers : NULL; l; l = l->next)
		p->host_rounds |= plan_layer_rounds(l);
	if (status == 0)
		status = emit_part(p, &t, "tail", counts, b);
	part_free(&t);
	free(counts);
	return status;
}

int hls_emit_host(struct hls_design *p, struct strbuf *b, struct diags *d)
{
	strbuf_puts(b, "/* The parts of the network that stay with the host. */\n#include \"host.h\"\n\n"
		       "#include <math.h>\n#include <stdint.h>\n#include <string.h>\n");
	return emit_head(p, b, d) == 0 ? emit_tail(p, b, d) : -1;
}

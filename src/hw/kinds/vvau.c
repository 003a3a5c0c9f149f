/* VVAU: one filter per channel (a depthwise convolution) with optional thresholds. Bipolar inputs times bipolar
 * weights count equal bits, as in an MVAU. */
#include "hw/kinds/exec.h"
#include "util/integers.h"

static int read_vvau(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	hw_read_matvec(n, l);
	hw_read_pair(n, "Kernel", l->kernel);
	hw_read_pair(n, "Dim", l->out_dim);
	l->mw = l->max_simd = hw_pixels(l->kernel);
	l->vectors = hw_pixels(l->out_dim);
	l->elements[0] = l->vectors * l->mw * l->mh;
	l->elements[1] = l->vectors * l->mh;
	return 0;
}

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->in_bits, c->simd * c->pe, l->elements[0]);
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	int64_t sf = l->mw / l->now.simd;
	return (struct hw_step){ true, p->at % sf == sf - 1, false };
}

/* ---- memories: weights are [channels][kernel] ---- */

static int64_t weight(const struct hw_layer *l, const struct hw_memory *m, int64_t bank, int64_t word, int64_t element)
{
	int64_t sf = l->mw / l->now.simd, output = word / sf * l->now.pe + bank;
	(void)m;
	return output * l->mw + word % sf * l->now.simd + element;
}

static size_t memories(const struct hw_layer *l, struct hw_memory out[HW_MEMORIES])
{
	return hw_matvec_memories(l, out, weight);
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	return hw_infer_last(x, -1, node_attr_int(x->node, "Channels", -1));
}

/* One pixel. The window holds, for each group of PE channels, all kernel positions of those channels. */
static void pixel(const struct hw_layer *l, const struct tensor *in, int64_t in_at, const struct tensor *w,
		  struct tensor *y, int64_t out_at)
{
	int64_t pe = l->now.pe;
	for (int64_t c = 0; c < l->mh; c++) {
		int64_t from = in_at + c / pe * pe * l->mw + c % pe;
		double sum = 0;
		for (int64_t k = 0; k < l->mw; k++)
			sum += hw_get(in, from + k * pe) * hw_get(w, c * l->mw + k);
		hw_put(y, out_at + c, sum);
	}
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	bool popcount = hw_counts_bits(x->node);
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *a = hw_numbers(x, 0), *w = a ? hw_numbers(x, 1) : NULL, *y = NULL;
	int64_t size = multiply_clamped(l.mh, l.mw), pixels = a && size > 0 ? a->count / size : 0;
	if (w && a->rank == 4 && a->dims[3] == size && w->count == size && l.mh % l.now.pe == 0)
		y = exec_output(x, 0, hw_elem(x), 4, (int64_t[]){ a->dims[0], a->dims[1], a->dims[2], l.mh });
	else if (w)
		diag_node_error(x->diags, x->node, NULL, "Channels, Kernel and PE do not fit the inputs");
	for (int64_t i = 0; y && i < pixels; i++)
		pixel(&l, a, i * l.mh * l.mw, w, y, i * l.mh);
	for (int64_t i = 0; y && popcount && i < y->count; i++)
		hw_put(y, i, (hw_get(y, i) + (double)l.mw) / 2);
	int result = y ? hw_exec_thresholds(x, y, l.mh) : -1;
	tensor_unref(a);
	tensor_unref(w);
	return result;
}

static const struct hw_kind kind = {
	.flags = HW_CHOOSES_RAM | HW_MULTIPLIES | HW_READS_WINDOWS,
	.streams = 1,
	.pe_limit = "Channels",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.read = read_vvau,
	.input = input,
	.cost = hw_matvec_cost,
	.step = step,
	.memories = memories,
};

const struct op op_VVAU = {
	.domain = DOMAIN_FINN,
	.name = "VVAU",
	.summary = "Hardware: one filter per channel (depthwise convolution) with optional thresholds",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = hw_output_datatype,
	.exec = exec,
	.macs = hw_matvec_macs,
	.hw = &kind,
};

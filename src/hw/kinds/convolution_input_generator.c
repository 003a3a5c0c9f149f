/* ConvolutionInputGenerator: a sliding window, from the pixels of an image to the windows of a convolution. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"

static int read_window(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	hw_read_pair(n, "ConvKernelDim", l->kernel);
	hw_read_pair(n, "Stride", l->stride);
	hw_read_pair(n, "Dilation", l->dilation);
	hw_read_pair(n, "IFMDim", l->in_dim);
	hw_read_pair(n, "OFMDim", l->out_dim);
	l->depthwise = node_attr_int(n, "depthwise", 0) != 0;
	l->now.window = node_attr_int(n, "parallel_window", 0) != 0;
	l->mh = l->max_simd;
	l->mw = hw_pixels(l->kernel);
	l->vectors = hw_pixels(l->out_dim);
	l->elements[0] = hw_pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * l->mw * l->mh;
	return 0;
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->out_bits, c->simd * (c->window ? l->mw : 1), l->elements[1]);
}

/* ---- cost ---- */

static int64_t buffer_depth(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->simd, w = l->in_dim[1], k = l->mw;
	int64_t span = (l->kernel[0] - 1) * l->dilation[0] * w + (l->kernel[1] - 1) * l->dilation[1];
	if (c->window || k == 1)
		return span * fold + 2;
	int64_t column = l->stride[1] - 1 - k, row = (l->stride[0] - 1) * w - k;
	return ((span + 1) + (column > 0 ? column : 0) + (row > 0 ? row : 0)) * fold;
}

/* Cycles over one line of pixels. */
static int64_t line_cycles(const struct hw_layer *l, int64_t fold)
{
	int axis = l->in_dim[1] == 1 ? 0 : 1;
	int64_t k = l->kernel[axis], out = l->out_dim[axis] * k * fold;
	if (!l->depthwise)
		return out + 2;
	int64_t in = l->in_dim[axis] * fold + fold * (k - 1) * (l->stride[axis] - 1);
	out += (fold - 1) * k;
	return (out > in ? out : in) + 2;
}

static int64_t cycles(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t fold = l->mh / c->simd, w = l->in_dim[1];
	if (c->window || l->mw == 1)
		return l->in_dim[0] * w * fold + 2;
	if (hw_is_line(l))
		return line_cycles(l, fold);
	int64_t fill = ((l->kernel[0] - 1) * l->dilation[0] * w + (l->kernel[1] - 1) * l->dilation[1] + 1) * fold;
	int64_t write = l->out_dim[1] * l->mw * fold, read = l->stride[1] * w * fold;
	int64_t row = write > read ? write : read;
	if (l->depthwise)
		row += l->out_dim[1] * (l->stride[1] - 1) * (fold - 1);
	int64_t all = fill + l->out_dim[0] * row;
	return l->depthwise ? all + (l->stride[0] - 1) * w * fold : all;
}

/* The widest word of a RAMB18 (or of what is left of a cascade) for that many of them. */
static int64_t ram_word(int64_t depth)
{
	static const struct {
		int64_t depth, width;
	} shapes[] = {
		{ 512, 36 }, { 1024, 18 }, { 2048, 9 }, { 4096, 4 }, { 8192, 2 },
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (depth <= shapes[i].depth)
			return shapes[i].width;
	return 1;
}

static int64_t brams(const struct hw_layer *l, const struct hw_choice *c)
{
	int64_t width = c->simd * l->in_bits, depth = buffer_depth(l, c), buffers = 1;
	if (c->window || l->mw == 1) {
		if (hw_is_line(l))
			return 0;
		depth = l->in_dim[1] - ((l->kernel[1] - 1) * l->dilation[1] + 1) + l->in_dim[1] * (l->dilation[0] - 1);
		buffers = l->kernel[0] - 1;
	}
	int64_t wide = ceil_div(width, ram_word(depth)), saved = 0;
	if (depth > 16384)
		saved = wide - ceil_div(width, ram_word(depth % 16384));
	return (ceil_div(depth, 16384) * wide - saved) * buffers;
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost sum = { .cycles = cycles(l, c), .lut = 300 };
	int64_t width = c->simd * l->in_bits, depth = buffer_depth(l, c);
	if (c->ram == HW_RAM_DISTRIBUTED)
		sum.lut += width * ceil_div(depth, 38);
	else if (c->ram == HW_RAM_ULTRA)
		sum.uram = hw_ultra_rams(width, depth);
	else
		sum.bram = brams(l, c);
	return sum;
}

/* ---- schedule: lines of the first windows are read, then a row of windows is written while the next lines are read ---- */

struct rows {
	int64_t fill;		    /* words before the first window */
	int64_t reads, writes, row; /* words and steps of a row of windows */
};

static struct rows rows_of(const struct hw_layer *l)
{
	int64_t fold = l->mh / l->now.simd, line = l->in_dim[1] * fold;
	struct rows r = { ((l->kernel[0] - 1) * l->dilation[0] + 1) * line, l->stride[0] * line,
			  l->out_dim[1] * l->mw * fold, 0 };
	r.row = r.writes > r.reads ? r.writes : r.reads;
	return r;
}

static int64_t input_words(const struct hw_layer *l)
{
	return l->in_dim[0] * l->in_dim[1] * (l->mh / l->now.simd);
}

static int64_t steps(const struct hw_layer *l)
{
	struct rows r = rows_of(l);
	int64_t left = input_words(l) - (r.fill + l->out_dim[0] * r.reads);
	if (l->now.window)
		return hw_input(l, &l->now, 0).words;
	return r.fill + l->out_dim[0] * r.row + (left > 0 ? left : 0);
}

static struct hw_step step_parallel(const struct hw_layer *l, int64_t i)
{
	int64_t y = i / l->in_dim[1] - (l->kernel[0] - 1) * l->dilation[0];
	int64_t x = i % l->in_dim[1] - (l->kernel[1] - 1) * l->dilation[1];
	return (struct hw_step){ true, y >= 0 && x >= 0 && y % l->stride[0] == 0 && x % l->stride[1] == 0, false };
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	if (l->now.window)
		return step_parallel(l, p->at);
	struct rows r = rows_of(l);
	if (p->at < r.fill)
		return (struct hw_step){ .read = true };
	int64_t row = (p->at - r.fill) / r.row, k = (p->at - r.fill) % r.row;
	if (row >= l->out_dim[0])
		return (struct hw_step){ .read = true }; /* rows that no window reaches */
	return (struct hw_step){ k < r.reads && r.fill + row * r.reads + k < input_words(l), k < r.writes, false };
}

/* ---- execution ---- */

/* One window: kernel positions of all channels; depthwise: of SIMD channels, then of the next SIMD ones. */
static void copy_window(const struct hw_layer *l, const struct tensor *in, int64_t pixel, struct tensor *out,
			int64_t to)
{
	int64_t group = l->depthwise ? l->now.simd : l->mh;
	for (int64_t from = 0; from < l->mh; from += group)
		for (int64_t ky = 0; ky < l->kernel[0]; ky++)
			for (int64_t kx = 0; kx < l->kernel[1]; kx++, to += group) {
				int64_t shift = ky * l->dilation[0] * l->in_dim[1] + kx * l->dilation[1];
				hw_copy(out, to, in, pixel + shift * l->mh + from, group);
			}
}

static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	for (int64_t y = 0; y < l->out_dim[0]; y++)
		for (int64_t x = 0; x < l->out_dim[1]; x++, out_at += l->mw * l->mh) {
			int64_t pixel = y * l->stride[0] * l->in_dim[1] + x * l->stride[1];
			copy_window(l, in, in_at + pixel * l->mh, out, out_at);
		}
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if ((l.out_dim[i] - 1) * l.stride[i] + (l.kernel[i] - 1) * l.dilation[i] >= l.in_dim[i])
			return diag_node_error(x->diags, x->node, NULL, "OFMDim is too large for IFMDim");
	if (l.mh % l.now.simd)
		return diag_node_error(x->diags, x->node, NULL, "SIMD does not divide IFMChannels");
	return hw_run_windows(x, &l, l.mh, l.mw * l.mh, image);
}

static const struct hw_kind kind = {
	.flags = HW_CHOOSES_RAM | HW_MAKES_WINDOWS | HW_IN_RTL,
	.streams = 1,
	.simd_limit = "IFMChannels",
	.in_type = "inputDataType",
	.out_type = "outputDataType",
	.read = read_window,
	.output = output,
	.cost = cost,
	.steps = steps,
	.step = step,
};

const struct op op_ConvolutionInputGenerator = {
	.domain = DOMAIN_FINN,
	.name = "ConvolutionInputGenerator",
	.summary = "Hardware: sliding window, from pixels to the windows of a convolution",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_windows,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};

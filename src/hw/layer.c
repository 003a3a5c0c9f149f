/* Reading hardware layers from nodes and writing choices back; streams in and out of them. The names
 * and meanings of the attributes are FINN's. */
#include "hw/hw.h"

#include <string.h>

#include "ops/op.h"

/* How a kind is called and which attributes hold its parallelism and datatypes. */
struct kind_row {
	const char *name;
	enum hw_kind kind;
	const char *pe_limit, *simd_limit; /* attribute that PE or SIMD divides; NULL: none */
	const char *in_type, *out_type;
};

static const struct kind_row kinds[] = {
	{ "AddStreams", HW_ADDSTREAMS, "NumChannels", NULL, "inputDataType", NULL },
	{ "ChannelwiseOp", HW_CHANNELWISE, "NumChannels", NULL, "inputDataType", "outputDataType" },
	{ "ConvolutionInputGenerator", HW_SWG, NULL, "IFMChannels", "inputDataType", "outputDataType" },
	{ "DownSampler", HW_DOWNSAMPLER, NULL, "NumChannels", "inputDataType", "inputDataType" },
	{ "DuplicateStreams", HW_DUPLICATE, "NumChannels", NULL, "inputDataType", "inputDataType" },
	{ "FMPadding", HW_FMPADDING, NULL, "NumChannels", "inputDataType", "inputDataType" },
	{ "FMPadding_Pixel", HW_PIXELPAD, NULL, "NumChannels", "inputDataType", "inputDataType" },
	{ "GlobalAccPool", HW_GLOBALACC, "NumChannels", NULL, "inputDataType", NULL },
	{ "LabelSelect", HW_LABELSELECT, "Labels", NULL, "inputDataType", "outputDataType" },
	{ "Lookup", HW_LOOKUP, NULL, NULL, "InputType", "EmbeddingType" },
	{ "MVAU", HW_MVAU, "MH", "MW", "inputDataType", "outputDataType" },
	{ "Pool", HW_POOL, "Channels", NULL, "InputDataType", "OutputDataType" },
	{ "StreamingConcat", HW_CONCAT, NULL, NULL, "inputDataType", "inputDataType" },
	{ "StreamingDataWidthConverter", HW_DWC, NULL, NULL, "dataType", "dataType" },
	{ "StreamingEltwise", HW_ELTWISE, "NumChannels", NULL, "inputDataType0", NULL },
	{ "StreamingFIFO", HW_FIFO, NULL, NULL, "dataType", "dataType" },
	{ "StreamingMaxPool", HW_MAXPOOL, NULL, NULL, "dataType", "dataType" },
	{ "Thresholding", HW_THRESHOLDING, "NumChannels", NULL, "inputDataType", "outputDataType" },
	{ "UpsampleNearestNeighbour", HW_UPSAMPLE, NULL, NULL, "inputDataType", "inputDataType" },
	{ "VVAU", HW_VVAU, "Channels", NULL, "inputDataType", "outputDataType" },
};

static const struct kind_row *kind_row(const struct node *n)
{
	if (!n->op || strcmp(n->op->domain, DOMAIN_FINN) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, n->op->name) == 0)
			return &kinds[i];
	return NULL;
}

enum hw_kind hw_kind_of(const struct node *n)
{
	const struct kind_row *row = kind_row(n);
	return row ? row->kind : HW_NONE;
}

struct datatype hw_datatype(const struct node *n, const char *attribute)
{
	struct datatype t = { 0 };
	const char *text = attribute ? node_attr_string(n, attribute, NULL) : NULL;
	if (text)
		datatype_parse(text, &t);
	return t;
}

int64_t hw_product(const struct node *n, const char *attribute)
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, attribute, &count);
	int64_t product = 1;
	if (!count) /* FMPadding and others hold a batch size as one integer */
		return node_attr_int(n, attribute, 1);
	for (size_t i = 0; i < count; i++)
		product *= ints[i];
	return product;
}

static const char *const ram_names[] = { "auto", "block", "distributed", "ultra" };

const char *hw_ram_name(enum hw_ram ram)
{
	return ram_names[ram];
}

static uint8_t ram_parse(const char *name)
{
	for (uint8_t i = 0; i < 4; i++)
		if (strcmp(ram_names[i], name) == 0)
			return i;
	return HW_RAM_AUTO;
}

/* Copies a pair of ints; one alone counts twice. False where the attribute is absent. */
static bool read_pair(const struct node *n, const char *attribute, int64_t out[2])
{
	size_t count = 0;
	const int64_t *ints = node_attr_ints(n, attribute, &count);
	if (!count)
		return false;
	out[0] = ints[0];
	out[1] = ints[count > 1 ? 1 : 0];
	return true;
}

static int64_t pixels(const int64_t dim[2])
{
	return dim[0] * dim[1];
}

static void read_swg(const struct node *n, struct hw_layer *l)
{
	read_pair(n, "ConvKernelDim", l->kernel);
	read_pair(n, "Stride", l->stride);
	read_pair(n, "Dilation", l->dilation);
	read_pair(n, "IFMDim", l->in_dim);
	read_pair(n, "OFMDim", l->out_dim);
	l->depthwise = node_attr_int(n, "depthwise", 0) != 0;
	l->now.window = node_attr_int(n, "parallel_window", 0) != 0;
	l->mh = l->max_simd;
	l->mw = pixels(l->kernel);
	l->vectors = pixels(l->out_dim);
	l->elements[0] = pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * l->mw * l->mh;
}

static void read_padding(const struct node *n, struct hw_layer *l)
{
	size_t count = 0;
	const int64_t *pad = node_attr_ints(n, "Padding", &count);
	for (size_t i = 0; i < 4; i++)
		l->pad[i] = i < count ? pad[i] : 1;
	read_pair(n, "ImgDim", l->in_dim);
	if (l->kind == HW_PIXELPAD)
		read_pair(n, "Stride", l->stride);
	for (int i = 0; i < 2; i++)
		l->out_dim[i] = l->kind == HW_PIXELPAD ? (l->in_dim[i] - 1) * l->stride[i] + 1
						       : l->in_dim[i] + l->pad[i] + l->pad[i + 2];
	l->mh = l->max_simd;
	l->vectors = node_attr_int(n, "numInputVectors", 1);
	l->elements[0] = l->vectors * pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * pixels(l->out_dim) * l->mh;
}

static void read_max_pool(const struct node *n, struct hw_layer *l)
{
	read_pair(n, "ImgDim", l->in_dim);
	read_pair(n, "PoolDim", l->kernel);
	l->mh = node_attr_int(n, "NumChannels", 0);
	bool ceil = node_attr_int(n, "CeilMode", 0) != 0;
	for (int i = 0; i < 2; i++) {
		l->stride[i] = l->kernel[i];
		l->out_dim[i] = ceil ? ceil_div(l->in_dim[i], l->kernel[i]) : l->in_dim[i] / l->kernel[i];
	}
	bool line = l->in_dim[0] == 1 || l->in_dim[1] == 1; /* a 1-D pool may be folded, a 2-D one not */
	l->max_pe = line ? l->mh : 1;
	l->vectors = pixels(l->out_dim);
	l->elements[0] = pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * l->mh;
}

static void read_matvec(const struct node *n, struct hw_layer *l)
{
	l->weight_bits = datatype_bits(hw_datatype(n, "weightDataType"));
	struct datatype acc = hw_datatype(n, "accDataType");
	l->acc_bits = acc.kind ? datatype_bits(acc) : 32;
	if (!node_attr_int(n, "noActivation", 0)) {
		const struct value *t = node_input(n, 2);
		l->steps = t && t->rank == 2 ? t->dims[1] : (INT64_C(1) << l->out_bits) - 1;
	}
	l->now.ram = ram_parse(node_attr_string(n, "ram_style", "auto"));
	l->now.dsp = strcmp(node_attr_string(n, "resType", "auto"), "dsp") == 0;
	l->mw = node_attr_int(n, "MW", 0);
	l->mh = l->max_pe;
	l->vectors = hw_product(n, "numInputVectors");
	if (l->kind == HW_VVAU) {
		read_pair(n, "Kernel", l->kernel);
		read_pair(n, "Dim", l->out_dim);
		l->mw = l->max_simd = pixels(l->kernel);
		l->vectors = pixels(l->out_dim);
	}
	l->elements[0] = l->vectors * l->mw * (l->kind == HW_VVAU ? l->mh : 1);
	l->elements[1] = l->vectors * l->mh;
}

static void read_pool(const struct node *n, struct hw_layer *l)
{
	read_pair(n, "KernelSize", l->kernel);
	read_pair(n, "OutImgDims", l->out_dim);
	l->mh = l->max_pe;
	l->mw = pixels(l->kernel);
	l->vectors = pixels(l->out_dim) * node_attr_int(n, "BatchSize", 1);
	l->elements[0] = l->vectors * l->mw * l->mh;
	l->elements[1] = l->vectors * l->mh;
}

static bool is_one_vector(const struct value *v)
{
	int64_t vectors = 1;
	for (int k = 0; v && k + 1 < v->rank; k++)
		vectors *= v->dims[k];
	return v && vectors == 1;
}

static void read_streams(const struct node *n, struct hw_layer *l)
{
	l->mh = l->max_pe;
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->elements[1] = l->vectors * l->mh;
	if (l->kind == HW_THRESHOLDING) {
		l->steps = node_attr_int(n, "numSteps", 1);
		l->weight_bits = datatype_bits(hw_datatype(n, "weightDataType"));
	} else if (l->kind == HW_CHANNELWISE) {
		l->weight_bits = datatype_bits(hw_datatype(n, "paramDataType"));
	} else if (l->kind == HW_GLOBALACC) {
		const struct value *out = node_output(n, 0);
		l->elements[1] = l->mh * (out->rank > 0 && out->dims[0] > 0 ? out->dims[0] : 1);
	} else if (l->kind == HW_LABELSELECT) {
		l->elements[1] = l->vectors * node_attr_int(n, "K", 1);
	} else if (l->kind == HW_ADDSTREAMS || l->kind == HW_ELTWISE) {
		l->held = l->vectors > 1 && is_one_vector(node_input(n, 1));
		l->elements[0] += l->held ? l->mh : l->elements[1];
	}
}

const int64_t *hw_concat_parts(const struct node *n, size_t *count)
{
	const int64_t *parts = node_attr_ints(n, "ChannelsPerStream", count);
	return parts ? parts : node_attr_ints(n, "ElemsPerStream", count);
}

bool hw_concat_in_turn(const struct hw_layer *l)
{
	return l->kind == HW_CONCAT && node_attr(l->node, "SIMD");
}

static void read_concat(const struct node *n, struct hw_layer *l)
{
	size_t count = 0;
	const int64_t *parts = hw_concat_parts(n, &count);
	for (size_t i = 0; i < count; i++)
		l->mh += parts[i];
	for (size_t i = 0; i < count && hw_concat_in_turn(l); i++)
		l->max_simd = i ? common_divisor(l->max_simd, parts[i]) : parts[0];
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->elements[1] = l->vectors * l->mh;
}

static void read_resampling(const struct node *n, struct hw_layer *l)
{
	int64_t in = node_attr_int(n, l->kind == HW_UPSAMPLE ? "IFMDim" : "ImgDim", 1);
	bool line = node_attr_int(n, l->kind == HW_UPSAMPLE ? "DimMode" : "is1D", 0) != 0;
	l->stride[0] = l->stride[1] = node_attr_int(n, "Stride", 1);
	int64_t out = l->kind == HW_UPSAMPLE ? node_attr_int(n, "OFMDim", 1) : ceil_div(in, l->stride[0]);
	bool column = l->kind == HW_UPSAMPLE || node_attr_int(n, "is1D_unitx", 1) != 0;
	l->mh = node_attr_int(n, "NumChannels", 1);
	l->vectors = node_attr_int(n, "numInputVectors", 1);
	for (int i = 0; i < 2; i++) {
		bool used = !line || (i == 0) == column;
		l->in_dim[i] = used ? in : 1;
		l->out_dim[i] = used ? out : 1;
		if (!used)
			l->stride[i] = 1;
	}
	l->elements[0] = l->vectors * pixels(l->in_dim) * l->mh;
	l->elements[1] = l->vectors * pixels(l->out_dim) * l->mh;
}

static void read_plumbing(const struct node *n, struct hw_layer *l)
{
	if (l->kind == HW_LOOKUP) {
		l->mh = node_attr_int(n, "EmbeddingDim", 1);
		l->depth = node_attr_int(n, "NumEmbeddings", 1);
		l->elements[0] = l->vectors = hw_product(n, "InputShape");
		l->elements[1] = l->vectors * l->mh;
		return;
	}
	l->elements[0] = l->elements[1] = hw_product(n, l->kind == HW_DWC ? "shape" : "normal_shape");
	l->vectors = 1;
	l->depth = node_attr_int(n, "depth", 0);
	size_t count = 0;
	const int64_t *folded = node_attr_ints(n, "folded_shape", &count);
	l->widths[0] = l->kind == HW_DWC ? node_attr_int(n, "inWidth", 0) : count ? folded[count - 1] * l->in_bits : 0;
	l->widths[1] = l->kind == HW_DWC ? node_attr_int(n, "outWidth", 0) : l->widths[0];
}

static void read_kind(const struct node *n, struct hw_layer *l)
{
	switch (l->kind) {
	case HW_MVAU:
	case HW_VVAU: read_matvec(n, l); break;
	case HW_SWG: read_swg(n, l); break;
	case HW_FMPADDING:
	case HW_PIXELPAD: read_padding(n, l); break;
	case HW_MAXPOOL: read_max_pool(n, l); break;
	case HW_POOL: read_pool(n, l); break;
	case HW_CONCAT: read_concat(n, l); break;
	case HW_UPSAMPLE:
	case HW_DOWNSAMPLER: read_resampling(n, l); break;
	case HW_LOOKUP:
	case HW_DWC:
	case HW_FIFO: read_plumbing(n, l); break;
	default: read_streams(n, l); break;
	}
}

/* Bits of the output where no attribute says them: from its annotation. */
static int bits_of_output(const struct node *n, const struct kind_row *row)
{
	struct datatype t = hw_datatype(n, row->out_type);
	const struct value *out = node_output(n, 0);
	if (t.kind == DT_NONE && out)
		t = out->datatype;
	return datatype_bits(t);
}

int hw_layer_read(const struct node *n, struct hw_layer *l, struct diags *d)
{
	const struct kind_row *row = kind_row(n);
	*l = (struct hw_layer){ .node = n, .max_pe = 1, .max_simd = 1, .vectors = 1 };
	if (!row)
		return diag_node_error(d, n, "run to-hw", "is not a hardware layer");
	l->kind = row->kind;
	struct datatype in = hw_datatype(n, row->in_type);
	if (!datatype_is_integer(in))
		return diag_node_error(d, n, NULL, "attribute %s names no integer datatype", row->in_type);
	l->in_bits = datatype_bits(in);
	l->in_signed = datatype_is_signed(in);
	l->out_bits = bits_of_output(n, row);
	if (row->pe_limit)
		l->max_pe = node_attr_int(n, row->pe_limit, 0);
	if (row->simd_limit)
		l->max_simd = node_attr_int(n, row->simd_limit, 0);
	l->now = (struct hw_choice){ .pe = node_attr_int(n, "PE", 1), .simd = node_attr_int(n, "SIMD", 1) };
	for (int i = 0; i < 2; i++)
		l->kernel[i] = l->stride[i] = l->dilation[i] = l->in_dim[i] = l->out_dim[i] = 1;
	read_kind(n, l);
	if (l->max_pe < 1 || l->max_simd < 1 || l->elements[0] < 1 || l->elements[1] < 1)
		return diag_node_error(d, n, NULL,
				       "the attributes that give the layer's size are missing or not positive");
	if (l->now.pe < 1)
		l->now.pe = 1;
	if (l->now.simd < 1)
		l->now.simd = 1;
	return 0;
}

bool hw_choice_fits(const struct hw_layer *l, const struct hw_choice *c)
{
	return c->pe > 0 && c->simd > 0 && l->max_pe % c->pe == 0 && l->max_simd % c->simd == 0;
}

void hw_layer_write(struct node *n, const struct hw_layer *l, const struct hw_choice *c)
{
	if (l->max_pe > 1 || node_attr(n, "PE"))
		node_set_int(n, "PE", c->pe);
	if (l->max_simd > 1 || node_attr(n, "SIMD"))
		node_set_int(n, "SIMD", c->simd);
	if (l->kind == HW_MVAU || l->kind == HW_VVAU) {
		node_set_string(n, "ram_style", hw_ram_name(c->ram));
		node_set_string(n, "resType", c->dsp ? "dsp" : "lut");
	}
	if (l->kind == HW_SWG) {
		node_set_string(n, "ram_style", hw_ram_name(c->ram));
		node_set_int(n, "parallel_window", c->window);
	}
}

/* ---- streams ---- */

size_t hw_stream_inputs(const struct hw_layer *l)
{
	if (l->kind == HW_ADDSTREAMS || l->kind == HW_ELTWISE)
		return 2;
	return l->kind == HW_CONCAT ? l->node->n_inputs : 1;
}

static struct hw_stream stream(int bits, int64_t elements, int64_t total)
{
	return (struct hw_stream){ bits, elements, ceil_div(total, elements) };
}

/* Bits of input i by its own datatype: the parts of a concatenation may be narrower than the whole. */
static int own_bits(const struct hw_layer *l, size_t i)
{
	const struct value *v = node_input(l->node, i);
	return v && datatype_is_integer(v->datatype) ? datatype_bits(v->datatype) : l->in_bits;
}

struct hw_stream hw_input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	int64_t total = l->elements[0];
	size_t count = 0;
	const int64_t *parts;
	switch (l->kind) {
	case HW_MVAU:
	case HW_SWG:
	case HW_FMPADDING:
	case HW_PIXELPAD:
	case HW_DOWNSAMPLER: return stream(l->in_bits, c->simd, total);
	case HW_VVAU: return stream(l->in_bits, c->simd * c->pe, total);
	case HW_MAXPOOL: return stream(l->in_bits, l->max_pe > 1 ? c->pe : l->mh, total);
	case HW_UPSAMPLE: return stream(l->in_bits, l->mh, total);
	case HW_ADDSTREAMS: return stream(l->in_bits, c->pe, l->elements[1]);
	case HW_ELTWISE:
		return stream(i ? datatype_bits(hw_datatype(l->node, "inputDataType1")) : l->in_bits, c->pe,
			      i && l->held ? l->mh : l->elements[1]);
	case HW_CONCAT:
		parts = hw_concat_parts(l->node, &count);
		if (i >= count)
			return stream(l->in_bits, 1, 1);
		return stream(own_bits(l, i), hw_concat_in_turn(l) ? c->simd : parts[i], l->vectors * parts[i]);
	case HW_DWC:
	case HW_FIFO: return stream(l->in_bits, l->widths[0] / l->in_bits, total);
	case HW_LOOKUP: return stream(l->in_bits, 1, total);
	default: return stream(l->in_bits, c->pe, total);
	}
}

struct hw_stream hw_output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	int64_t total = l->elements[1];
	(void)i; /* the copies of DuplicateStreams are alike */
	switch (l->kind) {
	case HW_SWG: return stream(l->out_bits, c->simd * (c->window ? l->mw : 1), total);
	case HW_FMPADDING:
	case HW_PIXELPAD:
	case HW_DOWNSAMPLER: return stream(l->out_bits, c->simd, total);
	case HW_MAXPOOL: return stream(l->out_bits, l->max_pe > 1 ? c->pe : l->mh, total);
	case HW_CONCAT: return stream(l->out_bits, hw_concat_in_turn(l) ? c->simd : l->mh, total);
	case HW_UPSAMPLE:
	case HW_LOOKUP: return stream(l->out_bits, l->mh, total);
	case HW_LABELSELECT: return stream(l->out_bits, 1, total);
	case HW_DWC:
	case HW_FIFO: return stream(l->out_bits, l->widths[1] / l->in_bits, total);
	default: return stream(l->out_bits, c->pe, total);
	}
}

int64_t hw_weight_width(const struct hw_layer *l, const struct hw_choice *c)
{
	if (l->kind == HW_MVAU || l->kind == HW_VVAU)
		return c->pe * c->simd * l->weight_bits;
	return 0;
}

int64_t hw_weight_bits(const struct hw_layer *l)
{
	if (l->kind == HW_MVAU || l->kind == HW_VVAU)
		return l->mw * l->mh * l->weight_bits;
	return 0;
}

double hw_weight_efficiency(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost cost = hw_layer_cost(l, c);
	double bits = (double)hw_weight_bits(l);
	if (bits > 0 && cost.bram > 0)
		return bits / ((double)cost.bram * 36 * 512);
	return bits > 0 && cost.uram > 0 ? bits / ((double)cost.uram * 72 * 4096) : 1;
}

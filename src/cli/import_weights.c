/* qcc import-weights: named arrays onto an architecture, as a network in QONNX. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "ops/op.h"
#include "train/export.h"
#include "train/import.h"

enum { OPT_ARCH = OPT_OTHER, OPT_WEIGHTS, OPT_ACTS, OPT_PER_CHANNEL, OPT_INPUT, OPT_BITS };

static const struct option long_options[] = {
	CLI_COMMON_OPTIONS,
	{ "output", required_argument, NULL, 'o' },
	{ "arch", required_argument, NULL, OPT_ARCH },
	{ "weights", required_argument, NULL, OPT_WEIGHTS },
	{ "acts", required_argument, NULL, OPT_ACTS },
	{ "per-channel", no_argument, NULL, OPT_PER_CHANNEL },
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "bits", no_argument, NULL, OPT_BITS },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"Arrays are matched by module (what stands before the last dot of a name), in order; weights of linear layers are\n"
	"outputs x inputs, as in a state dict of PyTorch. Names that are missing or superfluous are listed.\n\n"
	"  -o, --output FILE.onnx  the network, as QONNX\n"
	"      --arch TEXT         'mlp(593,64,64,1)' or layers, as for qcc train\n"
	"      --input DIMS        shape of a row: 1,28,28 (mlp says its inputs itself)\n"
	"      --bits              the input is 0 and 1\n"
	"      --weights BITS      1 (bipolar), ternary, 2 to 8 (default 2), float\n"
	"      --acts BITS         likewise of activations\n"
	"      --per-channel       a scale for each output of a layer\n";

struct import {
	const char *arch, *output, *input, *file;
	struct net_options o;
	bool bits;
	struct loudness loud;
	struct diags diags;
};

static int take_option(struct import *x, int c, const char *text)
{
	switch (c) {
	case 'o': x->output = text; return 0;
	case OPT_ARCH: x->arch = text; return 0;
	case OPT_INPUT: x->input = text; return 0;
	case OPT_BITS: x->bits = true; return 0;
	case OPT_PER_CHANNEL: x->o.per_channel = true; return 0;
	case OPT_WEIGHTS: return bit_width_option("weights", text, &x->o.weights, &x->diags);
	case OPT_ACTS: return bit_width_option("acts", text, &x->o.acts, &x->diags);
	default: return -1;
	}
}

/* 0: go on; 1: done; -1: wrong arguments. */
static int take_arguments(struct import *x, int argc, char **argv)
{
	int c;
	bool done;
	optind = 0;
	while ((c = cli_next_option(argc, argv, "o:vqh", long_options, &x->diags)) != -1) {
		if (cli_common_option(c, optarg, &command_import_weights, &x->loud, &x->diags, &done)) {
			if (done)
				return 1;
		} else if (take_option(x, c, optarg) < 0) {
			return -1;
		}
	}
	const char *missing = !x->arch		   ? "--arch"
			      : !x->output	   ? "-o FILE.onnx"
			      : argc - optind != 1 ? "the file of weights"
						   : NULL;
	if (missing)
		return diag_error(&x->diags, "qcc import-weights --help shows how it is called", "%s is missing",
				  missing);
	x->file = argv[optind];
	return 0;
}

/* Of --input, or the first number of mlp(...). */
static int take_shape(struct import *x, struct shape *s)
{
	const char *p = x->input ? x->input : !strncmp(x->arch, "mlp(", 4) ? x->arch + 4 : "";
	int64_t dims[3];
	int rank = 0;
	for (char *end; rank < 3; p = end + 1) {
		dims[rank] = strtoll(p, &end, 10);
		if (end == p || dims[rank] < 1 || dims[rank] > 1 << 24)
			break;
		rank++;
		if (*end != ',' || !x->input)
			break;
	}
	if (rank != 1 && rank != 3)
		return diag_error(&x->diags,
				  "write --input 1,28,28 (channels, height, width), or the length of a vector",
				  "the shape of a row is not known");
	*s = shape_of(rank, dims);
	return 0;
}

static int import_network(struct import *x)
{
	struct shape in;
	if (take_shape(x, &in) < 0)
		return -1;
	struct net *n = net_new(x->arch, &in, x->bits, 1, &x->o, &x->diags);
	int status = n ? import_weights(n, x->file, &x->diags) : -1;
	if (status == 0) {
		net_settle(n);
		struct graph *g = export_graph(n, "imported");
		status = graph_infer(g, &x->diags);
		if (status == 0)
			status = graph_write(g, x->output, &x->diags);
		graph_free(g);
	}
	net_free(n);
	return status;
}

static int run(int argc, char **argv)
{
	struct import x = {
		.o = { .weights = { BITS_INTEGER, 2 }, .acts = { BITS_INTEGER, 2 }, .percentile = 100, .threads = 1 }
	};
	int status = take_arguments(&x, argc, argv);
	status = status == 0 ? import_network(&x) : status > 0 ? 0 : -1;
	return cli_finish(&x.diags, x.loud, status);
}

const struct command command_import_weights = {
	.name = "import-weights",
	.usage = "qcc import-weights WEIGHTS.npz|.safetensors --arch TEXT -o NET.onnx [OPTION]...",
	.summary = "Puts named arrays onto an architecture, as QONNX",
	.help = help,
	.options = long_options,
	.run = run,
};

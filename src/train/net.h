/* Networks that are trained: layers with values and gradients for the rows of a batch.
 *
 * A batch is cut into parts of a fixed number of rows, which threads work on. Each part has gradients of its own; they
 * are added in the order of the parts, so that results do not depend on the number of threads. What needs the whole
 * batch (statistics) happens between two runs over the parts. */
#ifndef QCC_TRAIN_NET_H
#define QCC_TRAIN_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "data/dataset.h"
#include "train/crew.h"
#include "train/kernels.h"
#include "train/quantise.h"
#include "util/arena.h"
#include "util/diag.h"

struct net;
struct layer;
struct export;

/* The shape of a sample: (features) or (channels, height, width). */
struct shape {
	int rank;
	int64_t dims[4];
	int64_t count;
};

/* Numbers that training changes. */
struct param {
	const char *name; /* "weight" */
	int rank;
	int64_t dims[4];
	int64_t count;
	float *value;
	float *grad;	/* of the batch */
	float *partial; /* of the parts: a row of count for each */
	float *m, *v;	/* of the optimiser */
	bool decays;	/* weight decay is for it */
	bool frozen;	/* it has no gradient at the moment */
	float least;	/* the optimiser keeps values from there on; -INFINITY: anything goes */
};

/* Numbers that are kept with the parameters, but not by gradients: running statistics, counters. */
struct buffer {
	const char *name;
	int64_t count;
	float *value;
};

enum { LAYER_PARAMS = 2, LAYER_BUFFERS = 2 };

struct part {
	int64_t first, rows; /* in the batch */
	int64_t number;
	int worker; /* whose scratch memory it may use */
};

struct layer_type {
	const char *name, *form, *summary; /* "conv", "conv(CHANNELS,SIZE[,stride=1][,pad=0])" */
	/* Takes its arguments, checks l->in, sets l->out, adds parameters. 0, or -1 with a diagnostic. */
	int (*setup)(struct net *n, struct layer *l, struct diags *d);
	/* Once a batch, before anything else: what depends on parameters alone. May be NULL, as all that follow. */
	void (*prepare)(struct net *n, struct layer *l);
	/* In training: what a part tells about the batch, and what follows for the batch. Skipped where `observes` is there
	 * and says false. */
	bool (*observes)(const struct layer *l);
	void (*observe)(const struct net *n, struct layer *l, const struct part *p);
	void (*observed)(struct net *n, struct layer *l);
	/* y from x. NULL: y is x (in another shape). */
	void (*forward)(const struct net *n, struct layer *l, const struct part *p);
	/* The same for gradients; backward gives dx (unless NULL) and the part's gradients of the parameters. */
	void (*observe_back)(const struct net *n, struct layer *l, const struct part *p);
	void (*observed_back)(struct net *n, struct layer *l);
	void (*backward)(const struct net *n, struct layer *l, const struct part *p);
	/* Once a batch, when the gradients of all parts are added: from those of quantised weights to the weights'. */
	void (*finish)(struct net *n, struct layer *l);
	/* Adds its nodes to the graph that is exported. */
	int (*export)(struct export *e, const struct layer *l);
	void (*free)(struct layer *l);
};

#define LAYER(symbol) extern const struct layer_type layer_##symbol;
#include "train/layers.def"
#undef LAYER

struct layer_arg {
	const char *name; /* NULL: by position */
	double number;	  /* NAN where it is a word */
	const char *text;
};

struct layer {
	const struct layer_type *type;
	struct net *net;
	int index;
	const struct layer_arg *args;
	size_t n_args;
	struct shape in, out;
	struct param params[LAYER_PARAMS];
	struct buffer buffers[LAYER_BUFFERS];
	int n_params, n_buffers;
	const float *x;			  /* the previous layer's y; NULL: the batch is bits */
	float *y, *dy;			  /* rows of the batch */
	float *dx;			  /* the previous layer's dy; NULL: the first layer */
	struct weight_quantiser *weights; /* of params[0]; NULL: the layer has none */
	void *state;			  /* the layer's own */
};

/* Rows to train or test on; bits are packed once. */
struct rows {
	const struct dataset *set;
	uint64_t *packed; /* rows x words, bit i in word i / 64; NULL: the elements are used as they are */
	int64_t words;
};
void rows_init(struct rows *r, const struct dataset *set, bool bits);
void rows_free(struct rows *r);

/* How layers quantise where their arguments do not say. */
struct net_options {
	struct bit_width weights, acts;
	bool per_channel;
	double dropout;	   /* of mlp(...) */
	int64_t collect;   /* batches in which activations' scales follow the data before they are learned */
	double percentile; /* of the activations, 0..100 */
	int64_t fan_in;	   /* inputs that a neuron of a linear layer keeps; 0: all */
	uint64_t seed;
	int threads;
};

struct net {
	struct arena arena;
	struct net_options options;
	struct crew *crew;
	struct layer *layers;
	size_t count;
	struct shape in;
	bool bits;		  /* the input is 0 and 1: batches are packed */
	int64_t batch, part_rows; /* at most; fixed by net_new */
	int64_t parts;		  /* of a full batch */
	const struct kernels *kernels;
	/* the current batch */
	int64_t rows;
	bool training;
	uint64_t step; /* counts batches in training; decides dropout */
	const struct rows *source;
	const int64_t *order; /* which rows of the source */
	uint64_t *packed;     /* rows x words, where the input is bits */
	int64_t words;
	float *input; /* elsewhere */
	int32_t *labels;
	float **scratch; /* of each worker */
	size_t *scratch_size;
};

/* Builds the network of an architecture: "mlp(593,64,64,1)" or a list of layers, "conv(16,3),bn,relu(4),linear(10)".
 * in: the shape of a row. NULL with diagnostics. */
struct net *net_new(const char *arch, const struct shape *in, bool bits, int64_t batch, const struct net_options *o,
		    struct diags *d);
void net_free(struct net *n);
/* Random weights, as torch.nn.Linear and Conv2d begin with: uniform in +-1 / sqrt(fan-in). */
void net_initialise(struct net *n);

/* What follows the last layer for a part. */
struct tail {
	void (*call)(void *user, const struct net *n, const struct part *p);
	void *user;
};
/* Values of all layers for the batch of rows order[0 .. count) of the source; the last layer's y is the result. */
void net_forward(struct net *n, const struct rows *source, const int64_t *order, int64_t count, bool training,
		 const struct tail *tail);
/* Training is over: what depends on parameters is computed from them, for the export. */
void net_settle(struct net *n);
/* Gradients of all parameters, from the last layer's dy. */
void net_backward(struct net *n);

static inline struct layer *net_last(const struct net *n)
{
	return &n->layers[n->count - 1];
}
/* Parameters one after the other: *layer and *index start at 0. */
struct param *net_next_param(struct net *n, size_t *layer, int *index);
/* The share of a part. */
static inline int64_t net_parts_of(const struct net *n)
{
	return (n->rows + n->part_rows - 1) / n->part_rows;
}
/* Memory of that many bytes for the worker, as long as the call lasts; aligned to 64 bytes. */
void *net_scratch(const struct net *n, int worker, size_t size);
/* The part's gradients of a parameter. */
static inline float *param_partial(const struct param *p, const struct part *part)
{
	return p->partial + part->number * p->count;
}

/* For setup. */
struct param *layer_add_param(struct layer *l, const char *name, int rank, const int64_t *dims);
struct buffer *layer_add_buffer(struct layer *l, const char *name, int64_t count);
struct shape shape_of(int rank, const int64_t *dims);
/* Argument by name or position (counted among those without a name); fallback where it is absent. */
double layer_number(const struct layer *l, const char *name, size_t position, double fallback);
const char *layer_text(const struct layer *l, const char *name, size_t position);
/* A whole number from lo on. 0, or -1 with a diagnostic that shows the layer's form. */
int layer_int(const struct layer *l, const char *name, size_t position, int64_t fallback, int64_t lo, int64_t *out,
	      struct diags *d);
int layer_error(const struct layer *l, struct diags *d, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Inner elements of a channel: 1 for vectors, height * width for images. */
static inline int64_t shape_inner(const struct shape *s)
{
	return s->rank == 3 ? s->dims[1] * s->dims[2] : 1;
}

#endif

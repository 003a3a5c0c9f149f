/* From a trained network to a graph in QONNX, as Brevitas exports one: weights and activations with Quant and
 * BipolarQuant nodes, batch normalisation of its own. */
#ifndef QCC_TRAIN_EXPORT_H
#define QCC_TRAIN_EXPORT_H

#include "ir/ir.h"
#include "train/net.h"

struct export
{
	struct graph *g;
	struct value *value; /* what the layers so far give */
	const struct net *net;
};

/* The graph; the caller frees it. output: what the output is called. */
struct graph *export_graph(const struct net *n, const char *name);

/* For layers: a node whose first output becomes the value. */
struct node *export_node(struct export *e, const char *domain, const char *op, struct value *const *inputs,
			 size_t count);
struct value *export_floats(struct export *e, const struct layer *l, const char *name, int rank, const int64_t *dims,
			    const float *elements);
/* The layer's weights behind their quantiser; transposed: kept as inputs x outputs, written as outputs x inputs. */
struct value *export_weights(struct export *e, const struct layer *l, int rank, const int64_t *dims, bool transposed);
/* A quantiser of activations. */
void export_quant(struct export *e, const struct layer *l, struct bit_width width, bool is_signed, bool narrow,
		  float scale);

#endif

/* Padding a layer's inputs with zero weights, so that their number has friendlier divisors. */
#include <string.h>

#include "hw/folding.h"
#include "ops/op.h"
#include "passes/insert_streams.h"

static struct tensor *with_rows(const struct tensor *w, int64_t rows)
{
	struct tensor *t = tensor_new(ELEM_FLOAT, 2, (int64_t[]){ rows, w->dims[1] });
	for (int64_t i = 0; t && i < w->count; i++)
		tensor_put(t, i, tensor_at(w, i));
	return t;
}

/* x with constants up to that length joined to its last axis. */
static struct value *joined(struct node *before, struct value *x, int64_t to)
{
	struct graph *g = before->graph;
	int64_t dims[MAX_RANK];
	double filler = datatype_allows(x->datatype, 0) ? 0 : datatype_min(x->datatype);
	memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
	dims[x->rank - 1] = to - x->dims[x->rank - 1];
	struct tensor *t = tensor_new(ELEM_FLOAT, x->rank, dims);
	for (int64_t i = 0; i < t->count; i++)
		tensor_put(t, i, filler);
	struct value *more = value_new_constant(g, "padding", t);
	more->datatype = x->datatype;
	struct node *n = node_new(g, before, DOMAIN_ONNX, "Concat", (struct value *[]){ x, more }, 2, 1, "padded");
	node_set_int(n, "axis", x->rank - 1);
	dims[x->rank - 1] = to;
	value_set_type(g, n->outputs[0], (enum elem_type)x->elem, x->rank, dims);
	n->outputs[0]->datatype = x->datatype;
	return n->outputs[0];
}

bool folding_pad(struct node *mvau, int64_t to)
{
	struct value *x = node_input(mvau, 0), *w = node_input(mvau, 1);
	if (stream_producer(x) || !value_is_constant(w) || hw_datatype(mvau, "weightDataType").kind == DT_BIPOLAR ||
	    node_attr_int(mvau, "binaryXnorMode", 0) || x->rank < 1 || to <= w->dims[0])
		return false;
	struct value *wider = value_new_constant(mvau->graph, w->name, with_rows(w->constant, to));
	wider->datatype = w->datatype;
	node_set_input(mvau, 0, joined(mvau, x, to));
	node_set_input(mvau, 1, wider);
	node_set_int(mvau, "MW", to);
	return true;
}

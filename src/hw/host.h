/* The parts of a network that stay with the host, before the first and behind the last hardware layer, as graphs of their
 * own. Both circuits' backends use them: HLS plans them as C, Verilog writes them as ONNX files. */
#ifndef QCC_HW_HOST_H
#define QCC_HW_HOST_H

#include "hw/design.h"

/* Ports are what goes in and comes out: the network's inputs and the design's input streams, or its output streams and the
 * network's outputs. */
struct host_part {
	struct graph *g; /* the host's nodes alone; outputs that nothing computes are left out */
	size_t n_out;
	long *copies;  /* of port out k: the port in that it repeats; -1: it is the graph's next output */
	bool computes; /* false: all ports out repeat ports in, the graph means nothing */
};

/* From the network's inputs to the values that the design's input streams carry; from the values of its output streams to
 * the network's outputs. 0, or -1 with a diagnostic. Free with host_part_free in either case. */
int host_head(struct host_part *t, const struct design *p, struct diags *d);
int host_tail(struct host_part *t, const struct design *p, struct diags *d);
void host_part_free(struct host_part *t);

#endif

/* A design of fully parallel layers as one circuit that takes a frame each cycle. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_UNROLLED_H
#define QCC_BACKENDS_VERILOG_UNROLLED_UNROLLED_H

#include "backends/verilog/verilog.h"

/* A copy of the graph in which every hardware layer takes its whole input in one cycle; free with graph_free. NULL with a
 * diagnostic where it has layers that cannot. */
struct graph *unrolled_graph(const struct graph *g, struct diags *d);
struct unrolled_options {
	int64_t stages; /* 0: as many as the depth bound makes */
	bool tables;	/* neurons of few input bits become truth tables */
};

/* Appends the top module. 0, or -1 with diagnostics. */
int unrolled_emit(const struct verilog_design *p, const struct unrolled_options *o, struct strbuf *b, json_t *report,
		  struct diags *d);

#endif

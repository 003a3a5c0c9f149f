/* A design of fully parallel layers as one circuit that takes a frame each cycle. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_UNROLLED_H
#define QCC_BACKENDS_VERILOG_UNROLLED_UNROLLED_H

#include "backends/verilog/verilog.h"

/* A copy of the graph in which every hardware layer takes its whole input in one cycle; free with graph_free. NULL with a
 * diagnostic where it has layers that cannot. */
struct graph *unrolled_graph(const struct graph *g, struct diags *d);
/* Appends the top module. stages 0: as many as the depth bound makes. 0, or -1 with diagnostics. */
int unrolled_emit(const struct verilog_design *p, int64_t stages, struct strbuf *b, json_t *report, struct diags *d);

#endif

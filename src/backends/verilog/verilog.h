/* The Verilog backend: a design (hw/design.h) as modules with valid and ready at every border. */
#ifndef QCC_BACKENDS_VERILOG_VERILOG_H
#define QCC_BACKENDS_VERILOG_VERILOG_H

#include "backends/backend.h"
#include "hw/design.h"
#include "hw/memory.h"
#include "util/strbuf.h"

/* Texts of modules/ and of the testbench, made into strings by the build; a NULL name ends them. */
struct verilog_text {
	const char *name, *text;
};
extern const struct verilog_text verilog_texts[];

struct verilog_design {
	struct design design;
	const char *top; /* name of the top module */
};

/* 0, or -1 with diagnostics. Free with verilog_design_free in either case. */
int verilog_design_read(struct verilog_design *p, const struct graph *g, const char *top,
			const struct design_options *o, struct diags *d);
void verilog_design_free(struct verilog_design *p);

/* ---- layers.c: one module instance for each layer ---- */

struct verilog_writer {
	const struct verilog_design *p;
	const char *dir; /* of the design's files; NULL: a trial, nothing is written */
	struct strbuf *b;
	struct diags *d;
	bool failed;
};

/* 0, or -1 with a diagnostic: the layer's kind has no module, or not in this form. */
int verilog_check_layer(const struct hw_layer *l, struct diags *d);
/* Appends the instance, and writes the layer's memories. Failures are remembered in w. */
void verilog_emit_layer(struct verilog_writer *w, const struct design_layer *layer);
/* What the schedule must know of the modules. */
extern const struct schedule_modules verilog_modules;
void verilog_param(struct verilog_writer *w, const char *name, int64_t value);

/* Bits that hold 0 to n - 1 (at least 1), and a number from lo to hi in two's complement. */
int verilog_index_bits(int64_t n);
int verilog_signed_bits(int64_t lo, int64_t hi);

/* ---- memories.c ---- */

/* The accumulator of an MVAU or VVAU, and what its thresholds are then. Inputs that are -1 or 1 in front of thresholds count as
 * 0 or 1: sum(w x) >= t where 2 sum(w (x + 1) / 2) >= t + sum(w). */
struct verilog_sums {
	bool halved;
	int64_t lo, hi; /* of the accumulator */
	int bits;	/* that hold it and its thresholds */
};

struct verilog_sums verilog_matvec_sums(const struct hw_layer *l, const struct hw_memory *weights);
/* Files layerN_weights.hex and so on below w->dir: one word on each line, bank 0 in the lowest bits. */
void verilog_write_memory(struct verilog_writer *w, const struct design_layer *layer, const struct hw_memory *m);
/* Thresholds in that many bits, cut to what can be reached; weights NULL, or those of sums that are halved. */
void verilog_write_thresholds(struct verilog_writer *w, const struct design_layer *layer, const struct hw_memory *m,
			      const struct hw_memory *weights, const struct verilog_sums *s);

/* ---- top.c, files.c: each appends a file's text ---- */

void verilog_emit_top(struct verilog_writer *w);
/* "module TOP (ports);" */
void verilog_emit_ports(const struct verilog_design *p, struct strbuf *b);
void verilog_emit_sim_header(const struct verilog_design *p, struct strbuf *b);
void verilog_emit_makefile(const struct verilog_design *p, struct strbuf *b);
void verilog_emit_testbench(const struct verilog_design *p, int64_t samples, struct strbuf *b);
/* Golden vectors tv/inN.hex and tv/outN.hex below dir, one word on each line, computed by the executor. */
int verilog_write_vectors(const struct verilog_design *p, const char *dir, int64_t samples, struct diags *d);

/* ---- board.c: the design with a serial line; only for designs with one input and one output ---- */

bool verilog_has_board(const struct verilog_design *p);
void verilog_emit_board(const struct verilog_design *p, struct strbuf *b);
/* The end of the Makefile: board.mk, or why there are no boards. */
void verilog_emit_board_makefile(const struct verilog_design *p, struct strbuf *b);
/* host.json, before.onnx and after.onnx below dir, which host.py reads. 0, or -1 with a diagnostic. */
int verilog_write_host(const struct verilog_design *p, const char *dir, struct diags *d);

#endif

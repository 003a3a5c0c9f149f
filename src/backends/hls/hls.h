/* The HLS backend's plan: streams, layers, and what the host does, read once from a graph of hardware layers. */
#ifndef QCC_BACKENDS_HLS_HLS_H
#define QCC_BACKENDS_HLS_HLS_H

#include "backends/backend.h"
#include "hw/memory.h"
#include "util/identifier.h"
#include "util/strbuf.h"

/* Texts of templates/, made into strings by the build. */
extern const char hls_text_qcc_layers[], hls_text_hls_stream[], hls_text_npy[], hls_text_host_ops[],
	hls_text_ap_axi_sdata[];

enum { HLS_MAX_WIDTH = 4096 }; /* of ap_int in Vitis HLS, as we use it */

struct hls_stream {
	const struct value *value;
	struct hw_stream words;
	struct datatype type;
	int64_t depth;
	const struct node *writer, *reader; /* NULL: the host */
	size_t port;			    /* among the inputs, or outputs, of the design where one is NULL */
};

struct hls_layer {
	struct hw_layer l;
	const char *name;		  /* a C identifier */
	size_t in[64], n_in, *out, n_out; /* streams */
};

struct hls_plan {
	struct graph *g; /* own copy, with converters */
	struct arena arena;
	struct map names; /* identifiers that are taken */
	struct hls_stream *streams;
	size_t n_streams;
	struct hls_layer *layers;
	size_t n_layers;
	size_t n_inputs, n_outputs;	  /* streams of the design */
	const struct node **head, **tail; /* what the host computes before and after, in order */
	size_t n_head, n_tail;
	json_t *schedule; /* what hw/schedule.h found, for the report */
	bool tlast;	  /* border words carry TKEEP and TLAST */
	const char *top;  /* name of the top function */
};

/* simulate: streams get the depths that the schedule asks for, else the least. 0, or -1 with diagnostics. Free with
 * hls_plan_free in either case. */
int hls_plan_read(struct hls_plan *p, const struct graph *g, const char *top, bool simulate, struct diags *d);
void hls_plan_free(struct hls_plan *p);
/* Stream k of the design's inputs (or outputs). */
const struct hls_stream *hls_port(const struct hls_plan *p, bool output, size_t k);
/* The value behind reshapes: what a stream's host side calls it. */
const struct value *hls_value_behind(const struct value *v);

/* "qcc::Signed<4>" */
const char *hls_element(struct datatype t, char buffer[40]);
static inline int64_t hls_border(int64_t width) /* whole bytes */
{
	return (width + 7) / 8 * 8;
}

/* params.h and thresh.h, top.cpp, host.c: each appends a file's text. 0, or -1 with diagnostics. */
int hls_emit_params(const struct hls_plan *p, struct strbuf *params, struct strbuf *thresholds, struct diags *d);
int hls_emit_top(const struct hls_plan *p, struct strbuf *top, struct strbuf *header, struct diags *d);
int hls_emit_host(const struct hls_plan *p, struct strbuf *host, struct diags *d);
void hls_emit_testbench(const struct hls_plan *p, struct strbuf *b);
void hls_emit_makefile(const struct hls_plan *p, struct strbuf *b);
void hls_emit_tcl(const struct hls_plan *p, const char *part, double clock_mhz, struct strbuf *b);
/* Golden vectors: tv/input.npy, tv/output.npy below dir, computed by the executor. */
int hls_write_vectors(const struct hls_plan *p, const char *dir, int64_t samples, struct diags *d);

#endif

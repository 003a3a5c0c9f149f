/* The HLS backend: a design (hw/design.h) as C++ for Vitis HLS. */
#ifndef QCC_BACKENDS_HLS_HLS_H
#define QCC_BACKENDS_HLS_HLS_H

#include "backends/backend.h"
#include "hw/design.h"
#include "hw/memory.h"
#include "util/identifier.h"
#include "util/strbuf.h"

/* Texts of templates/, made into strings by the build. */
extern const char hls_text_qcc_layers[], hls_text_hls_stream[], hls_text_npy[], hls_text_ap_axi_sdata[];

enum { HLS_MAX_WIDTH = 4096 }; /* of ap_int in Vitis HLS, as we use it */

struct hls_design {
	struct design design;
	const char *top;  /* name of the top function */
	bool host_rounds; /* the host's sums and functions of floats differ from machine to machine (hls_emit_host) */
	bool tlast;	  /* border words carry TKEEP and TLAST */
};

/* 0, or -1 with diagnostics. Free with hls_design_free in either case. */
int hls_design_read(struct hls_design *p, const struct graph *g, const char *top, const struct design_options *o,
		    struct diags *d);
void hls_design_free(struct hls_design *p);

/* "qcc::Signed<4>" */
const char *hls_element(struct datatype t, char buffer[40]);
static inline int64_t hls_border(int64_t width) /* whole bytes */
{
	return (width + 7) / 8 * 8;
}

/* params.h and thresh.h, top.cpp, host.c: each appends a file's text. 0, or -1 with diagnostics. */
int hls_emit_params(const struct hls_design *p, struct strbuf *params, struct strbuf *thresholds, struct diags *d);
int hls_emit_top(const struct hls_design *p, struct strbuf *top, struct strbuf *header, struct diags *d);
int hls_emit_host(struct hls_design *p, struct strbuf *host, struct diags *d);
void hls_emit_testbench(const struct hls_design *p, struct strbuf *b);
void hls_emit_makefile(const struct hls_design *p, struct strbuf *b);
void hls_emit_tcl(const struct hls_design *p, struct strbuf *b);
/* Golden vectors: tv/input.npy, tv/output.npy below dir, computed by the executor. */
int hls_write_vectors(const struct hls_design *p, const char *dir, int64_t samples, struct diags *d);

#endif

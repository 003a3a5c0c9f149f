/* The design: a folded graph as a circuit of layers and streams between them, read once. The fold report, the insertion of
 * FIFOs and the backends that write circuits (HLS, Verilog) all read it, so that they cannot disagree.
 *
 * Conventions:
 * - A stream carries words of `words.bits` x `words.elements` bits, `words.words` of them a frame (one inference). Element 0
 *   is in a word's lowest bits; elements are coded as hw/memory.h says (two's complement; bipolar 0 for -1, 1 for +1). The
 *   elements of a frame follow each other in the order of the value's elements, channels last; the windows of a depthwise
 *   sliding window hold SIMD channels of all kernel positions, then the next SIMD channels.
 * - Each stream has one writer and one reader; where one is NULL it is the host, and the stream is input or output number
 *   `port` of the design. `depth` is the words its queue must hold (at least 2) for the schedule's rate.
 * - Times are in clock cycles, the clock in MHz: a frame takes schedule.interval / clock_mhz microseconds.
 * - Layers are in topological order. A layer's own numbers are in `l` (hw/hw.h), its step by step behaviour in l.kind->step
 *   (hw/kind.h), its weights and thresholds come from hw_memories(&layer->l, ...) (hw/memory.h). */
#ifndef QCC_HW_DESIGN_H
#define QCC_HW_DESIGN_H

#include "hw/hw.h"
#include "hw/schedule.h"
#include "util/map.h"

struct design_layer;

struct design_stream {
	const struct value *value; /* what it carries */
	struct hw_stream words;
	struct datatype type;			    /* of an element */
	int64_t depth;				    /* words */
	const struct design_layer *writer, *reader; /* NULL: the host */
	size_t output, input;			    /* which of the writer's outputs and of the reader's inputs */
	size_t port; /* among the design's inputs (writer NULL) or outputs (reader NULL) */
};

struct design_layer {
	struct hw_layer l;
	struct hw_cost cost;
	const char *name;	       /* an identifier; NULL before design_name_layers */
	size_t *in, n_in, *out, n_out; /* indices of streams */
};

struct design {
	struct graph
		*g; /* own copy, with converters where neighbours' words differ; FIFOs are depths of streams here */
	struct arena arena;
	struct design_stream *streams;
	size_t n_streams;
	struct design_layer *layers;
	size_t n_layers;
	size_t n_inputs, n_outputs;	  /* streams from and to the host */
	const struct node **head, **tail; /* what the host computes before and after, in order */
	size_t n_head, n_tail;
	struct schedule schedule;
	double clock_mhz;
	const char *part; /* full device name, as the vendor's tools take it: xczu7ev-ffvc1156-2-e */
};

struct design_options {
	/* SCHEDULE_QUICK, SCHEDULE_FULL (hw/schedule.h); 0: depths are those of the graph's FIFOs, or 2, and the schedule is
	 * empty. */
	int64_t simulate;
	const struct schedule_modules *modules; /* for the schedule; NULL: nothing is known of them */
	const char *part;			/* part or board; NULL: what fold was given, else xc7z020clg400-1 */
	const double *clock_mhz;		/* NULL: what fold was given, else 100 */
};

/* Reads a graph of hardware layers. 0, or -1 with diagnostics. Free with design_free in either case. */
int design_read(struct design *p, const struct graph *g, const struct design_options *o, struct diags *d);
void design_free(struct design *p);
/* Stream k of the design's inputs (or outputs). */
const struct design_stream *design_port(const struct design *p, bool output, size_t k);
/* Gives every layer a name: an identifier made from the node's, not in `taken` and not with one of the suffixes (NULL ends
 * them); all are added to `taken`. Names belong to the design. */
void design_name_layers(struct design *p, struct map *taken, const char *const *suffixes);

/* What the backends say of a design in report.json: layers, streams, schedule, and the nodes that are left to the host. */
void design_report(const struct design *p, json_t *report);

/* A copy of the design's graph that executes to the integers of the circuit, also where they pass what float32 counts. */
struct graph *design_exact(const struct design *p);

/* Remembers in the graph's metadata the part (NULL: none was named) and the clock that it was folded for. Files keep them. */
void design_set_target(struct graph *g, const char *part, double clock_mhz);

/* A StreamingDataWidthConverter wherever a layer's output words and the next one's input words differ. Returns how
 * many, or -1 with a diagnostic. */
int design_insert_converters(struct graph *g, struct diags *d);

#endif

/* What a graph was like after each pass, for pictures of all stages side by side (backend html). Each node and value is
 * kept as a line of JSON, and once only while it stays the same, so that a stage costs little more than what its pass
 * changed. Tensors are not kept, but for those of one stage that can be executed (history_live).
 *
 *     r->history = history_new();
 *     options.record = history_observe, options.recorder = r->history;        pipeline/pipeline.h
 *
 * A node is [id, operator, domain, label, attributes, inputs, outputs, sources, role, MACs], a value
 * [id, name, datatype, storage type, dims, range, statistics of a constant]; ids are those of the graph, which a pass keeps
 * for what it does not touch. Operators, domains, datatypes, storage types and attributes are places in `texts`; inputs and outputs
 * ids of values (-1: omitted); sources places in the list of the file's nodes. Nulls at the end are left out. */
#ifndef QCC_REPORT_HISTORY_H
#define QCC_REPORT_HISTORY_H

#include "ir/ir.h"
#include "pipeline/pipeline.h"
#include "util/strbuf.h"

struct history;

struct history *history_new(void);
void history_free(struct history *h); /* NULL is fine */
/* Adds a stage of that name, unless the graph is as it was in the last one. */
void history_record(struct history *h, const struct graph *g, const char *name);
/* For pipeline_options.record. */
void history_observe(void *history, const struct graph *g, const struct pipeline_step *step);
/* A stage that can be executed: a copy of its graph, which may be changed. */
struct live_graph {
	struct graph *graph; /* NULL: there is none */
	size_t stage;
	uint32_t *ids; /* by value id of the copy: the value's id in the stage */
};

/* The last stage that was streamlined and not yet made of hardware layers, or what history_keep kept. */
const struct live_graph *history_live(const struct history *h);
/* Keeps a copy of g, which is the last stage. */
void history_keep(struct history *h, const struct graph *g);
/* Adds members of a JSON object, to stand inside a script element of HTML: texts, nodes, values, stages. */
void history_print(const struct history *h, struct strbuf *out);

#endif

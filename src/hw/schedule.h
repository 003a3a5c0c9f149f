/* The design's schedule, word by word: which layer reads and writes in which cycle, how much the queues between them must
 * hold, and how many cycles a frame really takes. */
#ifndef QCC_HW_SCHEDULE_H
#define QCC_HW_SCHEDULE_H

#include <jansson.h>

#include "hw/hw.h"

/* A queue in front of input `input` of `reader`. */
struct schedule_edge {
	const struct node *writer, *reader; /* writer NULL: the host */
	size_t input;
	int64_t depth; /* words that must fit for the full rate; at least 2 */
};

#define SCHEDULE_QUICK INT64_C(20000)	/* steps that take no time that anybody notices */
#define SCHEDULE_FULL INT64_C(60000000) /* a second or two */

struct schedule {
	struct schedule_edge *edges;
	size_t count;
	int64_t bottleneck;	  /* cycles a frame of the slowest layer by itself: the ideal interval */
	int64_t interval;	  /* cycles from frame to frame with queues of these depths */
	int64_t interval_shallow; /* the same with queues of two words; -1: the design locks up */
	int64_t latency; /* cycles from a frame's first word in to its last word out; not simulated: a bound, layer after layer */
	bool simulated; /* false: too long to simulate; depths are of a rule (a vector, or a frame on a fork) */
};

/* What is known of the circuits that a backend writes: the registers between a layer's step and the word it writes (at most 60).
 * Queues of more than two words have a memory and a register behind it. With that the depths are the least that keep the rate. */
struct schedule_modules {
	int (*registers)(const struct hw_layer *l);
};

/* Works out the schedule of a graph of hardware layers, converters included; FIFOs in it are looked through. 0, or -1 with
 * a diagnostic. Free with schedule_free. most_steps: of all layers together, above which nothing is simulated. modules NULL:
 * nothing is known of them, and depths are what unbounded queues would hold, and a word or two. */
int schedule_graph(const struct graph *g, int64_t most_steps, const struct schedule_modules *modules,
		   struct schedule *s, struct diags *d);
void schedule_free(struct schedule *s);
/* Adds what was found to an object of report.json. */
void schedule_report(const struct schedule *s, json_t *report);
/* Depth in front of that input; 2 where there is no such edge. */
int64_t schedule_depth(const struct schedule *s, const struct node *reader, size_t input);

#endif

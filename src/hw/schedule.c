/* Simulating a design cycle by cycle.
 *
 * A layer's work on a frame is a fixed sequence of steps, one in each cycle; each reads a word from every input or not, and writes
 * words to outputs or not (hw/kind.h; the loops of the HLS templates). A step waits until all it needs is there and all it
 * writes has room. With unbounded queues and the host sending words at the rate of the slowest layer, the most a queue ever
 * holds is a depth that keeps that rate. Pipeline registers inside layers are left out where nothing is known of them: they delay,
 * but do not change the rate. Where the modules are known (struct schedule_modules), their registers and those of the queues
 * count, and each queue is made as shallow as that rate allows. */
#include "hw/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "hw/kind.h"
#include "util/vec.h"

enum { FRAMES = 6 };

struct sim_layer {
	struct hw_layer l;
	int64_t steps;	      /* of a frame */
	int64_t words;	      /* that it writes in a frame */
	struct hw_progress p; /* within the frame */
	struct hw_step next;  /* and the set of inputs of which it takes a word, as bits */
	uint64_t taken;
	int delay;			  /* registers between a step and the words it writes */
	uint64_t pipeline;		  /* which of them hold a word, as bits; the oldest is bit delay - 1 */
	size_t in[64], n_in, *out, n_out; /* queues; an output that only the host reads has none */
	size_t *output;			  /* of the node, for each queue in out */
	bool *given;			  /* a word by the next step, for each of them */
	int64_t frames_done;
	int64_t done_at[FRAMES]; /* cycle in which each frame's last step was */
};

struct queue {
	int64_t words, most; /* now; ever */
	int64_t capacity;
	bool clocked; /* a circuit's: where it holds more than two words, they pass a memory and then a register, its head */
	bool head;
	int64_t pushed, popped; /* in this cycle */
	int64_t source_words;	/* fed by the host: words of a frame; else 0 */
	int64_t sent;		/* by the host */
};

struct simulation {
	struct sim_layer *layers;
	struct queue *queues;
	size_t n_layers, n_queues;
	bool clocked; /* see struct queue */
};

/* ---- queues ---- */

static bool has_head(const struct queue *q)
{
	return q->clocked && q->capacity > 2;
}

static bool can_pop(const struct queue *q)
{
	return has_head(q) ? q->head : q->words > 0;
}

static bool can_push(const struct queue *q)
{
	return q->words < q->capacity;
}

/* What was pushed and popped in this cycle. */
static void clock_queue(struct queue *q)
{
	if (has_head(q)) {
		bool fetches = q->words > 0 && (!q->head || q->popped);
		q->words += q->pushed - fetches;
		q->head = fetches || (q->head && !q->popped);
	} else {
		q->words += q->pushed - q->popped;
	}
	q->pushed = q->popped = 0;
	if (q->words > q->most)
		q->most = q->words;
}

/* ---- one cycle ---- */

/* Looks up what the layer's next step does. */
static void look_up_step(struct sim_layer *s)
{
	const struct hw_kind *k = s->l.kind;
	s->next = k->step ? k->step(&s->l, &s->p) : (struct hw_step){ true, true, false };
	s->taken = 0;
	for (size_t i = 0; s->next.read && i < s->n_in; i++)
		if (!k->takes || k->takes(&s->l, &s->p, i))
			s->taken |= UINT64_C(1) << i;
	for (size_t i = 0; i < s->n_out; i++)
		s->given[i] = s->next.write && (!k->gives || k->gives(&s->l, &s->p, s->output[i]));
}

/* The next step; a read for which there is no word is left out where it may be. */
static struct hw_step next_step(const struct simulation *m, const struct sim_layer *s)
{
	struct hw_step t = s->next;
	if (t.may_wait && !can_pop(&m->queues[s->in[0]]))
		t.read = false;
	return t;
}

static bool takes_from(const struct sim_layer *s, size_t k)
{
	return s->taken >> k & 1;
}

static bool can_step(const struct simulation *m, const struct sim_layer *s, struct hw_step t)
{
	for (size_t i = 0; t.read && i < s->n_in; i++)
		if (takes_from(s, i) && !can_pop(&m->queues[s->in[i]]))
			return false;
	for (size_t i = 0; i < s->n_out && !s->delay; i++)
		if (s->given[i] && !can_push(&m->queues[s->out[i]]))
			return false;
	return true;
}

/* The registers move on, and with them the layer, unless the last one holds a word for which there is no room. */
static bool move_pipeline(struct simulation *m, struct sim_layer *s)
{
	bool full = s->pipeline >> (s->delay - 1) & 1;
	for (size_t i = 0; full && i < s->n_out; i++)
		if (!can_push(&m->queues[s->out[i]]))
			return false;
	for (size_t i = 0; full && i < s->n_out; i++)
		m->queues[s->out[i]].pushed++;
	s->pipeline = s->pipeline << 1 & ((UINT64_C(1) << s->delay) - 1);
	return true;
}

static void finish_frame(struct sim_layer *s, int64_t cycle)
{
	if (s->frames_done < FRAMES)
		s->done_at[s->frames_done] = cycle;
	s->frames_done++;
	s->p = (struct hw_progress){ 0 };
}

static void take_step(struct simulation *m, struct sim_layer *s, int64_t cycle)
{
	struct hw_step t = next_step(m, s);
	if ((s->delay && !move_pipeline(m, s)) || s->frames_done == FRAMES || !can_step(m, s, t))
		return;
	for (size_t i = 0; t.read && i < s->n_in; i++)
		m->queues[s->in[i]].popped += takes_from(s, i);
	for (size_t i = 0; i < s->n_out && !s->delay; i++)
		m->queues[s->out[i]].pushed += s->given[i];
	s->pipeline |= s->delay && t.write;
	s->p.read += t.read;
	s->p.written += t.write;
	s->p.at++;
	if (s->p.at == s->steps || (s->steps == HW_UNTIL_WRITTEN && s->p.written == s->words))
		finish_frame(s, cycle);
	look_up_step(s);
}

/* The host sends one word, or keeps to a frame every `pace` cycles. */
static void feed(struct queue *q, int64_t cycle, int64_t pace)
{
	int64_t total = q->source_words * FRAMES;
	if (q->sent == total || !can_push(q))
		return;
	if (pace && q->sent * pace > cycle * q->source_words)
		return;
	q->sent++;
	q->pushed++;
}

static bool run_cycle(struct simulation *m, int64_t cycle, int64_t pace)
{
	bool all_done = true;
	for (size_t i = 0; i < m->n_layers; i++) {
		all_done &= m->layers[i].frames_done == FRAMES;
		if (m->layers[i].frames_done < FRAMES || m->layers[i].pipeline)
			take_step(m, &m->layers[i], cycle);
	}
	for (size_t i = 0; i < m->n_queues; i++) {
		struct queue *q = &m->queues[i];
		if (q->source_words)
			feed(q, cycle, pace);
		clock_queue(q);
	}
	return all_done;
}

static void reset(struct simulation *m)
{
	for (size_t i = 0; i < m->n_layers; i++) {
		struct sim_layer *s = &m->layers[i];
		s->p = (struct hw_progress){ 0 };
		s->frames_done = 0;
		s->pipeline = 0;
		look_up_step(s);
	}
	for (size_t i = 0; i < m->n_queues; i++) {
		struct queue *q = &m->queues[i];
		q->words = q->most = q->pushed = q->popped = q->sent = 0;
		q->head = false;
	}
}

/* Runs all frames; cycles from the one before the last to the last, -1 where the design locks up (or takes longer than
 * `most` cycles). *latency: when the first frame was done. */
static int64_t run(struct simulation *m, int64_t pace, int64_t most, int64_t *latency)
{
	int64_t cycle = 0, last = 0, before = 0;
	reset(m);
	while (!run_cycle(m, cycle, pace))
		if (++cycle > most)
			return -1;
	*latency = 0;
	for (size_t i = 0; i < m->n_layers; i++) {
		const struct sim_layer *s = &m->layers[i];
		last = s->done_at[FRAMES - 1] > last ? s->done_at[FRAMES - 1] : last;
		before = s->done_at[FRAMES - 2] > before ? s->done_at[FRAMES - 2] : before;
		*latency = s->done_at[0] + 1 > *latency ? s->done_at[0] + 1 : *latency;
	}
	return last - before;
}

static int add_layer(struct simulation *m, const struct node *n, const struct schedule_modules *modules,
		     struct arena *a, struct diags *d)
{
	struct sim_layer *s = &m->layers[m->n_layers++];
	if (hw_layer_read(n, &s->l, d) != 0)
		return -1;
	s->delay = modules ? modules->registers(&s->l) : 0;
	s->words = hw_output(&s->l, &s->l.now, 0).words;
	s->steps = s->l.kind->steps ? s->l.kind->steps(&s->l) : hw_input(&s->l, &s->l.now, 0).words;
	s->out = arena_array(a, size_t, n->n_outputs);
	s->output = arena_array(a, size_t, n->n_outputs);
	s->given = arena_array(a, bool, n->n_outputs);
	if (hw_stream_inputs(&s->l) > 64)
		return diag_node_error(d, n, NULL, "has more than 64 streams");
	return 0;
}

static void connect_output(struct sim_layer *writer, const struct value *v, size_t queue)
{
	size_t output = 0;
	while (node_output(writer->l.node, output) != v)
		output++;
	writer->output[writer->n_out] = output;
	writer->out[writer->n_out++] = queue;
}

static void connect(struct simulation *m, struct sim_layer *reader, size_t input, struct sim_layer **layer_of,
		    struct schedule *sch)
{
	const struct value *v = hw_value_behind(node_input(reader->l.node, input));
	struct sim_layer *writer = v->producer ? layer_of[v->producer->id] : NULL;
	struct schedule_edge *e = &sch->edges[sch->count++];
	struct queue *q = &m->queues[m->n_queues];
	*e = (struct schedule_edge){ writer ? writer->l.node : NULL, reader->l.node, input, 2 };
	*q = (struct queue){ .capacity = INT64_MAX, .clocked = m->clocked };
	if (writer)
		connect_output(writer, v, m->n_queues);
	else
		q->source_words = hw_input(&reader->l, &reader->l.now, input).words;
	reader->in[reader->n_in++] = m->n_queues++;
}

static int build(struct simulation *m, const struct graph *g, const struct schedule_modules *modules,
		 struct schedule *sch, struct arena *a, struct diags *d)
{
	struct sim_layer **layer_of = arena_array(a, struct sim_layer *, g->next_node_id + 1);
	size_t edges = 0;
	m->layers = arena_array(a, struct sim_layer, g->n_nodes + 1);
	m->clocked = modules != NULL;
	for (const struct node *n = g->first; n; n = n->next) {
		if (!hw_kind_of(n) || hw_is_queue(n))
			continue;
		layer_of[n->id] = &m->layers[m->n_layers];
		if (add_layer(m, n, modules, a, d) != 0)
			return -1;
		edges += n->n_inputs;
	}
	m->queues = arena_array(a, struct queue, edges + 1);
	sch->edges = xcalloc(edges + 1, sizeof *sch->edges);
	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < hw_stream_inputs(&m->layers[i].l); k++)
			connect(m, &m->layers[i], k, layer_of, sch);
	return 0;
}

/* Cycles of a layer by itself. */
static int64_t own_cycles(const struct sim_layer *s)
{
	return s->steps == HW_UNTIL_WRITTEN ? hw_layer_cost(&s->l, &s->l.now).cycles : s->steps;
}

/* The longest path if each layer waited for all of a frame, with a cycle between layers; a converter may read and write in
 * turn. No frame takes longer while no queue is full. */
static int64_t longest_path(const struct simulation *m, const struct schedule *s)
{
	int64_t longest = 0, *done = NULL;
	if (m->n_layers)
		done = xcalloc((size_t)m->layers[0].l.node->graph->next_node_id + 1, sizeof *done);
	for (size_t i = 0; i < m->n_layers; i++) {
		const struct sim_layer *layer = &m->layers[i];
		const struct hw_layer *l = &layer->l;
		int64_t end = 0;
		for (size_t k = 0; k < layer->n_in; k++) {
			const struct node *writer = s->edges[layer->in[k]].writer;
			end = writer && done[writer->id] > end ? done[writer->id] : end;
		}
		end += 1 + (layer->steps == HW_UNTIL_WRITTEN ? hw_words_in_and_out(l) : layer->steps);
		done[l->node->id] = end;
		longest = end > longest ? end : longest;
	}
	free(done);
	return longest;
}

/* Without a simulation: a vector in front of a unit that reads its vector at once, a frame on the ways of a fork. */
static void rule_of_thumb(const struct simulation *m, struct schedule *s)
{
	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < m->layers[i].n_in; k++) {
			const struct hw_layer *l = &m->layers[i].l;
			struct schedule_edge *e = &s->edges[m->layers[i].in[k]];
			int64_t words = hw_input(l, &l->now, k).words;
			bool fork = e->writer && hw_kind_of(e->writer)->flags & HW_FORK;
			int64_t depth = fork ? words : l->kind->flags & HW_MATRIX ? words / l->vectors : 2;
			e->depth = depth > 2 ? depth : 2;
		}
	s->interval = s->bottleneck;
	s->interval_shallow = 0;
	s->latency = longest_path(m, s);
}

static void set_capacities(struct simulation *m, const struct schedule *s, bool shallow)
{
	for (size_t i = 0; i < m->n_queues; i++)
		m->queues[i].capacity = shallow ? 2 : s->edges[i].depth;
}

/* Makes each queue as shallow as keeps the rate, while there are runs left. What one queue needs grows where others shrink, so
 * that none could be shallower at the end. */
static void tighten(struct simulation *m, struct schedule *s, int64_t most, int64_t runs)
{
	int64_t unused;
	for (size_t i = 0; i < m->n_queues; i++) {
		int64_t low = 2, high = s->edges[i].depth;
		while (low < high && runs-- > 0) {
			int64_t middle = high > 4 && low == 2 ? low + (high - low) / 4 : low + (high - low) / 2;
			m->queues[i].capacity = middle;
			if (run(m, 0, most, &unused) == s->interval)
				high = middle;
			else
				low = middle + 1;
		}
		m->queues[i].capacity = s->edges[i].depth = high;
	}
}

static void simulate(struct simulation *m, struct schedule *s, int64_t most, int64_t runs)
{
	int64_t unused;
	if (run(m, s->bottleneck, most, &s->latency) < 0) {
		rule_of_thumb(m, s);
		return;
	}
	for (size_t i = 0; i < m->n_queues; i++)
		s->edges[i].depth = m->queues[i].most + 2; /* a word may arrive before one that leaves is seen to */
	set_capacities(m, s, false);
	s->interval = run(m, 0, most, &s->latency);
	if (m->clocked && s->interval > 0)
		tighten(m, s, most, runs);
	set_capacities(m, s, true);
	s->interval_shallow = run(m, 0, most, &unused);
	s->simulated = true;
}

int schedule_graph(const struct graph *g, int64_t most_steps, const struct schedule_modules *modules,
		   struct schedule *s, struct diags *d)
{
	struct simulation m = { 0 };
	struct arena a;
	int64_t longest = 0, sum = 0;
	*s = (struct schedule){ 0 };
	arena_init(&a);
	int result = build(&m, g, modules, s, &a, d);
	for (size_t i = 0; result == 0 && i < m.n_layers; i++) {
		int64_t steps = own_cycles(&m.layers[i]);
		longest = steps > longest ? steps : longest;
		sum += steps;
	}
	s->bottleneck = longest;
	if (result == 0) {
		int64_t most = 2 * (FRAMES * longest + sum) + 1000;
		int64_t steps = most / 2 * (int64_t)m.n_layers;
		if (steps > most_steps)
			rule_of_thumb(&m, s);
		else
			simulate(&m, s, most, 4 * most_steps / steps);
	}
	arena_free(&a);
	return result;
}

void schedule_report(const struct schedule *s, json_t *report)
{
	json_object_set_new(report, "simulated", json_boolean(s->simulated));
	json_object_set_new(report, "bottleneck_cycles", json_integer(s->bottleneck));
	json_object_set_new(report, "interval_cycles", json_integer(s->interval));
	json_object_set_new(report, s->simulated ? "latency_cycles" : "latency_bound_cycles", json_integer(s->latency));
	if (!s->simulated)
		return;
	json_object_set_new(report, "interval_cycles_with_depth_2",
			    s->interval_shallow < 0 ? json_string("locks up") : json_integer(s->interval_shallow));
}

void schedule_free(struct schedule *s)
{
	free(s->edges);
	*s = (struct schedule){ 0 };
}

int64_t schedule_depth(const struct schedule *s, const struct node *reader, size_t input)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->edges[i].reader == reader && s->edges[i].input == input)
			return s->edges[i].depth;
	return 2;
}

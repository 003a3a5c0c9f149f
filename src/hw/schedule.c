/* Simulating a design cycle by cycle.
 *
 * A layer's work on a frame is a fixed sequence of steps, one a cycle; each reads a word from every input or not, and writes
 * a word to every output or not (the loops of the HLS templates). A step waits until all it needs is there and all it
 * writes has room. With unbounded queues and the host sending words at the rate of the slowest layer, the most a queue ever
 * holds is the depth that keeps that rate. Pipeline registers inside layers are left out: they shift, but do not slow. */
#include "hw/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "passes/insert_streams.h"
#include "passes/to_hw.h"
#include "util/vec.h"

enum { FRAMES = 6 };
#define MOST_STEPS INT64_C(60000000) /* of all layers together, in one simulation: a second or two */

struct stage {
	struct hw_layer l;
	int64_t steps;			  /* a frame */
	int64_t at;			  /* step of the frame */
	int64_t held;			  /* converter: bits */
	int64_t read, written;		  /* converter: words of this frame */
	size_t in[64], n_in, *out, n_out; /* queues; an output that only the host reads has none */
	int64_t frames_done;
	int64_t done_at[FRAMES]; /* cycle in which each frame's last step was */
};

struct queue {
	int64_t words, most; /* now; ever */
	int64_t capacity;
	int64_t pushed, popped; /* in this cycle */
	int64_t source_words;	/* fed by the host: words of a frame; else 0 */
	int64_t sent;		/* by the host */
};

struct simulation {
	struct stage *stages;
	struct queue *queues;
	size_t n_stages, n_queues;
};

/* ---- steps: what each kind reads and writes ---- */

struct step {
	bool read, write;
};

static struct step step_window(const struct hw_layer *l, int64_t i)
{
	int64_t fold = l->mh / l->now.simd, line = l->in_dim[1] * fold, h = l->in_dim[0];
	int64_t span = (l->kernel[0] - 1) * l->dilation[0] + 1, fill = span * line;
	if (i < fill)
		return (struct step){ true, false };
	int64_t writes = l->out_dim[1] * l->mw * fold, reads = l->stride[0] * line;
	int64_t row = writes > reads ? writes : reads, r = (i - fill) / row, k = (i - fill) % row;
	if (r >= l->out_dim[0])
		return (struct step){ true, false }; /* rows that no window reaches */
	return (struct step){ k < reads && fill + r * reads + k < h * line, k < writes };
}

static int64_t window_steps(const struct hw_layer *l)
{
	int64_t fold = l->mh / l->now.simd, line = l->in_dim[1] * fold;
	int64_t span = (l->kernel[0] - 1) * l->dilation[0] + 1;
	int64_t writes = l->out_dim[1] * l->mw * fold, reads = l->stride[0] * line,
		row = writes > reads ? writes : reads;
	int64_t read = span * line + l->out_dim[0] * reads, left = l->in_dim[0] * line - read;
	return span * line + l->out_dim[0] * row + (left > 0 ? left : 0);
}

static struct step step_parallel(const struct hw_layer *l, int64_t i)
{
	int64_t y = i / l->in_dim[1] - (l->kernel[0] - 1) * l->dilation[0];
	int64_t x = i % l->in_dim[1] - (l->kernel[1] - 1) * l->dilation[1];
	return (struct step){ true, y >= 0 && x >= 0 && y % l->stride[0] == 0 && x % l->stride[1] == 0 };
}

/* Where word i of an image of that width lies. */
static void pixel_of(int64_t i, int64_t fold, int64_t width, int64_t height, int64_t *y, int64_t *x)
{
	*x = i / fold % width;
	*y = i / fold / width % height;
}

static struct step step_pixels(const struct hw_layer *l, int64_t i)
{
	int64_t fold = l->mh / hw_input(l, &l->now, 0).elements, y, x;
	if (l->kind == HW_DOWNSAMPLER || l->kind == HW_MAXPOOL) {
		pixel_of(i, fold, l->in_dim[1], l->in_dim[0], &y, &x);
		bool pool = l->kind == HW_MAXPOOL;
		int64_t last_y = pool ? l->kernel[0] - 1 : 0, last_x = pool ? l->kernel[1] - 1 : 0;
		return (struct step){ true, y % l->stride[0] == last_y && x % l->stride[1] == last_x &&
						    y / l->stride[0] < l->out_dim[0] &&
						    x / l->stride[1] < l->out_dim[1] };
	}
	pixel_of(i, fold, l->out_dim[1], l->out_dim[0], &y, &x);
	if (l->kind == HW_UPSAMPLE)
		return (struct step){
			y % (l->out_dim[0] / l->in_dim[0]) == 0 && x % (l->out_dim[1] / l->in_dim[1]) == 0, true
		};
	if (l->kind == HW_PIXELPAD)
		return (struct step){ y % l->stride[0] == 0 && x % l->stride[1] == 0, true };
	return (struct step){
		y >= l->pad[0] && y < l->pad[0] + l->in_dim[0] && x >= l->pad[1] && x < l->pad[1] + l->in_dim[1], true
	};
}

static struct step step_of(const struct stage *s)
{
	const struct hw_layer *l = &s->l;
	int64_t i = s->at, sf, nf;
	switch (l->kind) {
	case HW_MVAU:
		sf = l->mw / l->now.simd;
		nf = l->mh / l->now.pe;
		return (struct step){ i / sf % nf == 0, i % sf == sf - 1 };
	case HW_VVAU: sf = l->mw / l->now.simd; return (struct step){ true, i % sf == sf - 1 };
	case HW_POOL: return (struct step){ true, i % l->mw == l->mw - 1 };
	case HW_SWG: return l->now.window ? step_parallel(l, i) : step_window(l, i);
	case HW_FMPADDING:
	case HW_PIXELPAD:
	case HW_DOWNSAMPLER:
	case HW_UPSAMPLE:
	case HW_MAXPOOL: return step_pixels(l, i);
	case HW_GLOBALACC:
	case HW_LABELSELECT:
		return (struct step){ i < hw_input(l, &l->now, 0).words, i >= hw_input(l, &l->now, 0).words };
	case HW_DWC:
		return (struct step){ s->held < l->widths[1] || (s->held - l->widths[1] < l->widths[1] &&
								 s->read < hw_input(l, &l->now, 0).words),
				      s->held >= l->widths[1] };
	default: return (struct step){ true, true };
	}
}

static int64_t steps_of(const struct hw_layer *l)
{
	int64_t in = hw_input(l, &l->now, 0).words, out = hw_output(l, &l->now, 0).words;
	switch (l->kind) {
	case HW_MVAU: return l->mw / l->now.simd * (l->mh / l->now.pe) * l->vectors;
	case HW_SWG: return l->now.window ? in : window_steps(l);
	case HW_GLOBALACC:
	case HW_LABELSELECT: return in + out;
	case HW_DWC: return INT64_MAX; /* until all is written */
	case HW_FMPADDING:
	case HW_PIXELPAD:
	case HW_UPSAMPLE:
	case HW_CONCAT: return out;
	default: return in;
	}
}

/* ---- one cycle ---- */

/* Whether this step's read takes a word of input k: of all inputs, but StreamingConcat takes its streams in turn, and one
 * vector that meets all of a frame is read once. */
static bool takes_from(const struct stage *s, size_t k)
{
	if (s->l.held)
		return k == 0 || s->at < hw_input(&s->l, &s->l.now, k).words;
	if (!hw_concat_in_turn(&s->l))
		return true;
	size_t count;
	const int64_t *parts = hw_concat_parts(s->l.node, &count);
	int64_t at = s->at * s->l.now.simd % s->l.mh;
	for (size_t i = 0; i < k && i < count; i++)
		at -= parts[i];
	return k < count && at >= 0 && at < parts[k];
}

static bool can_step(const struct simulation *m, const struct stage *s, struct step t)
{
	for (size_t i = 0; t.read && i < s->n_in; i++)
		if (takes_from(s, i) && m->queues[s->in[i]].words < 1)
			return false;
	for (size_t i = 0; t.write && i < s->n_out; i++)
		if (m->queues[s->out[i]].words >= m->queues[s->out[i]].capacity)
			return false;
	return true;
}

static void finish_frame(struct stage *s, int64_t cycle)
{
	if (s->frames_done < FRAMES)
		s->done_at[s->frames_done] = cycle;
	s->frames_done++;
	s->at = s->read = s->written = s->held = 0;
}

static void take_step(struct simulation *m, struct stage *s, int64_t cycle)
{
	struct step t = step_of(s);
	bool converter = s->l.kind == HW_DWC;
	if (converter && t.read && s->read == hw_input(&s->l, &s->l.now, 0).words)
		t.read = false;
	if (converter && t.read && t.write && m->queues[s->in[0]].words < 1)
		t.read = false; /* it writes what it holds while it waits */
	if ((converter && !t.read && !t.write) || !can_step(m, s, t))
		return;
	for (size_t i = 0; t.read && i < s->n_in; i++)
		m->queues[s->in[i]].popped += takes_from(s, i);
	for (size_t i = 0; t.write && i < s->n_out; i++)
		m->queues[s->out[i]].pushed++;
	if (converter) {
		s->held += (t.read ? s->l.widths[0] : 0) - (t.write ? s->l.widths[1] : 0);
		s->read += t.read;
		s->written += t.write;
	}
	s->at++;
	if (s->at == s->steps || (converter && s->written == hw_output(&s->l, &s->l.now, 0).words))
		finish_frame(s, cycle);
}

/* The host sends one word, or keeps to a frame every `pace` cycles. */
static void feed(struct queue *q, int64_t cycle, int64_t pace)
{
	int64_t total = q->source_words * FRAMES;
	if (q->sent == total || q->words >= q->capacity)
		return;
	if (pace && q->sent * pace > cycle * q->source_words)
		return;
	q->sent++;
	q->pushed++;
}

static bool run_cycle(struct simulation *m, int64_t cycle, int64_t pace)
{
	bool all_done = true;
	for (size_t i = 0; i < m->n_stages; i++)
		if (m->stages[i].frames_done < FRAMES) {
			all_done = false;
			take_step(m, &m->stages[i], cycle);
		}
	for (size_t i = 0; i < m->n_queues; i++) {
		struct queue *q = &m->queues[i];
		if (q->source_words)
			feed(q, cycle, pace);
		q->words += q->pushed - q->popped;
		q->pushed = q->popped = 0;
		if (q->words > q->most)
			q->most = q->words;
	}
	return all_done;
}

static void reset(struct simulation *m)
{
	for (size_t i = 0; i < m->n_stages; i++) {
		struct stage *s = &m->stages[i];
		s->at = s->held = s->read = s->written = s->frames_done = 0;
	}
	for (size_t i = 0; i < m->n_queues; i++) {
		struct queue *q = &m->queues[i];
		q->words = q->most = q->pushed = q->popped = q->sent = 0;
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
	for (size_t i = 0; i < m->n_stages; i++) {
		const struct stage *s = &m->stages[i];
		last = s->done_at[FRAMES - 1] > last ? s->done_at[FRAMES - 1] : last;
		before = s->done_at[FRAMES - 2] > before ? s->done_at[FRAMES - 2] : before;
		*latency = s->done_at[0] + 1 > *latency ? s->done_at[0] + 1 : *latency;
	}
	return last - before;
}

/* ---- from the graph ---- */

static const struct value *behind(const struct value *v)
{
	while (v->producer && (to_hw_is_view(v->producer) || hw_kind_of(v->producer) == HW_FIFO))
		v = node_input(v->producer, 0);
	return v;
}

static int add_stage(struct simulation *m, const struct node *n, struct arena *a, struct diags *d)
{
	struct stage *s = &m->stages[m->n_stages++];
	if (hw_layer_read(n, &s->l, d) != 0)
		return -1;
	s->steps = steps_of(&s->l);
	s->out = arena_array(a, size_t, n->n_outputs);
	if (hw_stream_inputs(&s->l) > 64)
		return diag_node_error(d, n, NULL, "has more than 64 streams");
	return 0;
}

static void connect(struct simulation *m, struct stage *reader, size_t input, struct stage **stage_of,
		    struct schedule *sch)
{
	const struct value *v = behind(node_input(reader->l.node, input));
	struct stage *writer = v->producer ? stage_of[v->producer->id] : NULL;
	struct schedule_edge *e = &sch->edges[sch->count++];
	struct queue *q = &m->queues[m->n_queues];
	*e = (struct schedule_edge){ writer ? writer->l.node : NULL, reader->l.node, input, 2 };
	*q = (struct queue){ .capacity = INT64_MAX };
	if (writer)
		writer->out[writer->n_out++] = m->n_queues;
	else
		q->source_words = hw_input(&reader->l, &reader->l.now, input).words;
	reader->in[reader->n_in++] = m->n_queues++;
}

static int build(struct simulation *m, const struct graph *g, struct schedule *sch, struct arena *a, struct diags *d)
{
	struct stage **stage_of = arena_array(a, struct stage *, g->next_node_id + 1);
	size_t edges = 0;
	m->stages = arena_array(a, struct stage, g->n_nodes + 1);
	for (const struct node *n = g->first; n; n = n->next) {
		if (!hw_kind_of(n) || hw_kind_of(n) == HW_FIFO)
			continue;
		stage_of[n->id] = &m->stages[m->n_stages];
		if (add_stage(m, n, a, d) != 0)
			return -1;
		edges += n->n_inputs;
	}
	m->queues = arena_array(a, struct queue, edges + 1);
	sch->edges = xcalloc(edges + 1, sizeof *sch->edges);
	for (size_t i = 0; i < m->n_stages; i++)
		for (size_t k = 0; k < hw_stream_inputs(&m->stages[i].l); k++)
			connect(m, &m->stages[i], k, stage_of, sch);
	return 0;
}

/* Without a simulation: a vector in front of a unit that reads its vector at once, a frame on the ways of a fork. */
static void rule_of_thumb(const struct simulation *m, struct schedule *s)
{
	for (size_t i = 0; i < m->n_stages; i++)
		for (size_t k = 0; k < m->stages[i].n_in; k++) {
			const struct hw_layer *l = &m->stages[i].l;
			struct schedule_edge *e = &s->edges[m->stages[i].in[k]];
			int64_t words = hw_input(l, &l->now, k).words;
			bool fork = e->writer && hw_kind_of(e->writer) == HW_DUPLICATE;
			int64_t depth = fork ? words : l->kind == HW_MVAU ? words / l->vectors : 2;
			e->depth = depth > 2 ? depth : 2;
		}
	s->interval = s->interval_shallow = s->latency = 0;
}

static void set_capacities(struct simulation *m, const struct schedule *s, bool shallow)
{
	for (size_t i = 0; i < m->n_queues; i++)
		m->queues[i].capacity = shallow ? 2 : s->edges[i].depth;
}

static void simulate(struct simulation *m, struct schedule *s, int64_t most)
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
	set_capacities(m, s, true);
	s->interval_shallow = run(m, 0, most, &unused);
	s->simulated = true;
}

int schedule_graph(const struct graph *g, struct schedule *s, struct diags *d)
{
	struct simulation m = { 0 };
	struct arena a;
	int64_t longest = 0, sum = 0;
	*s = (struct schedule){ 0 };
	arena_init(&a);
	int result = build(&m, g, s, &a, d);
	for (size_t i = 0; result == 0 && i < m.n_stages; i++) {
		const struct hw_layer *l = &m.stages[i].l;
		int64_t steps = m.stages[i].steps;
		if (l->kind == HW_DWC)
			steps = hw_layer_cost(l, &l->now).cycles;
		longest = steps > longest ? steps : longest;
		sum += steps;
	}
	s->bottleneck = longest;
	if (result == 0) {
		int64_t most = 2 * (FRAMES * longest + sum) + 1000;
		if (most / 2 * (int64_t)m.n_stages > MOST_STEPS)
			rule_of_thumb(&m, s);
		else
			simulate(&m, s, most);
	}
	arena_free(&a);
	return result;
}

void schedule_report(const struct schedule *s, json_t *report)
{
	json_object_set_new(report, "simulated", json_boolean(s->simulated));
	json_object_set_new(report, "bottleneck_cycles", json_integer(s->bottleneck));
	if (!s->simulated)
		return;
	json_object_set_new(report, "interval_cycles", json_integer(s->interval));
	json_object_set_new(report, "interval_cycles_with_depth_2",
			    s->interval_shallow < 0 ? json_string("locks up") : json_integer(s->interval_shallow));
	json_object_set_new(report, "latency_cycles", json_integer(s->latency));
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

/* Networks that are trained: building them, and running batches forward and backward (see net.h). */
#include "train/net.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "train/arch.h"
#include "train/random.h"
#include "util/strbuf.h"

enum { PARTS = 8, LARGEST_PART = 128, SMALLEST_PART = 8, BLOCK = 8192 };

/* ---- rows ---- */

void rows_init(struct rows *r, const struct dataset *set, bool bits)
{
	*r = (struct rows){ .set = set, .words = (set->row + 63) / 64 };
	if (!bits)
		return;
	r->packed = xcalloc((size_t)(set->rows * r->words), sizeof *r->packed);
	for (int64_t i = 0; i < set->rows; i++)
		for (int64_t k = 0; k < set->row; k++)
			if (dataset_at(set, i, k) != 0)
				r->packed[i * r->words + k / 64] |= (uint64_t)1 << k % 64;
}

void rows_free(struct rows *r)
{
	free(r->packed);
	*r = (struct rows){ 0 };
}

/* ---- layers ---- */

struct shape shape_of(int rank, const int64_t *dims)
{
	struct shape s = { .rank = rank, .count = 1 };
	for (int i = 0; i < rank; i++) {
		s.dims[i] = dims[i];
		s.count *= dims[i];
	}
	return s;
}

static void *aligned(struct net *n, size_t bytes)
{
	enum { LINE = 64 };
	uintptr_t p = (uintptr_t)arena_alloc(&n->arena, bytes + LINE);
	return (void *)((p + LINE - 1) / LINE * LINE);
}

static float *floats(struct net *n, int64_t count)
{
	return aligned(n, (size_t)count * sizeof(float));
}

struct param *layer_add_param(struct layer *l, const char *name, int rank, const int64_t *dims)
{
	struct net *n = l->net;
	struct param *p = &l->params[l->n_params++];
	*p = (struct param){ .name = name, .rank = rank, .count = 1, .decays = true, .least = -INFINITY };
	for (int i = 0; i < rank; i++) {
		p->dims[i] = dims[i];
		p->count *= dims[i];
	}
	p->value = floats(n, p->count);
	p->grad = floats(n, p->count);
	p->m = floats(n, p->count);
	p->v = floats(n, p->count);
	p->partial = floats(n, p->count * n->parts);
	return p;
}

struct buffer *layer_add_buffer(struct layer *l, const char *name, int64_t count)
{
	struct buffer *b = &l->buffers[l->n_buffers++];
	*b = (struct buffer){ name, count, floats(l->net, count) };
	return b;
}

static const struct layer_arg *find_arg(const struct layer *l, const char *name, size_t position)
{
	size_t k = 0;
	for (size_t i = 0; i < l->n_args; i++) {
		if (l->args[i].name && !strcmp(l->args[i].name, name))
			return &l->args[i];
		if (!l->args[i].name && k++ == position)
			return &l->args[i];
	}
	return NULL;
}

double layer_number(const struct layer *l, const char *name, size_t position, double fallback)
{
	const struct layer_arg *a = find_arg(l, name, position);
	return a ? a->number : fallback;
}

const char *layer_text(const struct layer *l, const char *name, size_t position)
{
	const struct layer_arg *a = find_arg(l, name, position);
	return a ? a->text : NULL;
}

int layer_error(const struct layer *l, struct diags *d, const char *format, ...)
{
	struct strbuf why = { 0 };
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&why, format, args);
	va_end(args);
	diag_error(d, l->type->form, "layer %d (%s): %s", l->index + 1, l->type->name, why.text);
	strbuf_free(&why);
	return -1;
}

int layer_int(const struct layer *l, const char *name, size_t position, int64_t fallback, int64_t lo, int64_t *out,
	      struct diags *d)
{
	double x = layer_number(l, name, position, (double)fallback);
	if (!(x >= (double)lo && x <= 1e9 && x == floor(x)))
		return layer_error(l, d, "its %s is no whole number from %lld on", name, (long long)lo);
	*out = (int64_t)x;
	return 0;
}

struct param *net_next_param(struct net *n, size_t *layer, int *index)
{
	for (; *layer < n->count; ++*layer, *index = 0)
		if (*index < n->layers[*layer].n_params)
			return &n->layers[*layer].params[(*index)++];
	return NULL;
}

void *net_scratch(const struct net *n, int worker, size_t size)
{
	enum { LINE = 64 };
	size_t bytes = size + LINE;
	if (n->scratch_size[worker] < bytes) {
		n->scratch[worker] = xrealloc(n->scratch[worker], bytes);
		n->scratch_size[worker] = bytes;
	}
	return (void *)(((uintptr_t)n->scratch[worker] + LINE - 1) / LINE * LINE);
}

/* ---- building ---- */

/* Connects a layer to the one before and gives it memory. */
static void connect(struct net *n, struct layer *l)
{
	const struct layer *before = l->index ? l - 1 : NULL;
	l->x = before ? before->y : n->input;
	l->dx = before ? before->dy : NULL;
	if (!l->type->forward) {
		l->y = before ? before->y : n->input;
		l->dy = before ? before->dy : NULL;
		return;
	}
	l->y = floats(n, n->batch * l->out.count);
	l->dy = floats(n, n->batch * l->out.count);
}

static int set_up_layer(struct net *n, const struct arch_layer *a, int index, struct diags *d)
{
	struct layer *l = &n->layers[index];
	*l = (struct layer){ .type = a->type, .net = n, .index = index, .args = a->args, .n_args = a->n_args };
	l->in = index ? l[-1].out : n->in;
	l->out = l->in;
	n->count = (size_t)index + 1;
	if (n->bits && index == 0 && a->type != &layer_linear)
		n->bits = false;
	if (index == 0 && !n->bits)
		n->input = floats(n, n->batch * n->in.count);
	for (size_t i = 0; i < a->n_args; i++)
		if (a->args[i].name && !strstr(a->type->form, a->args[i].name))
			return layer_error(l, d, "it has no option '%s'", a->args[i].name);
	if (l->type->setup(n, l, d) < 0)
		return -1;
	connect(n, l);
	return 0;
}

static void set_sizes(struct net *n, int64_t batch)
{
	int64_t rows = (batch + PARTS - 1) / PARTS;
	rows = rows < SMALLEST_PART ? SMALLEST_PART : rows > LARGEST_PART ? LARGEST_PART : rows;
	n->batch = batch;
	n->part_rows = rows;
	n->parts = (batch + rows - 1) / rows;
}

static void add_workers(struct net *n, int threads)
{
	n->crew = crew_new(threads);
	n->scratch = xcalloc((size_t)crew_size(n->crew), sizeof *n->scratch);
	n->scratch_size = xcalloc((size_t)crew_size(n->crew), sizeof *n->scratch_size);
}

struct net *net_new(const char *text, const struct shape *in, bool bits, int64_t batch, const struct net_options *o,
		    struct diags *d)
{
	struct net *n = xcalloc(1, sizeof *n);
	arena_init(&n->arena);
	n->options = *o;
	n->in = *in;
	n->bits = bits && in->rank == 1;
	n->kernels = kernels_best();
	n->words = (in->count + 63) / 64;
	set_sizes(n, batch);
	add_workers(n, o->threads);
	struct arch arch;
	int status = arch_parse(&arch, &n->arena, text, o, in, d);
	if (status == 0) {
		n->layers = arena_array(&n->arena, struct layer, arch.count);
		for (size_t i = 0; i < arch.count && status == 0; i++)
			status = set_up_layer(n, &arch.layers[i], (int)i, d);
	}
	if (status == 0) {
		n->labels = arena_array(&n->arena, int32_t, batch);
		n->packed = n->bits ? aligned(n, (size_t)(batch * n->words) * sizeof *n->packed) : NULL;
		return n;
	}
	net_free(n);
	return NULL;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		if (n->layers[i].type->free && n->layers[i].state)
			n->layers[i].type->free(&n->layers[i]);
	for (int i = 0; i < crew_size(n->crew); i++)
		free(n->scratch[i]);
	free(n->scratch);
	free(n->scratch_size);
	crew_free(n->crew);
	arena_free(&n->arena);
	free(n);
}

/* ---- running ---- */

struct call {
	void (*run)(const struct net *n, struct layer *l, const struct part *p);
	struct layer *layer;
};

/* Calls that a part can go through without the others. */
struct segment {
	const struct net *net;
	struct call *calls;
	size_t count;
	bool load;
	const struct tail *tail;
};

static void load_part(const struct net *n, const struct part *p)
{
	const struct rows *s = n->source;
	for (int64_t i = p->first; i < p->first + p->rows; i++) {
		int64_t row = n->order[i];
		n->labels[i] = s->set->labels ? s->set->labels[row] : 0;
		if (n->bits)
			memcpy(n->packed + i * n->words, s->packed + row * n->words, (size_t)n->words * 8);
		else if (s->set->x->elem == ELEM_FLOAT)
			memcpy(n->input + i * n->in.count, tensor_floats(s->set->x) + row * n->in.count,
			       (size_t)n->in.count * sizeof(float));
		else
			for (int64_t k = 0; k < n->in.count; k++)
				n->input[i * n->in.count + k] = dataset_at(s->set, row, k);
	}
}

static void run_part(void *user, int64_t i, int worker)
{
	const struct segment *s = user;
	const struct net *n = s->net;
	struct part p = { .first = i * n->part_rows, .rows = n->part_rows, .number = i, .worker = worker };
	if (p.first + p.rows > n->rows)
		p.rows = n->rows - p.first;
	if (s->load)
		load_part(n, &p);
	for (size_t k = 0; k < s->count; k++)
		s->calls[k].run(n, s->calls[k].layer, &p);
	if (s->tail)
		s->tail->call(s->tail->user, n, &p);
}

static void add_call(struct segment *s, void (*run)(const struct net *, struct layer *, const struct part *),
		     struct layer *l)
{
	if (run)
		s->calls[s->count++] = (struct call){ run, l };
}

static void run_segment(struct segment *s)
{
	crew_run(s->net->crew, net_parts_of(s->net), run_part, s);
	s->count = 0;
	s->load = false;
}

static void prepare_layer(void *user, int64_t i, int worker)
{
	struct net *n = user;
	struct layer *l = &n->layers[i];
	(void)worker;
	if (l->type->prepare)
		l->type->prepare(n, l);
}

void net_settle(struct net *n)
{
	n->training = false;
	crew_run(n->crew, (int64_t)n->count, prepare_layer, n);
}

void net_forward(struct net *n, const struct rows *source, const int64_t *order, int64_t count, bool training,
		 const struct tail *tail)
{
	struct call *calls = xcalloc(2 * n->count, sizeof *calls);
	struct segment s = { .net = n, .calls = calls, .load = true };
	n->source = source;
	n->order = order;
	n->rows = count;
	n->training = training;
	crew_run(n->crew, (int64_t)n->count, prepare_layer, n);
	for (size_t i = 0; i < n->count; i++) {
		struct layer *l = &n->layers[i];
		if (training && l->type->observe && (!l->type->observes || l->type->observes(l))) {
			add_call(&s, l->type->observe, l);
			run_segment(&s);
			l->type->observed(n, l);
		}
		add_call(&s, l->type->forward, l);
	}
	s.tail = tail;
	run_segment(&s);
	free(calls);
}

/* ---- gradients ---- */

struct block {
	struct param *param;
	int64_t first, count;
	const struct net *net;
};

static void add_parts(void *user, int64_t i, int worker)
{
	const struct block *b = (const struct block *)user + i;
	const struct param *p = b->param;
	float *to = p->grad + b->first;
	(void)worker;
	memcpy(to, p->partial + b->first, (size_t)b->count * sizeof *to);
	for (int64_t k = 1; k < net_parts_of(b->net); k++)
		b->net->kernels->add(to, p->partial + k * p->count + b->first, b->count);
}

static void finish_layer(void *user, int64_t i, int worker)
{
	struct net *n = user;
	struct layer *l = &n->layers[i];
	(void)worker;
	if (l->type->finish)
		l->type->finish(n, l);
}

/* The sums over the parts, by blocks of numbers. */
static void add_gradients(struct net *n)
{
	size_t layer = 0, count = 0;
	int index = 0;
	for (struct param *p; (p = net_next_param(n, &layer, &index));)
		count += (size_t)((p->count + BLOCK - 1) / BLOCK);
	struct block *blocks = xcalloc(count + 1, sizeof *blocks);
	layer = count = 0;
	index = 0;
	for (struct param *p; (p = net_next_param(n, &layer, &index));)
		for (int64_t i = 0; i < p->count; i += BLOCK)
			blocks[count++] = (struct block){ p, i, p->count - i < BLOCK ? p->count - i : BLOCK, n };
	crew_run(n->crew, (int64_t)count, add_parts, blocks);
	free(blocks);
}

void net_backward(struct net *n)
{
	struct call *calls = xcalloc(2 * n->count, sizeof *calls);
	struct segment s = { .net = n, .calls = calls };
	for (size_t i = n->count; i-- > 0;) {
		struct layer *l = &n->layers[i];
		if (l->type->observe_back && (!l->type->observes || l->type->observes(l))) {
			add_call(&s, l->type->observe_back, l);
			run_segment(&s);
			l->type->observed_back(n, l);
		}
		add_call(&s, l->type->backward, l);
	}
	run_segment(&s);
	free(calls);
	add_gradients(n);
	crew_run(n->crew, (int64_t)n->count, finish_layer, n);
}

/* ---- the start ---- */

void net_initialise(struct net *n)
{
	for (size_t i = 0; i < n->count; i++) {
		struct layer *l = &n->layers[i];
		if (!l->weights)
			continue;
		const struct param *w = &l->params[0];
		int64_t channels = w->dims[l->type == &layer_linear ? 1 : 0];
		double limit = 1 / sqrt((double)(w->count / channels));
		for (int k = 0; k < l->n_params; k++) {
			uint64_t key = random_key(n->options.seed, RANDOM_WEIGHTS, 16 * i + (uint64_t)k);
			for (int64_t at = 0; at < l->params[k].count; at++)
				l->params[k].value[at] = (float)((2 * random_unit(key, (uint64_t)at) - 1) * limit);
		}
	}
}

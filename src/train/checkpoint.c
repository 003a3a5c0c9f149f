/* Checkpoints: a .npz archive with the state, the optimiser's, the best state, the history, and JSON that says what they
 * belong to and where training was. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/npy.h"
#include "train/sparse.h"
#include "train/trainer.h"
#include "util/crc32.h"

enum { FORMAT_VERSION = 1, FIGURES = sizeof(struct epoch_figures) / sizeof(double) };

/* ---- what it belongs to ---- */

uint32_t checkpoint_sum(const struct dataset *s)
{
	struct crc32 c;
	crc32_init(&c);
	uint32_t crc = crc32_add(&c, 0, s->x->data, (size_t)s->x->count * elem_size((enum elem_type)s->x->elem));
	return crc32_add(&c, crc, s->labels, (size_t)s->rows * sizeof *s->labels);
}

static void set(json_t *j, const char *name, json_t *value)
{
	json_object_set_new(j, name, value);
}

/* All that must be the same for the rest of the training to be what it would have been. */
static json_t *identity(const struct trainer *t)
{
	const struct train_options *o = &t->options;
	json_t *j = json_object();
	set(j, "arch", json_string(o->arch));
	set(j, "weights", json_integer((json_int_t)o->net.weights.kind * 100 + o->net.weights.bits));
	set(j, "acts", json_integer((json_int_t)o->net.acts.kind * 100 + o->net.acts.bits));
	set(j, "per_channel", json_boolean(o->net.per_channel));
	set(j, "dropout", json_real(o->net.dropout));
	set(j, "collect", json_integer(o->net.collect));
	set(j, "percentile", json_real(o->net.percentile));
	set(j, "fan_in", json_integer(o->net.fan_in));
	set(j, "prune_end", json_real(o->prune_end));
	set(j, "lut_budget", json_real(o->lut_budget));
	set(j, "seed", json_integer((json_int_t)o->net.seed));
	set(j, "batch", json_integer(o->batch));
	set(j, "epochs", json_integer(o->epochs));
	set(j, "lr", json_real(o->optimiser.rate));
	set(j, "beta1", json_real(o->optimiser.beta1));
	set(j, "beta2", json_real(o->optimiser.beta2));
	set(j, "decay", json_real(o->optimiser.decay));
	set(j, "optimiser", json_string(o->optimiser.decoupled ? "adamw" : "adam"));
	set(j, "schedule", json_string(o->schedule_text));
	set(j, "class_weights", json_string(o->class_weights ? o->class_weights : ""));
	set(j, "best_by", json_string(o->best_by_loss ? "loss" : "accuracy"));
	set(j, "output_bias", json_string(o->plain_bias ? "random" : "shares"));
	set(j, "val", t->own_val ? json_integer(t->val_sum) : json_real(o->val_share));
	set(j, "data", json_integer(t->train_sum));
	return j;
}

/* Epochs may be added where the schedule does not depend on their number. */
static bool may_differ(const struct trainer *t, const char *name)
{
	const struct train_options *o = &t->options;
	return !strcmp(name, "epochs") && o->schedule.kind != SCHEDULE_COSINE && o->net.fan_in == 0;
}

static int compare(const struct trainer *t, json_t *given, struct diags *d)
{
	json_t *ours = identity(t), *value;
	const char *name;
	int status = 0;
	json_object_foreach(ours, name, value)
	{
		if (status < 0 || may_differ(t, name) || json_equal(value, json_object_get(given, name)))
			continue;
		char *a = json_dumps(json_object_get(given, name), JSON_ENCODE_ANY),
		     *b = json_dumps(value, JSON_ENCODE_ANY);
		status = diag_error(d, "resume with the options and data it was started with",
				    "the checkpoint is of another training: its %s is %s, not %s", name,
				    a ? a : "missing", b);
		free(a);
		free(b);
	}
	json_decref(ours);
	return status;
}

/* ---- writing ---- */

struct pieces {
	float *at;
	bool load;
};

static void move(float *numbers, int64_t count, struct pieces *p)
{
	if (p->load)
		memcpy(numbers, p->at, (size_t)count * sizeof(float));
	else
		memcpy(p->at, numbers, (size_t)count * sizeof(float));
	p->at += count;
}

/* Moments of all parameters. */
static int64_t move_moments(const struct net *n, struct pieces *p)
{
	size_t layer = 0;
	int index = 0;
	int64_t size = 0;
	for (struct param *x; (x = net_next_param((struct net *)n, &layer, &index));) {
		size += 2 * x->count;
		if (p) {
			move(x->m, x->count, p);
			move(x->v, x->count, p);
		}
	}
	return size;
}

/* Masks as 0 and 1, where there are some. */
static int64_t move_masks(const struct net *n, struct pieces *p)
{
	int64_t size = 0;
	for (size_t i = 0; i < n->count; i++) {
		const struct layer *l = &n->layers[i];
		uint8_t *mask = l->weights ? (uint8_t *)l->weights->mask : NULL;
		size += mask ? l->params[0].count : 0;
		for (int64_t k = 0; p && mask && k < l->params[0].count; k++, p->at++) {
			if (p->load)
				mask[k] = *p->at != 0;
			else
				*p->at = mask[k];
		}
	}
	return size;
}

static json_t *place(const struct trainer *t)
{
	return json_pack("{s:i,s:o,s:I,s:I,s:I,s:f,s:f,s:I,s:f,s:f,s:I,s:b}", "version", FORMAT_VERSION, "identity",
			 identity(t), "epoch", (json_int_t)t->epoch, "at", (json_int_t)t->at, "step",
			 (json_int_t)t->net->step, "loss", t->loss, "weight", t->weight, "right", (json_int_t)t->right,
			 "strength", t->strength, "seconds", t->seconds, "best", (json_int_t)t->best, "masks",
			 move_masks(t->net, NULL) > 0);
}

static int add_numbers(struct npz_out *z, const char *name, enum elem_type elem, const void *numbers, int64_t count)
{
	struct tensor *x = tensor_new(elem, 1, &count);
	if (count)
		memcpy(x->data, numbers, (size_t)count * elem_size(elem));
	int status = npz_add(z, name, x);
	tensor_unref(x);
	return status;
}

static void add_moved(struct npz_out *z, const struct net *n, const char *name,
		      int64_t (*move_all)(const struct net *n, struct pieces *p))
{
	int64_t size = move_all(n, NULL);
	float *memory = xcalloc((size_t)size + 1, sizeof *memory);
	move_all(n, &(struct pieces){ memory, false });
	add_numbers(z, name, ELEM_FLOAT, memory, size);
	free(memory);
}

int checkpoint_write(const struct trainer *t, const char *path, struct diags *d)
{
	struct npz_out *z = npz_create(path, d);
	if (!z)
		return -1;
	int64_t size = (int64_t)state_size(t->net);
	float *state = xcalloc((size_t)size + 1, sizeof *state);
	json_t *j = place(t);
	char *text = json_dumps(j, JSON_REAL_PRECISION(17));
	state_save(t->net, state);
	add_numbers(z, "place", ELEM_UINT8, text, (int64_t)strlen(text));
	add_numbers(z, "state", ELEM_FLOAT, state, size);
	add_numbers(z, "best", ELEM_FLOAT, t->best_state, size);
	add_moved(z, t->net, "moments", move_moments);
	add_moved(z, t->net, "masks", move_masks);
	add_numbers(z, "history", ELEM_DOUBLE, t->history.items, (int64_t)t->history.count * FIGURES);
	free(text);
	json_decref(j);
	free(state);
	return npz_commit(z, d);
}

/* ---- reading ---- */

static struct tensor *numbers_of(const char *path, const char *name, enum elem_type elem, int64_t count,
				 struct diags *d)
{
	struct tensor *t = npz_read(path, name, d);
	if (!t || (t->elem == elem && t->count == count))
		return t;
	if (t->elem != elem)
		diag_error(d, NULL, "'%s' holds %s of type %s: %s is wanted", path, name,
			   elem_name((enum elem_type)t->elem), elem_name(elem));
	else
		diag_error(d, NULL, "'%s' holds another number of %s than the network has: %lld are wanted", path, name,
			   (long long)count);
	tensor_unref(t);
	return NULL;
}

static json_t *read_place(const char *path, struct diags *d)
{
	struct tensor *t = npz_read(path, "place", d);
	json_t *j = t && t->elem == ELEM_UINT8 ? json_loadb(t->data, (size_t)t->count, 0, NULL) : NULL;
	bool ours = json_integer_value(json_object_get(j, "version")) == FORMAT_VERSION;
	if (t && !ours)
		diag_error(d, NULL, "'%s' is no checkpoint that this version can read", path);
	tensor_unref(t);
	if (ours)
		return j;
	json_decref(j);
	return NULL;
}

static double real(const json_t *j, const char *name)
{
	return json_number_value(json_object_get(j, name));
}

/* Whether the number of that name is a whole one from 0 to most. */
static bool counts(const json_t *j, const char *name, int64_t most)
{
	double x = real(j, name);
	return x >= 0 && x <= (double)most && x == floor(x);
}

/* What was said by the file is only believed where training can have come to it. */
static int check_place(const struct trainer *t, const json_t *j, const char *path, struct diags *d)
{
	const int64_t most = (int64_t)1 << 40;
	const char *wrong = !counts(j, "epoch", most)			    ? "epoch"
			    : !counts(j, "at", t->n_train - 1)		    ? "at"
			    : (int64_t)real(j, "at") % t->net->batch	    ? "at"
			    : !counts(j, "step", most)			    ? "step"
			    : !counts(j, "right", t->n_train)		    ? "right"
			    : !counts(j, "best", (int64_t)real(j, "epoch")) ? "best"
									    : NULL;
	if (!wrong)
		return 0;
	return diag_error(d, NULL, "'%s' says %s %g, where training on these rows never is", path, wrong,
			  real(j, wrong));
}

static void take_place(struct trainer *t, const json_t *j)
{
	t->epoch = (int64_t)real(j, "epoch");
	t->at = (int64_t)real(j, "at");
	t->net->step = (uint64_t)real(j, "step");
	t->loss = real(j, "loss");
	t->weight = real(j, "weight");
	t->right = (int64_t)real(j, "right");
	t->strength = real(j, "strength");
	t->seconds = real(j, "seconds");
	t->best = (int64_t)real(j, "best");
}

static int take_moved(struct net *n, const char *path, const char *name,
		      int64_t (*move_all)(const struct net *n, struct pieces *p), struct diags *d)
{
	struct tensor *x = numbers_of(path, name, ELEM_FLOAT, move_all(n, NULL), d);
	if (!x)
		return -1;
	move_all(n, &(struct pieces){ x->data, true });
	tensor_unref(x);
	return 0;
}

static int take_numbers(struct trainer *t, const char *path, int64_t epochs, struct diags *d)
{
	int64_t size = (int64_t)state_size(t->net);
	struct tensor *state = numbers_of(path, "state", ELEM_FLOAT, size, d),
		      *best = numbers_of(path, "best", ELEM_FLOAT, size, d),
		      *history = numbers_of(path, "history", ELEM_DOUBLE, epochs * FIGURES, d);
	int status = state && best && history ? 0 : -1;
	if (status == 0) {
		state_load(t->net, state->data);
		memcpy(t->best_state, best->data, (size_t)size * sizeof *t->best_state);
		t->history.count = (size_t)epochs;
		vec_reserve(&t->history, t->history.count + 1);
		memcpy(t->history.items, history->data, t->history.count * sizeof *t->history.items);
	}
	tensor_unref(state);
	tensor_unref(best);
	tensor_unref(history);
	return status;
}

int checkpoint_read(struct trainer *t, const char *path, struct diags *d)
{
	json_t *j = read_place(path, d);
	if (!j || compare(t, json_object_get(j, "identity"), d) < 0 || check_place(t, j, path, d) < 0) {
		json_decref(j);
		return -1;
	}
	if (json_is_true(json_object_get(j, "masks")) && t->options.net.fan_in > 0)
		sparse_prune(t->net, t->options.net.fan_in, 0); /* makes the masks; what they hold follows */
	int status = take_numbers(t, path, (int64_t)real(j, "epoch"), d);
	if (status == 0)
		status = take_moved(t->net, path, "moments", move_moments, d);
	if (status == 0)
		status = take_moved(t->net, path, "masks", move_masks, d);
	if (status == 0)
		take_place(t, j);
	json_decref(j);
	return status;
}

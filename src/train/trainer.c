/* The training loop (see trainer.h). */
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/loss.h"
#include "train/random.h"
#include "train/sparse.h"
#include "util/limits.h"

/* ---- the state ---- */

/* Calls with each piece of numbers of the state. */
static void each_piece(const struct net *n, void (*call)(void *user, float *numbers, int64_t count), void *user)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct layer *l = &n->layers[i];
		for (int k = 0; k < l->n_params; k++)
			call(user, l->params[k].value, l->params[k].count);
		for (int k = 0; k < l->n_buffers; k++)
			call(user, l->buffers[k].value, l->buffers[k].count);
	}
}

static void add_size(void *user, float *numbers, int64_t count)
{
	(void)numbers;
	*(size_t *)user += (size_t)count;
}

static void copy_out(void *user, float *numbers, int64_t count)
{
	float **to = user;
	memcpy(*to, numbers, (size_t)count * sizeof(float));
	*to += count;
}

static void copy_in(void *user, float *numbers, int64_t count)
{
	const float **from = user;
	memcpy(numbers, *from, (size_t)count * sizeof(float));
	*from += count;
}

size_t state_size(const struct net *n)
{
	size_t size = 0;
	each_piece(n, add_size, &size);
	return size;
}

void state_save(const struct net *n, float *to)
{
	each_piece(n, copy_out, &to);
}

void state_load(struct net *n, const float *from)
{
	each_piece(n, copy_in, &from);
}

/* ---- setting up ---- */

static int check_labels(const struct trainer *t, const struct dataset *s, const char *which, struct diags *d)
{
	int64_t outputs = net_last(t->net)->out.count, classes = outputs == 1 ? 2 : outputs;
	if (net_last(t->net)->out.rank != 1)
		return diag_error(d, "end with flatten and linear(classes)", "the network's output is an image");
	if (!s->labels)
		return diag_error(d, "add an array label", "the %s rows have no labels", which);
	if (s->classes > classes)
		return diag_error(d, "give the network an output for each class",
				  "the %s rows have labels up to %d, but the network knows %lld classes", which,
				  s->classes - 1, (long long)classes);
	if (s->row != t->net->in.count)
		return diag_error(d, NULL, "a %s row has %lld elements, but the network has %lld inputs", which,
				  (long long)s->row, (long long)t->net->in.count);
	return 0;
}

/* Fisher and Yates's shuffle. */
static void shuffle(int64_t *list, int64_t n, uint64_t key)
{
	for (int64_t i = n - 1; i > 0; i--) {
		int64_t k = (int64_t)(random_at(key, (uint64_t)i) % (uint64_t)(i + 1)), x = list[i];
		list[i] = list[k];
		list[k] = x;
	}
}

static int64_t *numbered(int64_t n)
{
	int64_t *list = xcalloc((size_t)n + 1, sizeof *list);
	for (int64_t i = 0; i < n; i++)
		list[i] = i;
	return list;
}

static int split_rows(struct trainer *t, const struct dataset *train, const struct dataset *val, struct diags *d)
{
	t->train_rows = numbered(train->rows);
	t->n_train = train->rows;
	if (val) {
		t->val_rows = numbered(val->rows);
		t->n_val = val->rows;
		return 0;
	}
	t->n_val = (int64_t)floor(t->options.val_share * (double)train->rows + 0.5);
	if (t->n_val >= train->rows)
		return diag_error(d, NULL, "no rows are left to train on");
	shuffle(t->train_rows, train->rows, random_key(t->options.net.seed, RANDOM_SPLIT, 0));
	t->n_train = train->rows - t->n_val;
	t->val_rows = xcalloc((size_t)t->n_val + 1, sizeof *t->val_rows);
	memcpy(t->val_rows, t->train_rows + t->n_train, (size_t)t->n_val * sizeof *t->val_rows);
	return 0;
}

static int64_t classes_of(const struct trainer *t)
{
	int64_t outputs = net_last(t->net)->out.count;
	return outputs == 1 ? 2 : outputs;
}

/* As often as each class is there, the less it weighs: rows / (classes * rows of the class). */
static void balance(struct trainer *t)
{
	int64_t n = classes_of(t);
	const int32_t *labels = t->train.set->labels;
	int64_t *counts = xcalloc((size_t)n, sizeof *counts);
	for (int64_t i = 0; i < t->n_train; i++)
		counts[labels[t->train_rows[i]]]++;
	for (int64_t c = 0; c < n; c++)
		t->class_weights[c] = counts[c] ? (float)t->n_train / (float)(n * counts[c]) : 0;
	free(counts);
}

static int take_class_weights(struct trainer *t, struct diags *d)
{
	const char *p = t->options.class_weights;
	int64_t n = classes_of(t);
	if (!p)
		return 0;
	t->class_weights = xcalloc((size_t)n, sizeof *t->class_weights);
	if (!strcmp(p, "balanced")) {
		balance(t);
		return 0;
	}
	for (int64_t c = 0; c < n; c++) {
		char *end;
		t->class_weights[c] = strtof(p, &end);
		if (end == p || !(t->class_weights[c] >= 0) || *end != (c + 1 < n ? ',' : '\0'))
			return diag_error(d, "write balanced, or a weight for each class: 1,2.5",
					  "'%s' is no list of %lld weights", t->options.class_weights, (long long)n);
		p = end + 1;
	}
	return 0;
}

static struct shape row_shape(const struct dataset *s)
{
	return shape_of(s->x->rank - 1, s->x->dims + 1);
}

static int build(struct trainer *t, const struct dataset *train, const struct dataset *val, struct diags *d)
{
	struct shape in = row_shape(train);
	if (in.rank > 3)
		return diag_error(d, NULL,
				  "a row has %d dimensions; vectors and images (channels, height, width) are known",
				  in.rank);
	if (in.rank == 2) /* images of one channel */
		in = shape_of(3, (int64_t[]){ 1, in.dims[0], in.dims[1] });
	int64_t batch = t->options.batch < t->n_train ? t->options.batch : t->n_train;
	t->net = net_new(t->options.arch, &in, train->binary && (!val || val->binary), batch, &t->options.net, d);
	if (!t->net || check_labels(t, train, "training", d) < 0 || (val && check_labels(t, val, "validation", d) < 0))
		return -1;
	net_initialise(t->net);
	rows_init(&t->train, train, t->net->bits);
	t->own_val = val != NULL;
	if (val)
		rows_init(&t->val, val, t->net->bits);
	else
		t->val = t->train;
	return take_class_weights(t, d);
}

/* The output starts with the logarithm of each class's share: the first steps need not find it. */
static void set_output_bias(struct trainer *t)
{
	struct layer *l = net_last(t->net);
	int64_t n = classes_of(t);
	if (l->type != &layer_linear || t->options.plain_bias)
		return;
	double *share = xcalloc((size_t)n, sizeof *share);
	for (int64_t i = 0; i < t->n_train; i++) {
		int32_t label = t->train.set->labels[t->train_rows[i]];
		share[label] += t->class_weights ? (double)t->class_weights[label] : 1;
	}
	for (int64_t c = 0; c < n; c++)
		share[c] = log(share[c] + 1);
	for (int64_t c = 0; c < l->out.count; c++)
		l->params[1].value[c] += (float)(l->out.count == 1 ? share[1] - share[0] : share[c] - share[0]);
	free(share);
}

int trainer_init(struct trainer *t, const struct train_options *o, const struct dataset *train,
		 const struct dataset *val, struct diags *d)
{
	*t = (struct trainer){ .options = *o };
	if (split_rows(t, train, val, d) < 0 || build(t, train, val, d) < 0)
		return -1;
	set_output_bias(t);
	t->train_sum = checkpoint_sum(train);
	t->val_sum = val ? checkpoint_sum(val) : 0;
	t->order = xcalloc((size_t)t->n_train, sizeof *t->order);
	t->best_state = xcalloc(state_size(t->net), sizeof *t->best_state);
	t->sums = xcalloc((size_t)t->net->parts, sizeof *t->sums);
	t->shares = xcalloc((size_t)t->net->parts, sizeof *t->shares);
	t->rights = xcalloc((size_t)t->net->parts, sizeof *t->rights);
	return 0;
}

void trainer_free(struct trainer *t)
{
	rows_free(&t->train);
	if (t->own_val)
		rows_free(&t->val);
	net_free(t->net);
	free(t->order);
	free(t->train_rows);
	free(t->val_rows);
	free(t->class_weights);
	free(t->best_state);
	free(t->sums);
	free(t->shares);
	free(t->rights);
	vec_free(&t->history);
}

/* ---- batches ---- */

struct totals {
	double loss, weight;
	int64_t right;
};

static void run_batch(struct trainer *t, const struct rows *rows, const int64_t *order, int64_t count, bool training,
		      struct totals *sum)
{
	struct loss loss = { .weights = t->class_weights,
			     .scale = 1,
			     .gradients = training,
			     .sums = t->sums,
			     .shares = t->shares,
			     .right = t->rights };
	const struct tail tail = { loss_of_part, &loss };
	double weight = loss_weight(t->class_weights, rows->set->labels, order, count);
	loss.scale = weight > 0 ? 1 / weight : 0;
	net_forward(t->net, rows, order, count, training, &tail);
	for (int64_t p = 0; p < net_parts_of(t->net); p++) {
		sum->loss += t->sums[p];
		sum->weight += t->shares[p];
		sum->right += t->rights[p];
	}
}

void trainer_judge(struct trainer *t, const struct rows *rows, const int64_t *which, int64_t count, double *loss,
		   double *accuracy)
{
	struct totals sum = { 0 };
	for (int64_t i = 0; i < count; i += t->net->batch) {
		int64_t n = count - i < t->net->batch ? count - i : t->net->batch;
		run_batch(t, rows, which + i, n, false, &sum);
	}
	*loss = sum.loss / sum.weight;
	*accuracy = (double)sum.right / (double)count;
}

static double time_of(const struct trainer *t)
{
	return (double)t->epoch + (double)t->at / (double)t->n_train;
}

static double rate_now(const struct trainer *t)
{
	const struct train_options *o = &t->options;
	double at = time_of(t);
	if (o->schedule.warm_up > 0) /* the first step is one, too */
		at += (double)t->net->batch / (double)t->n_train;
	return o->optimiser.rate * schedule_factor(&o->schedule, at, (double)o->epochs);
}

/* Weights are pruned four times in each epoch, until the share of epochs for pruning is over. */
static void prune(struct trainer *t)
{
	const struct train_options *o = &t->options;
	int64_t batches = (t->n_train + t->net->batch - 1) / t->net->batch, quarter = batches / 4 > 1 ? batches / 4 : 1;
	double progress = time_of(t) / (o->prune_end * (double)o->epochs);
	if (o->net.fan_in > 0 && t->at / t->net->batch % quarter == 0)
		sparse_prune(t->net, o->net.fan_in, progress);
}

/* The cost's strength is raised until the estimate fits the budget. */
static void add_cost(struct trainer *t)
{
	if (t->options.lut_budget <= 0)
		return;
	bool over = sparse_luts(t->net) > t->options.lut_budget;
	t->strength = t->strength > 0 ? t->strength * (over ? 1.05 : 0.95) : 1e-7;
	sparse_add_cost(t->net, t->strength);
}

static void train_batch(struct trainer *t)
{
	struct totals sum = { 0 };
	int64_t n = t->n_train - t->at < t->net->batch ? t->n_train - t->at : t->net->batch;
	prune(t);
	run_batch(t, &t->train, t->order + t->at, n, true, &sum);
	net_backward(t->net);
	add_cost(t);
	optimiser_step(&t->options.optimiser, t->net, rate_now(t), ++t->net->step);
	t->loss += sum.loss;
	t->weight += sum.weight;
	t->right += sum.right;
	t->at += n;
}

static bool is_better(const struct trainer *t, const struct epoch_figures *a, const struct epoch_figures *b)
{
	if (!t->options.best_by_loss && a->val_accuracy != b->val_accuracy)
		return a->val_accuracy > b->val_accuracy;
	return a->val_loss < b->val_loss;
}

/* A state that is pruned less than asked for, or costs more, is no candidate. */
static bool is_candidate(const struct trainer *t)
{
	const struct train_options *o = &t->options;
	if (o->net.fan_in > 0 && !sparse_keeps(t->net, o->net.fan_in))
		return false;
	return o->lut_budget <= 0 || sparse_luts(t->net) <= o->lut_budget;
}

static void end_epoch(struct trainer *t, double started)
{
	struct epoch_figures f = { .train_loss = t->loss / t->weight,
				   .train_accuracy = (double)t->right / (double)t->n_train,
				   .val_loss = NAN,
				   .val_accuracy = NAN,
				   .rate = rate_now(t) };
	if (t->options.net.fan_in > 0 && t->epoch + 1 == t->options.epochs) /* however few steps there were */
		sparse_prune(t->net, t->options.net.fan_in, 1);
	if (t->n_val)
		trainer_judge(t, &t->val, t->val_rows, t->n_val, &f.val_loss, &f.val_accuracy);
	t->epoch++;
	f.seconds = seconds_now() - started;
	t->seconds += f.seconds;
	vec_push(&t->history, f);
	if (t->n_val && is_candidate(t) && (!t->best || is_better(t, &f, &t->history.items[t->best - 1]))) {
		t->best = t->epoch;
		state_save(t->net, t->best_state);
	}
	t->at = 0;
	t->loss = t->weight = 0;
	t->right = 0;
}

int trainer_epoch(struct trainer *t, bool (*stop)(void *user), void (*progress)(void *user, double share), void *user)
{
	double started = seconds_now();
	memcpy(t->order, t->train_rows, (size_t)t->n_train * sizeof *t->order);
	shuffle(t->order, t->n_train, random_key(t->options.net.seed, RANDOM_ORDER, (uint64_t)t->epoch));
	while (t->at < t->n_train) {
		train_batch(t);
		if (progress)
			progress(user, (double)t->at / (double)t->n_train);
		if (t->at < t->n_train && stop && stop(user)) {
			t->seconds += seconds_now() - started;
			return 0;
		}
	}
	end_epoch(t, started);
	return 1;
}

bool trainer_done(const struct trainer *t)
{
	if (t->epoch >= t->options.epochs)
		return true;
	return t->options.patience > 0 && t->best && t->epoch - t->best >= t->options.patience;
}

void trainer_take_best(struct trainer *t)
{
	if (t->best)
		state_load(t->net, t->best_state);
	net_settle(t->net);
}

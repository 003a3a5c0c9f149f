/* Checkpoints that training never wrote: each is refused, and says why. */
#include "unit/test.h"

#include "ir/npy.h"
#include "train/trainer.h"

static const char path[] = "test_checkpoint.npz", changed[] = "test_checkpoint_changed.npz";

/* A training of one epoch over four rows. */
struct training {
	struct dataset rows;
	struct trainer trainer;
};

static void start(struct training *x)
{
	if (strstr(QCC_WITHOUT, " zip"))
		skip(); /* checkpoints are .npz archives, which libzip reads */
	static const uint8_t bits[] = { 0, 1, 1, 0, 1, 1, 0, 0 };
	const int64_t dims[] = { 4, 2 };
	struct diags d = { 0 };
	const struct train_options o = {
		.arch = "mlp(2,2,1)",
		.net = { .weights = { BITS_INTEGER, 2 },
			 .acts = { BITS_INTEGER, 2 },
			 .collect = 2,
			 .percentile = 99,
			 .threads = 1 },
		.optimiser = { .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8 },
		.schedule_text = "constant",
		.epochs = 9,
		.batch = 2,
	};
	x->rows = (struct dataset){
		.x = tensor_new(ELEM_UINT8, 2, dims), .rows = 4, .row = 2, .classes = 2, .binary = true
	};
	memcpy(x->rows.x->data, bits, sizeof bits);
	x->rows.labels = xcalloc(4, sizeof *x->rows.labels);
	x->rows.labels[1] = 1;
	assert_int_equal(trainer_init(&x->trainer, &o, &x->rows, NULL, &d), 0);
}

static void stop(struct training *x)
{
	trainer_free(&x->trainer);
	dataset_free(&x->rows);
}

/* Writes a checkpoint, and another that differs from it in one array. */
static void write_changed(const char *name, struct tensor *array)
{
	static const char *const names[] = { "place", "state", "best", "moments", "masks", "history" };
	struct training x;
	struct diags d = { 0 };
	start(&x);
	trainer_epoch(&x.trainer, NULL, NULL, NULL);
	assert_int_equal(checkpoint_write(&x.trainer, path, &d), 0);
	struct npz_out *z = npz_create(changed, &d);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct tensor *t = strcmp(names[i], name) ? npz_read(path, names[i], &d) : tensor_ref(array);
		npz_add(z, names[i], t);
		tensor_unref(t);
	}
	assert_int_equal(npz_commit(z, &d), 0);
	tensor_unref(array);
	stop(&x);
}

static void assert_refused(const char *cause)
{
	struct training x;
	struct diags d = { 0 };
	start(&x);
	assert_int_equal(checkpoint_read(&x.trainer, changed, &d), -1);
	assert_said(&d, cause);
	stop(&x);
	remove(path);
	remove(changed);
}

/* The array of that name with another type of elements. */
static void retyped(const char *name, enum elem_type elem, const char *cause)
{
	struct diags d = { 0 };
	write_changed("", NULL);
	struct tensor *t = npz_read(path, name, &d), *other = tensor_cast(t, elem);
	tensor_unref(t);
	write_changed(name, other);
	assert_refused(cause);
}

/* The place with `from` in it replaced. */
static void misplaced(const char *from, const char *to, const char *cause)
{
	struct diags d = { 0 };
	struct strbuf text = { 0 };
	write_changed("", NULL);
	struct tensor *t = npz_read(path, "place", &d);
	strbuf_add(&text, t->data, (size_t)t->count);
	char *at = strstr(text.text, from);
	assert_non_null(at);
	struct strbuf other = { 0 };
	strbuf_printf(&other, "%.*s%s%s", (int)(at - text.text), text.text, to, at + strlen(from));
	const int64_t size = (int64_t)other.length;
	struct tensor *array = tensor_new(ELEM_UINT8, 1, &size);
	memcpy(array->data, other.text, other.length);
	strbuf_free(&text);
	strbuf_free(&other);
	tensor_unref(t);
	write_changed("place", array);
	assert_refused(cause);
}

static void types(void **state)
{
	(void)state;
	retyped("state", ELEM_UINT8, "state of type uint8");
	retyped("moments", ELEM_INT8, "moments of type int8");
	retyped("history", ELEM_FLOAT, "history of type float");
}

static void places(void **state)
{
	(void)state;
	misplaced("\"at\": 0", "\"at\": -2", "says at -2");
	misplaced("\"at\": 0", "\"at\": 1", "says at 1");
	misplaced("\"at\": 0", "\"at\": 4000", "says at 4000");
	misplaced("\"best\": 0", "\"best\": 7", "says best 7");
	misplaced("\"epoch\": 1", "\"epoch\": 1e300", "says epoch 1e+300");
	misplaced("\"epoch\": 1", "\"epoch\": 2", "another number of history");
	misplaced("\"version\": 1", "\"version\": 9", "no checkpoint that this version can read");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(types), cmocka_unit_test(places) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

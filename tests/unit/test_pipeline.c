/* Pass lists, options, nearest names, the tables. */
#include "test.h"

#include "backends/backend.h"
#include "ops/op.h"
#include "util/options.h"
#include "util/limits.h"
#include "util/nearest.h"

static const struct pass_option options[] = {
	{ "fps", OPTION_INT, "100", "" },  { "scale", OPTION_REAL, NULL, "" },
	{ "fast", OPTION_FLAG, NULL, "" }, { "mode", OPTION_STRING, "auto", "" },
	{ NULL, 0, NULL, NULL },
};

static int parse(struct arena *a, const char *text, struct spec **specs, size_t *count, struct diags *d)
{
	arena_init(a);
	return spec_parse(a, text, "pass", specs, count, d);
}

static void lists(void **state)
{
	(void)state;
	struct arena a;
	struct diags d = { 0 };
	struct spec *s;
	size_t count;
	assert_int_equal(parse(&a, " a , b-c( x = 3 , flag,t=FIXED<8,3>, q='a,b)' ),d()", &s, &count, &d), 0);
	assert_int_equal(count, 3);
	assert_string_equal(s[1].name, "b-c");
	assert_int_equal(s[1].n_args, 4);
	assert_string_equal(s[1].args[0].text, "3");
	assert_string_equal(s[1].args[1].text, "");
	assert_string_equal(s[1].args[2].text, "FIXED<8,3>");
	assert_string_equal(s[1].args[3].text, "a,b)");
	assert_int_equal(s[2].n_args, 0);
	arena_free(&a);
	assert_int_equal(parse(&a, "", &s, &count, &d), 0);
	assert_int_equal(count, 0);
	arena_free(&a);
}

static void malformed(void **state)
{
	(void)state;
	static const char *const texts[] = { "a,",    ",a", "a b",   "a(",	"a(x", "a(x=",	 "a(x=)",
					     "a(x=1", "a)", "a(=1)", "a('x=1)", "(",   "a(x y)", "a(x=1)b" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena a;
		struct diags d = { 0 };
		struct spec *s;
		size_t count;
		assert_int_equal(parse(&a, texts[i], &s, &count, &d), -1);
		assert_int_equal(d.errors, 1);
		diags_free(&d);
		arena_free(&a);
	}
}

static void checked(const char *text, const char *complaint)
{
	struct arena a;
	struct diags d = { 0 };
	struct spec *s;
	size_t count;
	assert_int_equal(parse(&a, text, &s, &count, &d), 0);
	assert_int_equal(options_check(options, "pass", s, &d), complaint ? -1 : 0);
	if (complaint)
		assert_said(&d, complaint);
	arena_free(&a);
}

static void option_types(void **state)
{
	(void)state;
	checked("p(fps=1000000,scale=1.5e6,fast,mode=x)", NULL);
	checked("p(fps=1e6,fast=no)", NULL);
	checked("p(fps=-3)", NULL);
	checked("p(fps=1.5)", "'1.5'");
	checked("p(fps=99999999999999999999)", "an integer");
	checked("p(fps)", "needs a value");
	checked("p(scale=1x)", "a number");
	checked("p(scale=nan)", "a number");
	checked("p(fast=maybe)", "a flag");
	checked("p(fsp=1)", "did you mean 'fps'?");
	checked("p(fps=1,fps=2)", "twice");
}

static void option_values(void **state)
{
	(void)state;
	const struct pass_arg args[] = { { "fps", "1e6" }, { "fast", "" } };
	assert_int_equal(option_int(option_text(options, args, 2, "fps")), 1000000);
	assert_true(option_flag(option_text(options, args, 2, "fast")));
	assert_string_equal(option_text(options, args, 2, "mode"), "auto");
	assert_null(option_text(options, args, 2, "scale"));
	assert_false(option_flag(NULL));
}

static void nearest(void **state)
{
	(void)state;
	struct nearest n = { .word = "strealine" };
	nearest_consider(&n, "fold");
	nearest_consider(&n, "streamline");
	assert_string_equal(nearest_name(&n), "streamline");
	struct nearest far = { .word = "banana" };
	nearest_consider(&far, "fold");
	assert_null(nearest_name(&far));
}

static void tables(void **state)
{
	(void)state;
	const char *none;
	for (size_t i = 1; i < pass_table_size; i++)
		assert_true(strcmp(pass_table[i - 1]->name, pass_table[i]->name) < 0);
	for (size_t i = 1; i < pass_aliases_size; i++)
		assert_true(strcmp(pass_aliases[i - 1].alias, pass_aliases[i].alias) < 0);
	for (size_t i = 1; i < backend_table_size; i++)
		assert_true(strcmp(backend_table[i - 1]->name, backend_table[i]->name) < 0);
	for (size_t i = 1; i < op_table_size; i++) {
		int order = strcmp(op_table[i - 1]->name, op_table[i]->name);
		assert_true(order < 0 || (order == 0 && strcmp(op_table[i - 1]->domain, op_table[i]->domain) < 0));
	}
	for (size_t i = 0; i < pass_table_size; i++) {
		assert_non_null(pass_table[i]->summary);
		assert_non_null(pass_table[i]->run);
	}
	for (size_t i = 0; i < pass_aliases_size; i++)
		assert_non_null(pass_find(pass_aliases[i].alias, &none));
}

/* Each alias, with its preset arguments, is a pipeline that prints as one that can be read again. */
static void aliases_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < pass_aliases_size; i++) {
		struct diags d = { 0 };
		struct pipeline p, again;
		assert_int_equal(pipeline_parse(&p, pass_aliases[i].alias, &d), 0);
		char *text = pipeline_print(&p);
		assert_int_equal(pipeline_parse(&again, text, &d), 0);
		assert_ptr_equal(p.steps[0].pass, again.steps[0].pass);
		free(text);
		pipeline_free(&p);
		pipeline_free(&again);
		assert_no_errors(&d);
	}
}

static void unknown_pass(void **state)
{
	(void)state;
	struct diags d = { 0 };
	struct pipeline p;
	assert_int_equal(pipeline_parse(&p, "no-such-pass", &d), -1);
	assert_said(&d, "no-such-pass");
	pipeline_free(&p);
}

/* What a run tells of its loops, in the order in which it begins them. */
struct told {
	char names[64];
	double last;
};

static void take_progress(void *user, const char *what, double done)
{
	struct told *t = user;
	assert_true(done >= 0 && done <= 1);
	if (!strstr(t->names, what) && strlen(t->names) + strlen(what) + 2 < sizeof t->names)
		strcat(strcat(t->names, what), " ");
	t->last = done;
}

static void long_loops_tell_how_far_they_are(void **state)
{
	(void)state;
	struct told told = { .names = "" };
	struct limits limits = { .progress = take_progress, .progress_user = &told };
	struct graph *g = test_graph(
		"g (float[1,4] x) => (y) <float s = {0.5}, float z = {0}, float b = {2}, float[4,4] w = "
		"{1,-1,0,2,-2,1,1,0,0,1,-1,2,1,0,-2,1}, float four = {4}> { q = qonnx.Quant<signed=1,narrow=0,"
		"rounding_mode=\"ROUND\">(x, s, z, four) v = qonnx.Quant<signed=1,narrow=0,rounding_mode=\"ROUND\">"
		"(w, s, z, four) m = MatMul(q, v) y = qonnx.Quant<signed=0,narrow=0,rounding_mode=\"ROUND\">(m, s, z, b) }");
	struct diags d = { .limits = &limits };
	struct pipeline p;
	struct pipeline_options o = { .certify = true };
	json_t *report = json_array();
	assert_int_equal(pipeline_parse(&p, "streamline", &d), 0);
	assert_int_equal(pipeline_run(&p, g, &o, report, &d), 0);
	assert_string_equal(told.names, "fold-constants certify streamline ");
	assert_true(told.last == 1);
	pipeline_free(&p);
	json_decref(report);
	diags_free(&d);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_loops_tell_how_far_they_are),
		cmocka_unit_test(lists),
		cmocka_unit_test(malformed),
		cmocka_unit_test(option_types),
		cmocka_unit_test(option_values),
		cmocka_unit_test(nearest),
		cmocka_unit_test(tables),
		cmocka_unit_test(aliases_resolve),
		cmocka_unit_test(unknown_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names in generated files: identifiers, escapes, UTF-8; and integer division that rounds up. */
#include "test.h"
#include "util/identifier.h"
#include "util/integers.h"

static struct arena arena;

static void identifiers(void **state)
{
	(void)state;
	assert_string_equal(identifier_from(&arena, "conv/1.x", "v"), "conv_1_x");
	assert_string_equal(identifier_from(&arena, "", "v"), "v");
	assert_string_equal(identifier_from(&arena, "3d", "v"), "v3d");
	assert_string_equal(identifier_from(&arena, "int", "v"), "int");
	assert_string_equal(identifier_alone(&arena, "int", "v"), "v_int");
	assert_string_equal(identifier_alone(&arena, "and", "v"), "v_and");
	assert_string_equal(identifier_alone(&arena, "xor_eq", "v"), "v_xor_eq");
	assert_string_equal(identifier_alone(&arena, "BUFSIZ", "v"), "v_BUFSIZ");
	assert_string_equal(identifier_alone(&arena, "__x", "v"), "v___x");
	assert_string_equal(identifier_alone(&arena, "interval", "v"), "interval");
}

static void unique_names(void **state)
{
	(void)state;
	static const char *const suffixes[] = { "_w", NULL };
	struct map taken = { 0 };
	assert_string_equal(identifier_unique(&arena, &taken, "a", suffixes), "a");
	assert_string_equal(identifier_unique(&arena, &taken, "a", suffixes), "a_1");
	assert_string_equal(identifier_unique(&arena, &taken, "a_w", suffixes), "a_w_1");
	assert_string_equal(identifier_unique(&arena, &taken, "b_w", NULL), "b_w");
	assert_string_equal(identifier_unique(&arena, &taken, "b", suffixes), "b_1");
	map_free(&taken);
}

static void escapes(void **state)
{
	(void)state;
	assert_string_equal(c_escaped(&arena, "/fc1/MatMul"), "/fc1/MatMul");
	assert_string_equal(c_escaped(&arena, "*/ x /*"), "*\\057 x /\\052");
	assert_string_equal(c_escaped(&arena, "a\nb\\"), "a\\012b\\\\");
	assert_string_equal(c_escaped(&arena, "?"
					      "?/"),
			    "?\\077/");
	assert_string_equal(c_escaped(&arena, "\""), "\\\"");
	assert_string_equal(c_escaped(&arena, "\xc3\xbc"), "\xc3\xbc");
	assert_string_equal(c_escaped(&arena, "\xc3"), "\\303");
	assert_string_equal(c_escaped(&arena, "\xe2\x80\xae"), "\\342\\200\\256");
}

static void utf8(void **state)
{
	(void)state;
	assert_string_equal(utf8_text(&arena, "a\xc3\xbc\xff"), "a\xc3\xbc?");
	assert_int_equal(utf8_length("\xed\xa0\x80"), 0); /* a surrogate */
	assert_int_equal(utf8_length("\xc0\x80"), 0);	  /* two bytes for what takes one */
	assert_int_equal(utf8_cut("a\xc3\xbc", 2), 1);
	assert_int_equal(utf8_cut("abc", 9), 3);
}

static void division_rounds_up(void **state)
{
	(void)state;
	assert_int_equal(ceil_div(7, 2), 4);
	assert_int_equal(ceil_div(-7, 2), -3);
	assert_int_equal(ceil_div(-8, 2), -4);
	assert_int_equal(ceil_div(INT64_MAX, 2), INT64_MAX / 2 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers), cmocka_unit_test(unique_names),	     cmocka_unit_test(escapes),
		cmocka_unit_test(utf8),	       cmocka_unit_test(division_rounds_up),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}

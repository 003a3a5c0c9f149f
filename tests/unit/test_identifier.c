/* Names in generated files: identifiers, escapes, JSON in pages, UTF-8; base64; and integer division that rounds up. */
#include "test.h"
#include "util/base64.h"
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
	assert_string_equal(identifier_unique(&arena, &taken, "a", suffixes), "a_2");
	identifier_take(&taken, "c");
	identifier_take(&taken, "c_2");
	assert_string_equal(identifier_unique(&arena, &taken, "c", NULL), "c_1");
	assert_string_equal(identifier_unique(&arena, &taken, "c", NULL), "c_3");
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

static const char *quoted(const char *text)
{
	struct strbuf b = { 0 };
	json_quote(&b, text);
	const char *copy = arena_strdup(&arena, b.text);
	strbuf_free(&b);
	return copy;
}

/* No text of a model can end the script element that JSON stands in. */
static void json_in_pages(void **state)
{
	(void)state;
	assert_string_equal(quoted("/fc1/MatMul"), "\"/fc1/MatMul\"");
	assert_string_equal(quoted("</script>&"), "\"\\u003c/script\\u003e\\u0026\"");
	assert_string_equal(quoted("\"\\\n\x7f"), "\"\\u0022\\u005c\\u000a\\u007f\"");
	assert_string_equal(quoted("\xc3\xbc\xff"), "\"\xc3\xbc?\"");
	assert_string_equal(quoted("\xe2\x80\xae\xe2\x80\xa8\xc2\x85"), "\"\\u202e\\u2028\\u0085\"");
	struct strbuf b = { 0 };
	json_in_html(&b, "{\"a\": \"<!--\"}");
	assert_string_equal(b.text, "{\"a\": \"\\u003c!--\"}");
	strbuf_free(&b);
}

/* RFC 4648's own vectors. */
static void base64(void **state)
{
	(void)state;
	const char *const vectors[][2] = { { "", "" },
					   { "f", "Zg==" },
					   { "fo", "Zm8=" },
					   { "foo", "Zm9v" },
					   { "foob", "Zm9vYg==" },
					   { "fooba", "Zm9vYmE=" },
					   { "foobar", "Zm9vYmFy" } };
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct strbuf b = { 0 };
		base64_add(&b, vectors[i][0], strlen(vectors[i][0]));
		assert_string_equal(strbuf_text(&b), vectors[i][1]);
		strbuf_free(&b);
	}
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
		cmocka_unit_test(identifiers),	      cmocka_unit_test(unique_names), cmocka_unit_test(escapes),
		cmocka_unit_test(json_in_pages),      cmocka_unit_test(base64),	      cmocka_unit_test(utf8),
		cmocka_unit_test(division_rounds_up),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}

/* Identifiers from names, and names inside comments, strings and JSON. */
#include "util/identifier.h"

#include <string.h>

#include "util/strbuf.h"

/* ---- identifiers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whatever the locale says. */
static bool is_alphanumeric(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char *identifier_from(struct arena *a, const char *text, const char *lead)
{
	char *name = arena_printf(a, "%s%s", is_digit(*text) || !*text ? lead : "", text);
	for (char *c = name; *c; c++)
		if (!is_alphanumeric(*c))
			*c = '_';
	return name;
}

/* Keywords and alternative tokens of C11, C23 and C++20; macros and types of the standard headers that generated code
 * includes; names of C's headers, which a file of that name would hide; names of kernels; targets of makefiles. Words
 * between spaces. */
static const char reserved[] =
	" BUFSIZ CHAR_BIT CHAR_MAX CHAR_MIN DBL_EPSILON DBL_MAX DBL_MIN EDOM EILSEQ EOF ERANGE EXIT_FAILURE"
	" EXIT_SUCCESS FILE FILENAME_MAX FLT_EPSILON FLT_MAX FLT_MIN FOPEN_MAX FP_INFINITE FP_NAN FP_NORMAL"
	" FP_SUBNORMAL FP_ZERO HUGE_VAL INFINITY INT16_MAX INT16_MIN INT32_MAX INT32_MIN INT64_MAX INT64_MIN INT8_MAX"
	" INT8_MIN INT_MAX INT_MIN LONG_MAX LONG_MIN M_1_PI M_2_PI M_E M_LN10 M_LN2 M_LOG10E M_LOG2E M_PI M_PI_2"
	" M_PI_4 M_SQRT1_2 M_SQRT2 Makefile NAN NDEBUG NULL RAND_MAX SEEK_CUR SEEK_END SEEK_SET SIZE_MAX TMP_MAX"
	" UINT16_MAX UINT32_MAX UINT64_MAX UINT8_MAX UINT_MAX ULONG_MAX _Alignas _Alignof _Atomic _BitInt _Bool"
	" _Complex _Generic _Imaginary _Noreturn _Pragma _Static_assert _Thread_local alignas alignof alloca and"
	" and_eq asm assert auto bitand bitor bool break case catch char char16_t char32_t char8_t check class clean"
	" co_await co_return co_yield compl complex concept const const_cast consteval constexpr constinit continue"
	" ctype decltype default delete do double double_t dynamic_cast else endian enum errno explicit export extern"
	" false fenv float float_t for friend goto if immintrin inline int int16_t int32_t int64_t int8_t intmax_t"
	" intptr_t inttypes isfinite isinf isnan isnormal iso646 limits locale long main math max_align_t mutable"
	" namespace new noexcept noreturn not not_eq nullptr nullptr_t offsetof operator or or_eq private protected"
	" ptrdiff_t public qcc qcc_tiny register reinterpret_cast requires restrict return sched setjmp short signal"
	" signbit signed size_t sizeof ssize_t static static_assert static_cast stdalign stdarg stdatomic stdbool"
	" stddef stderr stdin stdint stdio stdlib stdnoreturn stdout string strings struct switch syslimits template"
	" tgmath this thread_local threads throw time true try typedef typeid typename typeof typeof_unqual uchar"
	" uint16_t uint32_t uint64_t uint8_t uintmax_t uintptr_t union unistd unsigned using virtual void volatile"
	" wchar wchar_t wctype while xlocale xor xor_eq"
	" ";

/* Compilers' headers for vectors are xmmintrin.h, avx2intrin.h, ...; glibc's own is features.h. */
static bool is_reserved(struct arena *a, const char *name)
{
	if (!strncmp(name, "__", 2) || ends_with(name, "intrin") || !strcmp(name, "features") ||
	    !strcmp(name, "mm_malloc"))
		return true;
	return strstr(reserved, arena_printf(a, " %s ", name)) != NULL;
}

char *identifier_alone(struct arena *a, const char *text, const char *lead)
{
	char *name = identifier_from(a, text, lead);
	return is_reserved(a, name) ? arena_printf(a, "%s_%s", lead, name) : name;
}

/* ---- distinct names ---- */

void identifier_take(struct map *taken, const char *name)
{
	map_add(taken, name, (void *)1);
}

/* Whether neither the name, nor the name with a suffix, nor the name without a suffix that it ends with is taken. */
static bool is_free(const struct map *taken, const char *name, const char *const *suffixes, struct strbuf *work)
{
	size_t length = strlen(name);
	bool is_free = !map_has(taken, name);
	for (; is_free && suffixes && *suffixes; suffixes++) {
		size_t n = strlen(*suffixes);
		work->length = 0;
		strbuf_add(work, name, length);
		strbuf_add(work, *suffixes, n);
		is_free = !map_has(taken, work->text);
		if (is_free && n < length && !strcmp(name + length - n, *suffixes)) {
			work->text[length - n] = '\0';
			is_free = !map_has(taken, work->text);
		}
	}
	return is_free;
}

const char *identifier_unique(struct arena *a, struct map *taken, const char *name, const char *const *suffixes)
{
	struct strbuf work = { 0 };
	const char *unique = name;
	uintptr_t next = (uintptr_t)map_get(taken, name); /* the first number that was not tried; 0: the name was not */
	for (uintptr_t i = next ? next : 1; !is_free(taken, unique, suffixes, &work); i++) {
		unique = arena_printf(a, "%s_%ju", name, (uintmax_t)i);
		next = i + 1;
	}
	if (next)
		map_set(taken, name, (void *)next);
	identifier_take(taken, unique);
	strbuf_free(&work);
	return unique;
}

/* ---- text ---- */

/* Table 3-7 of the Unicode standard: which second bytes a first byte allows. */
size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	if (*s < 0x80)
		return *s ? 1 : 0;
	size_t n = *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
	unsigned least = *s == 0xe0 ? 0xa0 : *s == 0xf0 ? 0x90 : 0x80;
	unsigned most = *s == 0xed ? 0x9f : *s == 0xf4 ? 0x8f : 0xbf;
	if (!n || s[1] < least || s[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t utf8_cut(const char *text, size_t n)
{
	size_t length = strlen(text);
	if (length <= n)
		return length;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

const char *utf8_text(struct arena *a, const char *text)
{
	char *copy = NULL;
	for (size_t i = 0; text[i];) {
		size_t n = utf8_length(text + i);
		if (!n && !copy)
			copy = arena_strdup(a, text);
		if (!n)
			copy[i] = '?';
		i += n ? n : 1;
	}
	return copy ? copy : text;
}

/* Characters that are no control characters of ASCII, but end lines or change the order in which text is shown:
 * U+0080..U+009F, U+061C, U+200E, U+200F, U+2028..U+202E, U+2066..U+2069, U+FEFF. */
bool utf8_deceives(const char *s, size_t n)
{
	const unsigned char *c = (const unsigned char *)s;
	if (n == 2)
		return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
	if (n != 3)
		return false;
	if (c[0] == 0xe2 && c[1] == 0x80)
		return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae);
	return (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9) ||
	       (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf);
}

static bool needs_escape(const char *text, size_t i, size_t n)
{
	char c = text[i], before = i ? text[i - 1] : 0;
	if (n != 1)
		return !n || utf8_deceives(text + i, n);
	return (unsigned char)c < 0x20 || c == 0x7f || (before == '*' && c == '/') || (before == '/' && c == '*') ||
	       (before == '?' && c == '?');
}

const char *c_escaped(struct arena *a, const char *text)
{
	struct strbuf b = { 0 };
	for (size_t i = 0; text[i];) {
		size_t n = utf8_length(text + i);
		if (needs_escape(text, i, n)) {
			n = n ? n : 1;
			for (size_t k = i; k < i + n; k++)
				strbuf_printf(&b, "\\%03o", (unsigned)(unsigned char)text[k]);
		} else {
			if (text[i] == '"' || text[i] == '\\')
				strbuf_char(&b, '\\');
			strbuf_add(&b, text + i, n);
		}
		i += n;
	}
	const char *escaped = arena_strdup(a, strbuf_text(&b));
	strbuf_free(&b);
	return escaped;
}

/* ---- JSON inside HTML ---- */

/* A character of the Basic Multilingual Plane as \uXXXX. */
static void add_code(struct strbuf *b, const char *s, size_t n)
{
	const unsigned char *c = (const unsigned char *)s;
	unsigned code = n == 1	 ? c[0]
			: n == 2 ? (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu)
				 : (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
	strbuf_printf(b, "\\u%04x", code);
}

/* What could end the script element, or begin another or a comment in it. */
static bool is_markup(char c)
{
	return c == '<' || c == '>' || c == '&';
}

void json_quote(struct strbuf *b, const char *text)
{
	strbuf_char(b, '"');
	for (size_t i = 0, n; text[i]; i += n ? n : 1) {
		n = utf8_length(text + i);
		if (!n)
			strbuf_char(b, '?');
		else if ((n == 1 && ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || is_markup(text[i]) ||
				     text[i] == '"' || text[i] == '\\')) ||
			 utf8_deceives(text + i, n))
			add_code(b, text + i, n);
		else
			strbuf_add(b, text + i, n);
	}
	strbuf_char(b, '"');
}

void json_in_html(struct strbuf *b, const char *json)
{
	for (size_t i = 0; json[i]; i++)
		if (is_markup(json[i]))
			add_code(b, json + i, 1);
		else
			strbuf_char(b, json[i]);
}

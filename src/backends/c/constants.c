/* Arrays of constants: as C, as bytes of a file, each once. */
#include "backends/c/emit.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static const struct {
	const char *ctype;
	size_t size;
	int per_line;
} array_types[] = {
	[ARRAY_I8] = { "int8_t", 1, 24 },    [ARRAY_U8] = { "uint8_t", 1, 24 },	 [ARRAY_I16] = { "int16_t", 2, 16 },
	[ARRAY_U16] = { "uint16_t", 2, 16 }, [ARRAY_I32] = { "int32_t", 4, 12 }, [ARRAY_U32] = { "uint32_t", 4, 8 },
	[ARRAY_I64] = { "int64_t", 8, 8 },   [ARRAY_U64] = { "uint64_t", 8, 5 }, [ARRAY_F32] = { "float", 4, 8 },
};

const char *array_ctype(enum array_type t)
{
	return array_types[t].ctype;
}

size_t array_size(enum array_type t)
{
	return array_types[t].size;
}

enum array_type array_type_for(int64_t lo, int64_t hi)
{
	static const enum array_type of[] = {
		[PLAN_I8] = ARRAY_I8,	[PLAN_U8] = ARRAY_U8,	[PLAN_I16] = ARRAY_I16, [PLAN_U16] = ARRAY_U16,
		[PLAN_I32] = ARRAY_I32, [PLAN_I64] = ARRAY_I64, [PLAN_F32] = ARRAY_F32
	};
	return of[plan_elem_for(lo, hi)];
}

const char *float_text(struct emit *e, double x)
{
	if (isinf(x) || isnan(x)) {
		e->out->infinity = true;
		return isnan(x) ? "NAN" : x > 0 ? "INFINITY" : "-INFINITY";
	}
	char *text = arena_printf(e->arena, "%.9g", (double)(float)x);
	return arena_printf(e->arena, strpbrk(text, ".e") ? "%sf" : "%s.0f", text);
}

const char *limit_text(struct emit *e, int64_t x)
{
	bool wide = x <= INT32_MIN || x > INT32_MAX;
	if (x == INT64_MIN)
		return "INT64_MIN";
	return arena_printf(e->arena, wide ? "(%lldLL)" : x < 0 ? "(%lld)" : "%lld", LL(x));
}

static void print_element(struct emit *e, enum array_type type, const void *data, size_t i)
{
	struct strbuf *b = &e->constants->definitions;
	switch (type) {
	case ARRAY_I32:
		if (((const int32_t *)data)[i] == INT32_MIN)
			strbuf_puts(b, "INT32_MIN");
		else
			strbuf_int(b, ((const int32_t *)data)[i]);
		break;
	case ARRAY_U32: strbuf_printf(b, "0x%xu", ((const uint32_t *)data)[i]); break;
	case ARRAY_I64: strbuf_printf(b, "%lldLL", (long long)((const int64_t *)data)[i]); break;
	case ARRAY_U64: strbuf_printf(b, "0x%llxull", (unsigned long long)((const uint64_t *)data)[i]); break;
	case ARRAY_F32: strbuf_puts(b, float_text(e, (double)((const float *)data)[i])); break;
	default: break; /* small_lines */
	}
}

/* x in decimal; returns behind it. */
static char *put_int(char *to, int32_t x)
{
	char digits[12];
	size_t n = 0;
	uint32_t rest = x < 0 ? 0 - (uint32_t)x : (uint32_t)x;
	if (x < 0)
		*to++ = '-';
	for (; rest >= 10; rest /= 10)
		digits[n++] = (char)('0' + rest % 10);
	*to++ = (char)('0' + rest);
	while (n)
		*to++ = digits[--n];
	return to;
}

static int32_t small_at(enum array_type type, const void *data, size_t i)
{
	switch (type) {
	case ARRAY_I8: return ((const int8_t *)data)[i];
	case ARRAY_U8: return ((const uint8_t *)data)[i];
	case ARRAY_I16: return ((const int16_t *)data)[i];
	default: return ((const uint16_t *)data)[i];
	}
}

/* Elements of up to 16 bits, as most are, a line at a time: a large network's constants take most of the time. */
static void small_lines(struct emit *e, enum array_type type, const void *data, size_t count)
{
	size_t per = (size_t)array_types[type].per_line;
	for (size_t i = 0; i < count; i += per) {
		char line[256], *to = line; /* 24 of "-128," or 16 of "-32768," */
		*to++ = '\n';
		*to++ = '\t';
		for (size_t k = i; k < count && k < i + per; k++) {
			to = put_int(to, small_at(type, data, k));
			*to++ = ',';
		}
		strbuf_add(&e->constants->definitions, line, (size_t)(to - line));
	}
}

static void array_text(struct emit *e, enum array_type type, const void *data, size_t count, const char *symbol)
{
	bool alone = e->constants->form == WEIGHTS_STATIC;
	if (!alone)
		strbuf_printf(&e->constants->declarations, "extern %s_ALIGNED const %s %s[%zu];\n", e->out->upper,
			      array_ctype(type), symbol, count);
	strbuf_printf(&e->constants->definitions, "\n%s%s const %s %s[%zu] = {", alone ? "static" : e->out->upper,
		      alone ? "" : "_ALIGNED", array_ctype(type), symbol, count);
	bool small = array_size(type) <= 2;
	if (small)
		small_lines(e, type, data, count);
	for (size_t i = 0; i < count && !small; i++) {
		if (i % (size_t)array_types[type].per_line == 0)
			strbuf_puts(&e->constants->definitions, "\n\t");
		print_element(e, type, data, i);
		strbuf_char(&e->constants->definitions, ',');
	}
	strbuf_puts(&e->constants->definitions, "\n};\n");
}

/* The bytes go to a file; each array starts at a multiple of 64. */
static void array_blob(struct emit *e, enum array_type type, const void *data, size_t count, const char *symbol)
{
	while (e->constants->blob.length % 64)
		strbuf_add(&e->constants->blob, "", 1);
	size_t offset = e->constants->blob.length, bytes = count * array_size(type);
	strbuf_add(&e->constants->blob, data, bytes);
	if (e->constants->form == WEIGHTS_INCBIN) {
		strbuf_printf(&e->constants->declarations, "extern const %s %s[%zu];\n", array_ctype(type), symbol,
			      count);
		strbuf_printf(&e->constants->definitions, "INCBIN(%s, %zu, %zu)\n", symbol, offset, bytes);
		return;
	}
	strbuf_printf(&e->constants->declarations, "extern const %s *%s;\t/* %zu elements */\n", array_ctype(type),
		      symbol, count);
	strbuf_printf(&e->constants->definitions, "const %s *%s;\n", array_ctype(type), symbol);
	strbuf_printf(&e->constants->loads, "\t%s = (const %s *)(const void *)(bytes + %zu);\n", symbol,
		      array_ctype(type), offset);
}

/* What is known of a symbol. */
struct array {
	enum array_type type;
	size_t count;
};

static const char *array_emit(struct emit *e, enum array_type type, const void *data, size_t count, const char *suffix)
{
	const char *symbol = arena_printf(e->arena, "%s_%s", e->name, suffix);
	const struct array *before = map_get(&e->constants->arrays, symbol);
	struct array *a = arena_new(e->arena, struct array);
	if (before) { /* kernels that are written out several times share their constants */
		assert(before->type == type && before->count == count);
		return symbol;
	}
	*a = (struct array){ type, count };
	map_set(&e->constants->arrays, symbol, a);
	e->constants->bytes += count * array_size(type);
	if (e->constants->form == WEIGHTS_ARRAY || e->constants->form == WEIGHTS_STATIC)
		array_text(e, type, data, count, symbol);
	else
		array_blob(e, type, data, count, symbol);
	return symbol;
}

static const char *format_suffix(struct emit *e, const char *format, va_list args)
{
	struct strbuf b = { 0 };
	strbuf_vprintf(&b, format, args);
	const char *s = arena_strdup(e->arena, strbuf_text(&b));
	strbuf_free(&b);
	return s;
}

const char *emit_array(struct emit *e, enum array_type type, const void *data, size_t count, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *suffix = format_suffix(e, format, args);
	va_end(args);
	return array_emit(e, type, data, count, suffix);
}

static void narrow(enum array_type type, const int64_t *from, void *to, size_t count)
{
	uint8_t *bytes = to;
	uint16_t *halves = to;
	uint32_t *words = to;
	switch (array_size(type)) {
	case 1:
		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)from[i];
		return;
	case 2:
		for (size_t i = 0; i < count; i++)
			halves[i] = (uint16_t)from[i];
		return;
	case 4:
		for (size_t i = 0; i < count; i++)
			words[i] = (uint32_t)from[i];
		return;
	default: memcpy(to, from, count * sizeof *from);
	}
}

struct line_exceptions gather_exceptions(struct emit *e, const struct requantisation *lines, int64_t n)
{
	struct line_exceptions x = { .first = arena_array(e->arena, int32_t, n + 1) };
	for (int64_t c = 0; c < n; c++)
		x.first[c + 1] = x.first[c] + lines[c].n_exceptions;
	x.x = arena_array(e->arena, int32_t, x.first[n] + 1);
	x.correction = arena_array(e->arena, int32_t, x.first[n] + 1);
	for (int64_t c = 0; c < n; c++)
		for (int k = 0; k < lines[c].n_exceptions; k++, x.count++) {
			x.x[x.count] = (int32_t)lines[c].exceptions[k].x;
			x.correction[x.count] = (int32_t)lines[c].exceptions[k].correction;
		}
	return x;
}

const char *emit_ints(struct emit *e, const int64_t *data, size_t count, const char **ctype, const char *format, ...)
{
	va_list args;
	int64_t lo = 0, hi = 0;
	for (size_t i = 0; i < count; i++) {
		lo = data[i] < lo ? data[i] : lo;
		hi = data[i] > hi ? data[i] : hi;
	}
	enum array_type type = array_type_for(lo, hi);
	void *bytes = arena_alloc(e->arena, count * array_size(type));
	narrow(type, data, bytes, count);
	va_start(args, format);
	const char *suffix = format_suffix(e, format, args);
	va_end(args);
	if (ctype)
		*ctype = array_ctype(type);
	return array_emit(e, type, bytes, count, suffix);
}

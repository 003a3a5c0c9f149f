/* QONNX datatypes: names, ranges, membership. */
#include "ir/datatype.h"
#include "util/integers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct datatype datatype_of_kind(enum datatype_kind kind)
{
	return (struct datatype){ .kind = (uint8_t)kind };
}

struct datatype datatype_int(int bits)
{
	return (struct datatype){ .kind = DT_INT, .bits = (uint8_t)bits };
}

struct datatype datatype_uint(int bits)
{
	return (struct datatype){ .kind = DT_UINT, .bits = (uint8_t)bits };
}

static const struct {
	const char *name;
	enum datatype_kind kind;
} plain_names[] = {
	{ "BINARY", DT_BINARY },   { "BIPOLAR", DT_BIPOLAR }, { "TERNARY", DT_TERNARY },
	{ "FLOAT16", DT_FLOAT16 }, { "FLOAT32", DT_FLOAT32 },
};
enum { N_PLAIN_NAMES = sizeof plain_names / sizeof *plain_names };

/* One decimal number in lo..hi, moving *s past it. */
static bool parse_number(const char **s, long lo, long hi, long *out)
{
	char *end;
	long n = strtol(*s, &end, 10);
	if (end == *s || n < lo || n > hi)
		return false;
	*s = end;
	*out = n;
	return true;
}

static bool skip(const char **s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (strncmp(*s, prefix, n) != 0)
		return false;
	*s += n;
	return true;
}

/* What follows "FIXED<", "SCALEDINT<" or "FLOAT<". */
static bool parse_parameters(enum datatype_kind kind, const char *s, struct datatype *out)
{
	long a, b = 0, c = 0;
	struct datatype t = { .kind = (uint8_t)kind };
	if (!parse_number(&s, 0, 64, &a))
		return false;
	if (kind != DT_SCALEDINT && (!skip(&s, ",") || !parse_number(&s, -128, 127, &b)))
		return false;
	if (kind == DT_FLOAT && skip(&s, ","))
		if (!parse_number(&s, -1000000, 1000000, &c))
			return false;
	if (strcmp(s, ">") != 0)
		return false;
	if (kind == DT_FLOAT) {
		t.whole = (int8_t)a;
		t.mantissa = (uint8_t)b;
		t.bias = (int32_t)(c ? c : (a > 0 ? (1L << (a - 1)) - 1 : 0));
	} else {
		t.bits = (uint8_t)a;
		t.whole = (int8_t)b;
	}
	*out = t;
	return true;
}

bool datatype_parse(const char *text, struct datatype *out)
{
	const char *s = text;
	for (size_t i = 0; i < N_PLAIN_NAMES; i++)
		if (strcmp(text, plain_names[i].name) == 0) {
			*out = datatype_of_kind(plain_names[i].kind);
			return true;
		}
	if (skip(&s, "FIXED<"))
		return parse_parameters(DT_FIXED, s, out);
	if (skip(&s, "SCALEDINT<"))
		return parse_parameters(DT_SCALEDINT, s, out);
	if (skip(&s, "FLOAT<"))
		return parse_parameters(DT_FLOAT, s, out);
	bool is_unsigned = skip(&s, "UINT");
	long bits;
	if ((!is_unsigned && !skip(&s, "INT")) || !parse_number(&s, 1, 64, &bits) || *s)
		return false;
	*out = is_unsigned ? datatype_uint((int)bits) : datatype_int((int)bits);
	return true;
}

const char *datatype_name(struct datatype t, char buffer[DATATYPE_NAME_SIZE])
{
	const size_t n = DATATYPE_NAME_SIZE;
	switch ((enum datatype_kind)t.kind) {
	case DT_UINT: snprintf(buffer, n, "UINT%d", t.bits); return buffer;
	case DT_INT: snprintf(buffer, n, "INT%d", t.bits); return buffer;
	case DT_FIXED: snprintf(buffer, n, "FIXED<%d,%d>", t.bits, t.whole); return buffer;
	case DT_SCALEDINT: snprintf(buffer, n, "SCALEDINT<%d>", t.bits); return buffer;
	case DT_FLOAT: snprintf(buffer, n, "FLOAT<%d,%d,%d>", t.whole, t.mantissa, (int)t.bias); return buffer;
	default:
		for (size_t i = 0; i < N_PLAIN_NAMES; i++)
			if (plain_names[i].kind == t.kind)
				return strcpy(buffer, plain_names[i].name);
		return strcpy(buffer, "FLOAT32");
	}
}

bool datatype_equal(struct datatype a, struct datatype b)
{
	if (a.kind == DT_NONE)
		a.kind = DT_FLOAT32;
	if (b.kind == DT_NONE)
		b.kind = DT_FLOAT32;
	return a.kind == b.kind && a.bits == b.bits && a.whole == b.whole && a.mantissa == b.mantissa &&
	       a.bias == b.bias;
}

bool datatype_is_integer(struct datatype t)
{
	return t.kind >= DT_BINARY && t.kind <= DT_INT;
}

bool datatype_is_signed(struct datatype t)
{
	return t.kind != DT_BINARY && t.kind != DT_UINT;
}

int datatype_bits(struct datatype t)
{
	switch ((enum datatype_kind)t.kind) {
	case DT_BINARY:
	case DT_BIPOLAR: return 1;
	case DT_TERNARY: return 2;
	case DT_UINT:
	case DT_INT:
	case DT_FIXED:
	case DT_SCALEDINT: return t.bits;
	case DT_FLOAT16: return 16;
	case DT_FLOAT: return 1 + t.whole + t.mantissa;
	default: return 32;
	}
}

/* Largest FLOAT<e,m,bias>: all exponents are finite numbers, as in qonnx. */
static double float_max(struct datatype t)
{
	double exponent = ldexp(1.0, t.whole) - 1 - t.bias;
	return (2.0 - ldexp(1.0, -t.mantissa)) * exp2(exponent);
}

double datatype_max(struct datatype t)
{
	switch ((enum datatype_kind)t.kind) {
	case DT_BINARY:
	case DT_BIPOLAR:
	case DT_TERNARY: return 1;
	case DT_UINT: return ldexp(1.0, t.bits) - 1;
	case DT_INT:
	case DT_SCALEDINT: return ldexp(1.0, t.bits - 1) - 1;
	case DT_FIXED: return ldexp(ldexp(1.0, t.bits - 1) - 1, t.whole - t.bits);
	case DT_FLOAT16: return 65504;
	case DT_FLOAT: return float_max(t);
	default: return 3.40282346638528859812e38;
	}
}

double datatype_min(struct datatype t)
{
	switch ((enum datatype_kind)t.kind) {
	case DT_BINARY:
	case DT_UINT: return 0;
	case DT_BIPOLAR:
	case DT_TERNARY: return -1;
	case DT_INT:
	case DT_SCALEDINT: return -ldexp(1.0, t.bits - 1);
	case DT_FIXED: return -ldexp(1.0, t.whole - 1);
	default: return -datatype_max(t);
	}
}

bool datatype_allows(struct datatype t, double x)
{
	if (t.kind == DT_BIPOLAR)
		return x == -1 || x == 1;
	if (datatype_is_integer(t) || t.kind == DT_SCALEDINT)
		return x == rint(x) && x >= datatype_min(t) && x <= datatype_max(t);
	if (t.kind == DT_FIXED) {
		double scaled = ldexp(x, t.bits - t.whole);
		return scaled == rint(scaled) && x >= datatype_min(t) && x <= datatype_max(t);
	}
	return true;
}

int64_t datatype_int_min(struct datatype t)
{
	if (!datatype_is_integer(t) || (t.kind == DT_INT && t.bits >= 64))
		return INT64_MIN;
	return t.kind == DT_INT ? -((int64_t)1 << (t.bits - 1)) : (int64_t)datatype_min(t);
}

int64_t datatype_int_max(struct datatype t)
{
	if (!datatype_is_integer(t) || datatype_bits(t) >= 63 + (t.kind == DT_INT))
		return INT64_MAX;
	if (t.kind == DT_UINT)
		return ((int64_t)1 << t.bits) - 1;
	return t.kind == DT_INT ? ((int64_t)1 << (t.bits - 1)) - 1 : 1;
}

struct datatype datatype_for_range(int64_t lo, int64_t hi)
{
	int bits = 1;
	if (lo >= 0) {
		while (bits < 63 && hi > ((int64_t)1 << bits) - 1)
			bits++;
		return datatype_uint(bits);
	}
	while (bits < 64 && (lo < -((int64_t)1 << (bits - 1)) || hi > ((int64_t)1 << (bits - 1)) - 1))
		bits++;
	return datatype_int(bits);
}

struct datatype datatype_for_bounds(double lo, double hi)
{
	return datatype_for_range(saturated_int64(lo), saturated_int64(hi));
}

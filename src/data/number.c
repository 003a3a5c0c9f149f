/* Decimal numbers from text (see number.h). */
#include "data/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a number consists of: digits * 10^exponent. */
struct parts {
	uint64_t digits;
	int exponent;
	bool negative;
	bool exact; /* no digit was left out of `digits` */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *take_digits(const char *p, const char *end, struct parts *n)
{
	enum { MOST = 100000000 };
	for (; p < end && is_digit(*p); p++) {
		if (n->digits < UINT64_MAX / 10 - MOST)
			n->digits = n->digits * 10 + (uint64_t)(*p - '0');
		else
			n->exact = false;
	}
	return p;
}

static const char *take_exponent(const char *p, const char *end, struct parts *n)
{
	int value = 0;
	bool negative = ++p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++)
		value = value < 100000 ? value * 10 + (*p - '0') : value;
	n->exponent += negative ? -value : value;
	return p;
}

static bool take_parts(const char *p, const char *end, struct parts *n)
{
	n->negative = p < end && *p == '-';
	p += p < end && (*p == '-' || *p == '+');
	const char *whole = p;
	p = take_digits(p, end, n);
	size_t digits = (size_t)(p - whole);
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		p = take_digits(p, end, n);
		n->exponent -= (int)(p - fraction);
		digits += (size_t)(p - fraction);
	}
	if (digits && p < end && (*p == 'e' || *p == 'E'))
		p = take_exponent(p, end, n);
	return digits && p == end;
}

/* For numbers with many digits or large exponents. */
static bool parse_slowly(const char *text, size_t length, double *out)
{
	char *copy = malloc(length + 1), *end;
	if (!copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*out = strtod(copy, &end);
	bool whole = *end == '\0';
	free(copy);
	return whole && isfinite(*out);
}

/* Up to 2^53 digits are exact in a double, and so are powers of ten up to 10^22: one rounding, that of the product or
 * quotient, gives the nearest double (Clinger 1990). */
bool number_parse(const char *text, size_t length, double *out)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,	 1e4,  1e5,  1e6,  1e7,	 1e8,  1e9,  1e10, 1e11,
					 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	enum { LARGEST = 22 };
	const char *end = text + length;
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	struct parts n = { .exact = true };
	if (!take_parts(text, end, &n))
		return false;
	if (!n.exact || n.digits > (uint64_t)1 << 53 || n.exponent > LARGEST || n.exponent < -LARGEST)
		return parse_slowly(text, (size_t)(end - text), out);
	double x = (double)n.digits;
	x = n.exponent < 0 ? x / powers[-n.exponent] : x * powers[n.exponent];
	*out = n.negative ? -x : x;
	return true;
}

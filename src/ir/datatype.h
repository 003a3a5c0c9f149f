/* QONNX datatypes: what numbers a tensor holds, apart from how they are stored. An INT2 tensor is
 * usually stored as float32. A small value type; all functions are pure.
 * Names and ranges as qonnx.core.datatype defines them. */
#ifndef QCC_IR_DATATYPE_H
#define QCC_IR_DATATYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum datatype_kind {
	DT_NONE,      /* not annotated; read as FLOAT32 */
	DT_BINARY,    /* {0, 1} */
	DT_BIPOLAR,   /* {-1, +1} */
	DT_TERNARY,   /* {-1, 0, +1} */
	DT_UINT,      /* [0, 2^bits - 1] */
	DT_INT,	      /* [-2^(bits-1), 2^(bits-1) - 1] */
	DT_FIXED,     /* INT<bits> times 2^-(bits - whole) */
	DT_SCALEDINT, /* an integer of that many bits times an unknown scale */
	DT_FLOAT16,
	DT_FLOAT32,
	DT_FLOAT, /* FLOAT<exponent, mantissa, bias>: sign, no infinities or NaN */
};

struct datatype {
	uint8_t kind;
	uint8_t bits;	  /* UINT, INT, FIXED, SCALEDINT: total width, 1 to 64 */
	int8_t whole;	  /* FIXED: integer bits, sign included; FLOAT: exponent bits */
	uint8_t mantissa; /* FLOAT */
	int32_t bias;	  /* FLOAT: exponent bias */
};

enum { DATATYPE_NAME_SIZE = 48 };

/* INTn and UINTn for n in 1..64; other kinds carry no width. */
struct datatype datatype_int(int bits);
struct datatype datatype_uint(int bits);
struct datatype datatype_of_kind(enum datatype_kind kind);

/* Reads "INT2", "BIPOLAR", "FIXED<8,3>", "SCALEDINT<8>", "FLOAT<4,3,7>", "FLOAT32", ...
 * False leaves *out alone. */
bool datatype_parse(const char *text, struct datatype *out);
/* Writes the name into buffer and returns it; DT_NONE is "FLOAT32". */
const char *datatype_name(struct datatype t, char buffer[DATATYPE_NAME_SIZE]);

bool datatype_equal(struct datatype a, struct datatype b); /* DT_NONE equals FLOAT32 */
/* BINARY, BIPOLAR, TERNARY, UINT or INT: every value is an integer. */
bool datatype_is_integer(struct datatype t);
bool datatype_is_signed(struct datatype t);
int datatype_bits(struct datatype t);
double datatype_min(struct datatype t);
double datatype_max(struct datatype t);
bool datatype_allows(struct datatype t, double x);

/* Bounds of an integer datatype; INT64_MIN..INT64_MAX where it is not one (or is wider). */
int64_t datatype_int_min(struct datatype t);
int64_t datatype_int_max(struct datatype t);
/* The smallest UINTn (lo >= 0) or INTn that holds lo..hi. */
struct datatype datatype_for_range(int64_t lo, int64_t hi);
/* The same for bounds in double, which may be infinite: those of an empty tensor, say. */
struct datatype datatype_for_bounds(double lo, double hi);

#endif

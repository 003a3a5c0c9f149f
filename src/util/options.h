/* Lists as users write them behind -p and -b, "a,b(opt=3,flag)", and options checked against their tables. */
#ifndef QCC_UTIL_OPTIONS_H
#define QCC_UTIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/diag.h"

enum option_type { OPTION_FLAG, OPTION_INT, OPTION_REAL, OPTION_STRING, OPTION_NAMES };

/* An option that a pass or a backend takes: fold(target_fps=1e6). One with an OPTION_NAMES row, named "*", takes any
 * NAME=VALUE pair besides (set-datatype(input=BIPOLAR)). */
struct pass_option {
	const char *name;
	enum option_type type;
	const char *fallback; /* value where it is not given; NULL: not given */
	const char *help;
};

struct pass_arg {
	const char *name, *text; /* text "" for a bare flag */
};

struct spec {
	const char *name;
	struct pass_arg *args;
	size_t n_args;
};

/* Splits the list; everything lives in the arena. what is "pass" or "backend", for diagnostics. Values run to the
 * next ',' or ')' outside of <>, [], {}, () and quotes: FIXED<8,3> is one value. Empty text gives none.
 * 0, or -1 with a diagnostic. */
int spec_parse(struct arena *a, const char *text, const char *what, struct spec **out, size_t *count, struct diags *d);
/* The arguments alone, "opt=3,flag". */
int spec_parse_args(struct arena *a, const char *text, const char *what, struct spec *out, struct diags *d);

/* Every argument known, given once and of its option's type. 0, or -1 with a diagnostic naming it. */
int options_check(const struct pass_option *options, const char *what, const struct spec *s, struct diags *d);
/* What was given for the option, else its fallback, else NULL. */
const char *option_text(const struct pass_option *options, const struct pass_arg *args, size_t n_args,
			const char *name);
/* The value of checked text; text NULL gives false, 0. */
bool option_flag(const char *text);
int64_t option_int(const char *text);
double option_real(const char *text);

#endif

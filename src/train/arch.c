/* Architectures as text (see arch.h). */
#include "train/arch.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/nearest.h"

static const struct layer_type *const types[] = {
#define LAYER(symbol) &layer_##symbol,
#include "train/layers.def"
#undef LAYER
};
enum { TYPES = sizeof types / sizeof *types, MOST_ARGS = 64 };

struct parser {
	struct arch *arch;
	struct arena *arena;
	const struct net_options *options;
	const struct shape *in;
	const char *p, *all;
	struct diags *diags;
};

static int unknown_layer(struct parser *x, const char *name)
{
	struct nearest n = { .word = name };
	nearest_consider(&n, "mlp");
	for (int i = 0; i < TYPES; i++)
		nearest_consider(&n, types[i]->name);
	char *remedy = nearest_remedy(&n, "qcc train --list-layers");
	diag_error(x->diags, remedy, "'%s' is no layer", name);
	free(remedy);
	return -1;
}

static void add_layer(struct parser *x, const struct layer_type *type, const struct layer_arg *args, size_t n_args)
{
	struct arch *a = x->arch;
	if (a->count == a->capacity) {
		struct arch_layer *larger = arena_array(x->arena, struct arch_layer, 2 * a->capacity + 16);
		if (a->count)
			memcpy(larger, a->layers, a->count * sizeof *larger);
		a->capacity = 2 * a->capacity + 16;
		a->layers = larger;
	}
	struct layer_arg *copy = arena_array(x->arena, struct layer_arg, n_args + 1);
	if (n_args)
		memcpy(copy, args, n_args * sizeof *copy);
	a->layers[a->count++] = (struct arch_layer){ type, copy, n_args };
}

static struct layer_arg number_arg(double x)
{
	return (struct layer_arg){ .number = x, .text = "" };
}

static int add_mlp(struct parser *x, const struct layer_arg *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (args[i].name || !(args[i].number >= 1 && args[i].number == floor(args[i].number)))
			return diag_error(x->diags, "write mlp(593,64,64,1): inputs, widths, outputs",
					  "'%s' in '%s' is no width", args[i].text, x->all);
	if (n < 2)
		return diag_error(x->diags, "write mlp(593,64,64,1): inputs, widths, outputs",
				  "mlp needs inputs and outputs at the least");
	if (!x->arch->count && x->in->count != (int64_t)args[0].number)
		return diag_error(x->diags, NULL, "the architecture has %lld inputs, but a row of the data has %lld",
				  (long long)args[0].number, (long long)x->in->count);
	if (x->in->rank > 1)
		add_layer(x, &layer_flatten, NULL, 0);
	for (size_t i = 1; i < n; i++) {
		struct layer_arg width = number_arg(args[i].number), p = number_arg(x->options->dropout);
		add_layer(x, &layer_linear, &width, 1);
		if (i + 1 == n)
			break;
		add_layer(x, &layer_bn, NULL, 0);
		if (x->options->dropout > 0)
			add_layer(x, &layer_dropout, &p, 1);
		add_layer(x, &layer_relu, NULL, 0);
	}
	return 0;
}

static int add_named(struct parser *x, const char *name, const struct layer_arg *args, size_t n)
{
	if (!strcmp(name, "mlp"))
		return add_mlp(x, args, n);
	for (int i = 0; i < TYPES; i++)
		if (!strcmp(types[i]->name, name)) {
			add_layer(x, types[i], args, n);
			return 0;
		}
	return unknown_layer(x, name);
}

/* ---- the text ---- */

static void skip_space(struct parser *x)
{
	while (isspace((unsigned char)*x->p))
		x->p++;
}

static bool take(struct parser *x, char c)
{
	skip_space(x);
	if (*x->p != c)
		return false;
	x->p++;
	return true;
}

/* A name or number; "" where there is none. */
static char *take_word(struct parser *x)
{
	skip_space(x);
	const char *start = x->p;
	while (isalnum((unsigned char)*x->p) || (*x->p && strchr("._-+", *x->p)))
		x->p++;
	return arena_strndup(x->arena, start, (size_t)(x->p - start));
}

static int malformed(struct parser *x)
{
	return diag_error(x->diags, "write layers like linear(64),bn,relu(2)", "cannot read '%s' at '%s'", x->all,
			  *x->p ? x->p : "its end");
}

static int take_arg(struct parser *x, struct layer_arg *a)
{
	char *word = take_word(x), *end;
	*a = (struct layer_arg){ .text = word };
	if (take(x, '=')) {
		a->name = word;
		a->text = word = take_word(x);
	}
	if (!*word)
		return malformed(x);
	a->number = strtod(word, &end);
	if (*end)
		a->number = NAN;
	return 0;
}

static int take_layer(struct parser *x)
{
	struct layer_arg args[MOST_ARGS];
	size_t n = 0;
	char *name = take_word(x);
	if (!*name)
		return malformed(x);
	if (take(x, '(') && !take(x, ')')) {
		do {
			if (n == MOST_ARGS || take_arg(x, &args[n++]) < 0)
				return n == MOST_ARGS ? malformed(x) : -1;
		} while (take(x, ','));
		if (!take(x, ')'))
			return malformed(x);
	}
	return add_named(x, name, args, n);
}

int arch_parse(struct arch *a, struct arena *arena, const char *text, const struct net_options *o,
	       const struct shape *in, struct diags *d)
{
	*a = (struct arch){ 0 };
	struct parser x = { a, arena, o, in, text, text, d };
	do {
		if (take_layer(&x) < 0)
			return -1;
	} while (take(&x, ','));
	skip_space(&x);
	return *x.p ? malformed(&x) : 0;
}

/* Names of layers as symbols of generated C. Functions and constants are named NAME_LAYER and NAME_LAYER_SUFFIX, beside
 * the entries NAME_run and so on: a layer gets another name where one of these is taken. */
#include "backends/c/emit.h"

/* What follows NAME_ in the header, and with "static" in NAME.c. */
static const char *const entries[] = { "run",	"run_batch", "run_codes", "run_bits", "load",
				       "codes", "bits",	     "weights",	  "kernels",  "test" };

/* What follows an entry's name: targets of dispatch.c, and the block of samples. */
static const char *const targets[] = { "", "_avx2", "_avx512", "_baseline", "_x8" };

/* What follows NAME_LAYER: parts of functions and constants. Numbered ones go to MAX_RANK: axes, operands of a move or a form. */
static const char *const suffixes[] = { "_w", "_t", "_b",  "_o",    "_m",     "_a",  "_c",	 "_r",	     "_f",
					"_x", "_d", "_at", "_pack", "_image", "_x8", "_x8_pack", "_x8_image" };
static const char *const numbered[] = { "_axis", "_from", "_to", "_k", "_i", "_w", "_b" };

enum {
	SUFFIXES = sizeof suffixes / sizeof *suffixes,
	NUMBERED = sizeof numbered / sizeof *numbered,
	MOST = SUFFIXES + NUMBERED * MAX_RANK
};

static void all_suffixes(struct arena *a, const char *list[MOST + 1])
{
	size_t n = 0;
	for (size_t i = 0; i < SUFFIXES; i++)
		list[n++] = suffixes[i];
	for (size_t i = 0; i < NUMBERED; i++)
		for (int k = 0; k < MAX_RANK; k++)
			list[n++] = arena_printf(a, "%s%d", numbered[i], k);
	list[n] = NULL;
}

void name_layers(struct arena *a, struct plan *p)
{
	const char *list[MOST + 1];
	struct map taken = { 0 };
	all_suffixes(a, list);
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		for (size_t k = 0; k < sizeof targets / sizeof *targets; k++)
			identifier_take(&taken, arena_printf(a, "%s%s", entries[i], targets[k]));
	for (size_t i = 0; i < p->n_inputs; i++)
		identifier_take(&taken, arena_printf(a, "input%zu", i));
	for (size_t i = 0; i < p->n_outputs; i++)
		identifier_take(&taken, arena_printf(a, "output%zu", i));
	for (struct plan_layer *l = p->layers; l; l = l->next)
		l->name = identifier_unique(a, &taken, l->name, list);
	map_free(&taken);
}

/* Nearest names by edit distance (Damerau and Levenshtein: neighbours swapped count as one), case ignored. */
#include "util/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "util/strbuf.h"

enum { LONGEST = 63 }; /* names beyond this are not compared */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t least_two = a < b ? a : b;
	return least_two < c ? least_two : c;
}

static int differs(char a, char b)
{
	return tolower((unsigned char)a) != tolower((unsigned char)b);
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], na = strlen(a), nb = strlen(b);
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] =
				least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (size_t)differs(a[i - 1], b[j - 1]));
			bool swapped = i > 1 && j > 1 && !differs(a[i - 1], b[j - 2]) && !differs(a[i - 2], b[j - 1]);
			if (swapped && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[na % 3][nb];
}

/* How far off a name may be to be meant. */
static size_t allowed(const struct nearest *n)
{
	return 1 + strlen(n->word) / 4;
}

void nearest_consider(struct nearest *n, const char *name)
{
	size_t na = strlen(n->word), nb = strlen(name), longer = na > nb ? na - nb : nb - na;
	if (na > LONGEST || nb > LONGEST || longer > allowed(n))
		return;
	size_t distance = edit_distance(n->word, name);
	if (!n->best || distance < n->distance) {
		n->best = name;
		n->distance = distance;
	}
}

const char *nearest_name(const struct nearest *n)
{
	return n->best && n->distance <= allowed(n) ? n->best : NULL;
}

char *nearest_remedy(const struct nearest *n, const char *see)
{
	struct strbuf b = { 0 };
	if (nearest_name(n))
		strbuf_printf(&b, "did you mean '%s'? ", nearest_name(n));
	strbuf_printf(&b, "%s shows all", see);
	return b.text;
}

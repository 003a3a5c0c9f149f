/* Rows with their labels, in memory: from a .npz archive (arrays bits, x, data, images or inputs; label, labels, y or
 * targets) or a .npy file with NAME.label.npy beside it. */
#ifndef QCC_DATA_DATASET_H
#define QCC_DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/tensor.h"
#include "util/diag.h"

struct dataset {
	struct tensor *x; /* uint8 or float, rows first */
	int64_t rows;
	int64_t row;	 /* elements of a row */
	int32_t *labels; /* the class of each row; NULL: there are none */
	int32_t classes; /* the largest label + 1 */
	bool binary;	 /* every element is 0 or 1 */
};

/* Packed rows (an array width says so) are unpacked. Refuses what nothing can be learned from: no rows, NaN and
 * infinite elements, labels that are no classes or not as many as rows. 0, or -1 with a diagnostic; free it in both
 * cases. */
int dataset_read(struct dataset *s, const char *path, struct diags *d);
void dataset_free(struct dataset *s); /* starts as {0} */
/* Element i of row r. */
static inline float dataset_at(const struct dataset *s, int64_t r, int64_t i)
{
	return s->x->elem == ELEM_UINT8 ? (float)((const uint8_t *)s->x->data)[r * s->row + i]
					: tensor_floats(s->x)[r * s->row + i];
}

#endif

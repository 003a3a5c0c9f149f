/* Positions that index tensors name, for gathering and scattering (gather_elements.c, scatter.c). */
#ifndef QCC_OPS_INDICES_H
#define QCC_OPS_INDICES_H

#include "ops/op.h"

/* Offset in data of the element that entry i of indices (same rank as data) names along axis: the other
 * coordinates are those of the entry. False where the index is out of range. */
bool element_offset(const struct tensor *data, const struct tensor *indices, int axis, int64_t i, int64_t *offset);
/* Whether indices has data's rank and reaches beyond it along no other axis. */
bool indices_fit(const struct tensor *data, const struct tensor *indices, int axis);
/* Offset (within a batch) of the slice that row i of indices names: coordinates of data's axes batch, batch + 1,
 * ... False where one is out of range. */
bool slice_offset(const struct tensor *data, const struct tensor *indices, int batch, int64_t i, int64_t *offset);
/* Says so; -1. */
int index_out_of_range(struct diags *d, const struct node *n);

#endif

/* FPGAs by part or board name, in letters of either case. */
#ifndef QCC_HW_PARTS_H
#define QCC_HW_PARTS_H

#include "hw/search.h"
#include "util/arena.h"
#include "util/diag.h"

/* Resources of an FPGA by its part name (as far as its speed and package follow: "xc7z020clg400-1") or board
 * name; false where unknown. */
bool part_resources(const char *name, int64_t limit[FOLD_RESOURCES]);
/* The full device name, with package and speed grade, as the vendor's tools take it: of a board the one that it carries; of a
 * part alone that of its commonest board; what has a package already stays. NULL where unknown. */
const char *part_device(struct arena *a, const char *name);
/* Says that the part is unknown and lists those that are known; returns -1. */
int part_unknown(const char *name, const char *remedy, struct diags *d);

#endif

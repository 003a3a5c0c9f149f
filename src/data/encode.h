/* Rows of CSV files to bits and labels, by an encoding; and encodings from the rows of CSV files. */
#ifndef QCC_DATA_ENCODE_H
#define QCC_DATA_ENCODE_H

#include "data/encoding.h"
#include "data/table.h"

struct encode_options {
	struct table_options table;
	bool strict;   /* refuse what is missing, malformed or unknown */
	bool drop_bad; /* leave out rows with something wrong instead of encoding it as 0 */
	bool packed;   /* eight bits a byte, most significant first, as numpy.packbits has them */
};

struct encode_totals {
	uint64_t rows, left_out;
	bool has_labels;
};

/* Encodes the files, one after the other. To a .npz archive: arrays `bits` and, where there are labels, `label` (with
 * packed also `width`, the bits of a row); to a .npy file: the bits, and the labels to NAME.label.npy. Both are of
 * uint8. 0, or -1 with diagnostics. */
int encode_tables(const struct encoding *e, char *const *paths, size_t count, const char *output,
		  const struct encode_options *o, struct encode_totals *totals, struct diags *d);

/* Finds the encoding that the rows of the files ask for, all columns but the label and those ignored: texts become
 * categories in ASCII order; where the smallest positive value is below 1, it scales the column to be 1; the width
 * follows from the largest value. 0, or -1 with diagnostics; encoding_free is due in both cases. */
int encode_fit(struct encoding *e, char *const *paths, size_t count, char *const *ignored, size_t n_ignored,
	       const struct table_options *o, struct diags *d);

#endif

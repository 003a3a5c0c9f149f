/* A CSV file whose header was read: which field of a record is which column. */
#ifndef QCC_DATA_TABLE_H
#define QCC_DATA_TABLE_H

#include "data/csv.h"
#include "data/encoding.h"

struct table_options {
	char separator;
	bool no_header;	   /* the fields are the columns of the encoding in order, then perhaps the label */
	const char *label; /* the label's column; NULL: the encoding's, else "label" where there is one */
	bool no_label;	   /* there are none, or they are not wanted */
	int threads;	   /* 0: as many as the machine has */
};

struct table {
	struct csv_file csv;
	struct csv_record header; /* names of the fields */
	char *header_text;	  /* what they point into */
	size_t width;		  /* fields a record has */
};

/* Opens the file and reads its header. 0, or -1 with a diagnostic. */
int table_open(struct table *t, const char *path, const struct table_options *o, struct diags *d);
void table_close(struct table *t);
/* The field of that name; -1: there is none. */
int64_t table_field(const struct table *t, const char *name);
bool csv_field_is(struct csv_field f, const char *text);

#endif

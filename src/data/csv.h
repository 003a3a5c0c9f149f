/* CSV files, read in blocks of whole records, so that files larger than memory and pipes can be worked on by several
 * threads. Fields may be quoted (RFC 4180: "" in quotes is a quote; separators and line ends in quotes are text); lines
 * end with LF or CR LF; a UTF-8 byte order mark at the start is skipped; empty lines are no records. */
#ifndef QCC_DATA_CSV_H
#define QCC_DATA_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/diag.h"

/* A field's text, not terminated, in the block's memory. */
struct csv_field {
	const char *text;
	size_t length;
};

struct csv_record {
	struct csv_field *fields; /* grows as records need it; free it at the end */
	size_t count, capacity;
	bool bad_quote; /* text follows a closing quote */
};

struct csv_file {
	const char *path;
	int fd;
	char separator;
	char *carry; /* the start of a record whose end was not read yet */
	size_t carried, carry_size;
	bool at_start, at_end;
};

/* Whole records in memory of their own; free(bytes) gives it back. */
struct csv_block {
	char *bytes;
	size_t size;
};

/* 0, or -1 with a diagnostic that names the file. */
int csv_open(struct csv_file *f, const char *path, char separator, struct diags *d);
void csv_close(struct csv_file *f);
/* The next records, about a megabyte of them. 1, or 0 at the end, or -1 with a diagnostic. */
int csv_read(struct csv_file *f, struct csv_block *b, struct diags *d);
/* Gives back what follows a record at the start of a block: the next block starts with it. Frees the block. */
void csv_unread(struct csv_file *f, struct csv_block *b, const char *from);

/* Splits the record at *at into fields (quotes are taken off in place) and moves *at behind it. False at the end. */
bool csv_next(struct csv_record *r, char **at, char *end, char separator);

/* What is done with the blocks of a file: work on each, by any thread at any time; then merge, by one thread at a time
 * and in the order of the file. After a failure merge is still called for the blocks that were read. */
struct csv_job {
	void *(*work)(void *user, struct csv_block *b); /* its result, for merge */
	int (*merge)(void *user, void *result);		/* takes the result over; -1 ends the job */
	void *user;
	int threads; /* 0: as many as the machine has */
};
/* Reads the rest of the file. 0, or -1 where reading or a merge failed. */
int csv_each_block(struct csv_file *f, const struct csv_job *job, struct diags *d);

#endif

/* Writing .npz archives: a zip file whose members lie as they are, in zip64's form, so that any size fits. The sizes and
 * the check sum of a member are put into its header once its end is reached. Source: PKWARE's APPNOTE 6.3, 4.3 and 4.5. */
#include "ir/npy.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/crc32.h"
#include "util/file.h"
#include "util/vec.h"

enum { ZIP64_VERSION = 45, DATE_1980 = 0x21, ENTRY_SIGNATURE = 0x04034b50, DIRECTORY_SIGNATURE = 0x02014b50 };

struct npz_member {
	char *name;
	uint64_t at, size; /* of the header; of the .npy file behind it */
	uint32_t crc;
};

struct npz_out {
	struct file_out file;
	bool plain; /* one .npy file, no archive */
	struct crc32 crc32;
	struct {
		struct npz_member *items;
		size_t count, capacity;
	} members;
	/* the array that is being written */
	enum elem_type elem;
	int rank;
	int64_t dims[MAX_RANK]; /* of which the first counts the rows */
	size_t header;		/* bytes of the .npy header */
	uint32_t crc;		/* of the elements */
};

static struct npz_out *create(const char *path, bool plain, struct diags *d)
{
	struct npz_out *z = xcalloc(1, sizeof *z);
	z->plain = plain;
	crc32_init(&z->crc32);
	if (file_create(&z->file, path, d) == 0)
		return z;
	free(z);
	return NULL;
}

struct npz_out *npz_create(const char *path, struct diags *d)
{
	return create(path, false, d);
}

struct npz_out *npz_create_npy(const char *path, struct diags *d)
{
	return create(path, true, d);
}

/* ---- zip ---- */

static void put(FILE *f, uint64_t x, int bytes)
{
	for (; bytes; bytes--, x >>= 8)
		putc((int)(x & 255), f);
}

/* What an entry's header and the directory share: version to check sum. */
static void put_common(FILE *f, const struct npz_member *m)
{
	put(f, ZIP64_VERSION, 2);
	put(f, 0, 2); /* flags */
	put(f, 0, 2); /* stored */
	put(f, 0, 2); /* time */
	put(f, DATE_1980, 2);
	put(f, m->crc, 4);
	put(f, UINT32_MAX, 4); /* the sizes: see the extra field */
	put(f, UINT32_MAX, 4);
	put(f, strlen(m->name), 2);
}

static void put_entry(FILE *f, const struct npz_member *m)
{
	put(f, ENTRY_SIGNATURE, 4);
	put_common(f, m);
	put(f, 20, 2); /* the extra field's size */
	fputs(m->name, f);
	put(f, 1, 2); /* zip64 */
	put(f, 16, 2);
	put(f, m->size, 8);
	put(f, m->size, 8);
}

static void put_directory_entry(FILE *f, const struct npz_member *m)
{
	put(f, DIRECTORY_SIGNATURE, 4);
	put(f, ZIP64_VERSION, 2); /* made by */
	put_common(f, m);
	put(f, 28, 2);	       /* the extra field's size */
	put(f, 0, 2);	       /* comment */
	put(f, 0, 2);	       /* disk */
	put(f, 0, 2);	       /* internal attributes */
	put(f, 0, 4);	       /* external attributes */
	put(f, UINT32_MAX, 4); /* where it lies: see the extra field */
	fputs(m->name, f);
	put(f, 1, 2);
	put(f, 24, 2);
	put(f, m->size, 8);
	put(f, m->size, 8);
	put(f, m->at, 8);
}

static void put_end(FILE *f, uint64_t count, uint64_t start, uint64_t end)
{
	put(f, 0x06064b50, 4); /* zip64's end of the directory */
	put(f, 44, 8);
	put(f, ZIP64_VERSION, 2);
	put(f, ZIP64_VERSION, 2);
	put(f, 0, 8); /* disks */
	put(f, count, 8);
	put(f, count, 8);
	put(f, end - start, 8);
	put(f, start, 8);
	put(f, 0x07064b50, 4); /* and where that lies */
	put(f, 0, 4);
	put(f, end, 8);
	put(f, 1, 4);
	put(f, 0x06054b50, 4); /* the old end */
	put(f, 0, 4);
	put(f, count < UINT16_MAX ? count : UINT16_MAX, 2);
	put(f, count < UINT16_MAX ? count : UINT16_MAX, 2);
	put(f, UINT32_MAX, 4);
	put(f, UINT32_MAX, 4);
	put(f, 0, 2);
}

/* ---- arrays ---- */

/* Wide enough for any number of rows. */
static struct strbuf header_of(const struct npz_out *z, int64_t rows, size_t at_least)
{
	struct strbuf h = { 0 };
	int64_t dims[MAX_RANK];
	memcpy(dims, z->dims, sizeof dims);
	dims[0] = rows;
	npy_header(&h, z->elem, z->rank, dims, at_least);
	return h;
}

static void begin(struct npz_out *z, const char *name, enum elem_type elem, int rank, const int64_t *dims)
{
	struct npz_member m = { .name = xmalloc(strlen(name) + 5), .at = (uint64_t)ftello(z->file.stream) };
	strcat(strcpy(m.name, name), ".npy");
	vec_push(&z->members, m);
	z->elem = elem;
	z->rank = rank;
	z->crc = 0;
	if (rank)
		memcpy(z->dims, dims, (size_t)rank * sizeof *dims);
	if (!z->plain)
		put_entry(z->file.stream, &m);
	struct strbuf h = header_of(z, rank ? INT64_MAX : 0, 0);
	z->header = h.length;
	fwrite(h.text, 1, h.length, z->file.stream);
	strbuf_free(&h);
}

void npz_begin(struct npz_out *z, const char *name, enum elem_type elem, int row_rank, const int64_t *row_dims)
{
	int64_t dims[MAX_RANK] = { 0 };
	if (row_rank)
		memcpy(dims + 1, row_dims, (size_t)row_rank * sizeof *dims);
	begin(z, name, elem, row_rank + 1, dims);
}

uint32_t npz_sum(const struct npz_out *z, const void *bytes, size_t size)
{
	return z->plain ? 0 : crc32_add(&z->crc32, 0, bytes, size);
}

static void put_elements(struct npz_out *z, const void *elements, size_t bytes, uint32_t sum)
{
	struct npz_member *m = &z->members.items[z->members.count - 1];
	void *copy;
	elements = elements_for_file(z->elem, elements, bytes, &copy);
	if (!z->plain)
		z->crc = crc32_join(z->crc, sum, bytes);
	m->size += bytes;
	if (bytes)
		fwrite(elements, 1, bytes, z->file.stream);
	free(copy);
}

static size_t row_bytes(const struct npz_out *z)
{
	size_t bytes = elem_size(z->elem);
	for (int i = 1; i < z->rank; i++)
		bytes *= (size_t)z->dims[i];
	return bytes;
}

void npz_rows_summed(struct npz_out *z, const void *rows, int64_t count, uint32_t sum)
{
	z->dims[0] += count;
	put_elements(z, rows, row_bytes(z) * (size_t)count, sum);
}

void npz_rows(struct npz_out *z, const void *rows, int64_t count)
{
	npz_rows_summed(z, rows, count, npz_sum(z, rows, row_bytes(z) * (size_t)count));
}

/* Goes back to the headers, which know sizes and shape now. A failure to seek shows when the file is closed. */
void npz_end(struct npz_out *z)
{
	FILE *f = z->file.stream;
	struct npz_member *m = &z->members.items[z->members.count - 1];
	struct strbuf h = header_of(z, z->dims[0], z->header);
	off_t end = ftello(f);
	m->crc = crc32_join(crc32_add(&z->crc32, 0, h.text, h.length), z->crc, m->size);
	m->size += h.length;
	fseeko(f, (off_t)m->at, SEEK_SET);
	if (!z->plain)
		put_entry(f, m);
	fwrite(h.text, 1, h.length, f);
	fseeko(f, end, SEEK_SET);
	strbuf_free(&h);
}

int npz_add(struct npz_out *z, const char *name, const struct tensor *t)
{
	struct strbuf h = { 0 };
	int status = npy_header(&h, (enum elem_type)t->elem, t->rank, t->dims, 0);
	strbuf_free(&h);
	if (status < 0)
		return -1;
	begin(z, name, (enum elem_type)t->elem, t->rank, t->dims);
	size_t bytes = (size_t)t->count * elem_size((enum elem_type)t->elem);
	put_elements(z, t->data, bytes, npz_sum(z, t->data, bytes));
	npz_end(z);
	return 0;
}

/* ---- the end ---- */

static void free_members(struct npz_out *z)
{
	for (size_t i = 0; i < z->members.count; i++)
		free(z->members.items[i].name);
	vec_free(&z->members);
}

int npz_commit(struct npz_out *z, struct diags *d)
{
	FILE *f = z->file.stream;
	uint64_t start = (uint64_t)ftello(f);
	for (size_t i = 0; i < z->members.count && !z->plain; i++)
		put_directory_entry(f, &z->members.items[i]);
	if (!z->plain)
		put_end(f, z->members.count, start, (uint64_t)ftello(f));
	int status = file_commit(&z->file, d);
	free_members(z);
	free(z);
	return status;
}

void npz_abandon(struct npz_out *z)
{
	if (!z)
		return;
	file_abandon(&z->file);
	free_members(z);
	free(z);
}

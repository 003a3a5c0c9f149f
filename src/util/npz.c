/* NumPy's .npz archives: zip files whose members are .npy files. */
#include "util/npy.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "util/arena.h"
#include "util/strbuf.h"

static zip_t *open_archive(const char *path, struct diags *d)
{
	int code;
	zip_t *z = zip_open(path, ZIP_RDONLY, &code);
	if (z)
		return z;
	zip_error_t error;
	zip_error_init_with_code(&error, code);
	diag_error(d, NULL, "cannot read it as a .npz archive: %s", zip_error_strerror(&error));
	zip_error_fini(&error);
	return NULL;
}

/* The member's bytes. The size that the archive states is not trusted: memory grows with what is read. */
static struct blob *read_member(zip_t *z, zip_uint64_t i, struct diags *d)
{
	zip_file_t *member = zip_fopen_index(z, i, 0);
	if (!member) {
		diag_error(d, NULL, "cannot read member '%s': %s", zip_get_name(z, i, 0), zip_strerror(z));
		return NULL;
	}
	struct strbuf all = { 0 };
	static const size_t CHUNK = 1 << 16;
	char *chunk = xmalloc(CHUNK);
	zip_int64_t n;
	while ((n = zip_fread(member, chunk, CHUNK)) > 0)
		strbuf_add(&all, chunk, (size_t)n);
	free(chunk);
	if (n < 0)
		diag_error(d, NULL, "cannot read member '%s': %s", zip_get_name(z, i, 0),
			   zip_file_strerror(member));
	zip_fclose(member);
	if (n == 0)
		return blob_new(all.text, all.length, false);
	strbuf_free(&all);
	return NULL;
}

/* Members go by their name without ".npy", as numpy shows them. */
static size_t stem_length(const char *name)
{
	size_t n = strlen(name);
	return n > 4 && !strcmp(name + n - 4, ".npy") ? n - 4 : n;
}

static zip_int64_t find_member(zip_t *z, const char *name, struct diags *d)
{
	zip_int64_t count = zip_get_num_entries(z, 0);
	if (!name) {
		if (count == 1)
			return 0;
		return diag_error(d, "name one: NAME=file.npz", "holds %lld arrays", (long long)count);
	}
	for (zip_int64_t i = 0; i < count; i++) {
		const char *member = zip_get_name(z, (zip_uint64_t)i, 0);
		if (member && strlen(name) == stem_length(member) && !strncmp(name, member, strlen(name)))
			return i;
	}
	return diag_error(d, NULL, "holds no array '%s'", name);
}

static struct tensor *read_array(zip_t *z, const char *path, const char *name, struct diags *d)
{
	zip_int64_t i = find_member(z, name, d);
	struct blob *b = i < 0 ? NULL : read_member(z, (zip_uint64_t)i, d);
	if (!b)
		return NULL;
	struct strbuf label = { 0 };
	strbuf_printf(&label, "%s(%s)", path, zip_get_name(z, (zip_uint64_t)i, 0));
	struct tensor *t = npy_decode(b, label.text, d);
	strbuf_free(&label);
	blob_unref(b);
	return t;
}

struct tensor *npz_read(const char *path, const char *name, struct diags *d)
{
	const char *context = d->file;
	d->file = path;
	zip_t *z = open_archive(path, d);
	struct tensor *t = z ? read_array(z, path, name, d) : NULL;
	if (z)
		zip_discard(z);
	d->file = context;
	return t;
}

int npz_names(const char *path, char ***names, size_t *count, struct diags *d)
{
	const char *context = d->file;
	d->file = path;
	zip_t *z = open_archive(path, d);
	d->file = context;
	if (!z)
		return -1;
	*count = (size_t)zip_get_num_entries(z, 0);
	*names = xcalloc(*count, sizeof **names);
	for (size_t i = 0; i < *count; i++) {
		const char *member = zip_get_name(z, i, 0);
		(*names)[i] = xstrdup(member ? member : "");
		(*names)[i][stem_length((*names)[i])] = '\0';
	}
	zip_discard(z);
	return 0;
}

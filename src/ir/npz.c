/* NumPy's .npz archives: zip files whose members are .npy files. */
#include "ir/npy.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "util/arena.h"
#include "util/library.h"
#include "util/strbuf.h"
#include "util/integers.h"
#include "util/limits.h"

/* libzip, which is loaded for the first archive, and an archive that it has open. */
struct archive {
	void *library;
	zip_t *zip;
	int64_t size; /* of the file */
	__typeof__(&zip_open) open;
	__typeof__(&zip_error_init_with_code) error_init_with_code;
	__typeof__(&zip_error_strerror) error_strerror;
	__typeof__(&zip_error_fini) error_fini;
	__typeof__(&zip_fopen_index) fopen_index;
	__typeof__(&zip_get_name) get_name;
	__typeof__(&zip_strerror) strerror;
	__typeof__(&zip_fread) fread;
	__typeof__(&zip_file_strerror) file_strerror;
	__typeof__(&zip_fclose) fclose;
	__typeof__(&zip_get_num_entries) get_num_entries;
	__typeof__(&zip_discard) discard;
};

static bool load(struct archive *a, struct diags *d)
{
	static const char *const names[] = { "libzip.so.4", "libzip.so.5", "libzip.so", NULL };
	const struct library_entry entries[] = {
		{ "zip_open", &a->open },
		{ "zip_error_init_with_code", &a->error_init_with_code },
		{ "zip_error_strerror", &a->error_strerror },
		{ "zip_error_fini", &a->error_fini },
		{ "zip_fopen_index", &a->fopen_index },
		{ "zip_get_name", &a->get_name },
		{ "zip_strerror", &a->strerror },
		{ "zip_fread", &a->fread },
		{ "zip_file_strerror", &a->file_strerror },
		{ "zip_fclose", &a->fclose },
		{ "zip_get_num_entries", &a->get_num_entries },
		{ "zip_discard", &a->discard },
		{ NULL, NULL },
	};
	a->library = library_open(names, entries, d);
	return a->library != NULL;
}

static int64_t file_size(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static bool open_archive(struct archive *a, const char *path, struct diags *d)
{
	int code;
	zip_error_t error;
	if (!load(a, d))
		return false;
	a->size = file_size(path);
	a->zip = a->open(path, ZIP_RDONLY, &code);
	if (a->zip)
		return true;
	a->error_init_with_code(&error, code);
	diag_error(d, NULL, "cannot read it as a .npz archive: %s", a->error_strerror(&error));
	a->error_fini(&error);
	dlclose(a->library);
	return false;
}

static void close_archive(struct archive *a)
{
	a->discard(a->zip);
	dlclose(a->library);
}

static const char *name_of(struct archive *z, zip_uint64_t i)
{
	const char *name = z->get_name(z->zip, i, 0);
	return name ? name : "";
}

/* What a member may grow to: in proportion to the archive, unless the user said so. */
static int64_t member_limit(const struct archive *z, const struct diags *d)
{
	enum { AT_LEAST = 64 << 20, TIMES = 200 };
	if (d->limits && d->limits->memory)
		return d->limits->memory;
	return add_clamped(AT_LEAST, multiply_clamped(z->size, TIMES));
}

/* The member's bytes. The size that the archive states is not trusted: memory grows with what is read. */
static struct blob *read_member(struct archive *z, zip_uint64_t i, struct diags *d)
{
	zip_file_t *member = z->fopen_index(z->zip, i, 0);
	if (!member) {
		diag_error(d, NULL, "cannot read member '%s': %s", name_of(z, i), z->strerror(z->zip));
		return NULL;
	}
	struct strbuf all = { 0 };
	int64_t most = member_limit(z, d);
	static const size_t CHUNK = 1 << 16;
	char *chunk = xmalloc(CHUNK);
	zip_int64_t n;
	while ((n = z->fread(member, chunk, CHUNK)) > 0 && (int64_t)all.length <= most)
		strbuf_add(&all, chunk, (size_t)n);
	free(chunk);
	if (n > 0)
		diag_error(d, "save it with numpy.save, or allow more with --max-memory",
			   "member '%s' grows to more than %lld MB", name_of(z, i), (long long)(most >> 20));
	if (n < 0)
		diag_error(d, NULL, "cannot read member '%s': %s", name_of(z, i), z->file_strerror(member));
	z->fclose(member);
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

static zip_int64_t find_member(struct archive *z, const char *name, struct diags *d)
{
	zip_int64_t count = z->get_num_entries(z->zip, 0);
	if (!name) {
		if (count == 1)
			return 0;
		return diag_error(d, "name one: NAME=file.npz", "holds %lld arrays", (long long)count);
	}
	for (zip_int64_t i = 0; i < count; i++) {
		const char *member = z->get_name(z->zip, (zip_uint64_t)i, 0);
		if (member && strlen(name) == stem_length(member) && !strncmp(name, member, strlen(name)))
			return i;
	}
	return diag_error(d, NULL, "holds no array '%s'", name);
}

static struct tensor *read_array(struct archive *z, const char *path, const char *name, struct diags *d)
{
	zip_int64_t i = find_member(z, name, d);
	struct blob *b = i < 0 ? NULL : read_member(z, (zip_uint64_t)i, d);
	if (!b)
		return NULL;
	struct strbuf label = { 0 };
	strbuf_printf(&label, "%s(%s)", path, name_of(z, (zip_uint64_t)i));
	struct tensor *t = npy_decode(b, label.text, d);
	strbuf_free(&label);
	blob_unref(b);
	return t;
}

struct tensor *npz_read(const char *path, const char *name, struct diags *d)
{
	const char *context = d->file;
	d->file = path;
	struct archive z;
	struct tensor *t = NULL;
	if (open_archive(&z, path, d)) {
		t = read_array(&z, path, name, d);
		close_archive(&z);
	}
	d->file = context;
	return t;
}

int npz_names(const char *path, char ***names, size_t *count, struct diags *d)
{
	const char *context = d->file;
	d->file = path;
	struct archive z;
	bool opened = open_archive(&z, path, d);
	d->file = context;
	if (!opened)
		return -1;
	*count = (size_t)z.get_num_entries(z.zip, 0);
	*names = xcalloc(*count, sizeof **names);
	for (size_t i = 0; i < *count; i++) {
		const char *member = z.get_name(z.zip, i, 0);
		(*names)[i] = xstrdup(member ? member : "");
		(*names)[i][stem_length((*names)[i])] = '\0';
	}
	close_archive(&z);
	return 0;
}

/* Files: mapping to read, writing through a temporary name, folders. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/blob.h"
#include "util/strbuf.h"

/* A diagnostic about `path` rather than the file that the context names. */
static int file_error(struct diags *d, const char *path, const char *remedy, const char *what, int error)
{
	const char *context = d->file;
	d->file = path;
	if (error)
		diag_error(d, remedy, "%s: %s", what, strerror(error));
	else
		diag_error(d, remedy, "%s", what);
	d->file = context;
	return -1;
}

/* For pipes and devices, which cannot be mapped. */
static struct blob *read_stream(int fd, const char *path, struct diags *d)
{
	struct strbuf all = { 0 };
	static const size_t CHUNK = 1 << 16;
	char *chunk = xmalloc(CHUNK);
	ssize_t n;
	while ((n = read(fd, chunk, CHUNK)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			strbuf_add(&all, chunk, (size_t)n);
	int error = errno;
	free(chunk);
	if (n == 0)
		return blob_new(all.text, all.length, false);
	strbuf_free(&all);
	file_error(d, path, NULL, "cannot read", error);
	return NULL;
}

static struct blob *map_fd(int fd, const char *path, struct diags *d)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		file_error(d, path, NULL, "cannot read", errno);
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		file_error(d, path, "name a file in it", "is a folder", 0);
		return NULL;
	}
	if (!S_ISREG(st.st_mode))
		return read_stream(fd, path, d);
	if (st.st_size == 0)
		return blob_new(xmalloc(1), 0, false); /* an address to calculate with */
	void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED) {
		file_error(d, path, NULL, "cannot map", errno);
		return NULL;
	}
	return blob_new(base, (size_t)st.st_size, true);
}

struct blob *file_map(const char *path, struct diags *d)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		file_error(d, path, NULL, "cannot open", errno);
		return NULL;
	}
	struct blob *b = map_fd(fd, path, d);
	close(fd);
	return b;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int dir_make(const char *path, struct diags *d)
{
	char *part = xstrdup(path);
	int error = *path ? 0 : ENOENT;
	for (char *slash = part + (*part == '/'); !error; slash++) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0777) < 0 && !is_folder(part))
			error = errno == EEXIST ? ENOTDIR : errno;
		if (!slash)
			break;
		*slash = '/';
	}
	free(part);
	if (error)
		return file_error(d, path, "name another output folder", "cannot make this folder", error);
	return 0;
}

/* Devices and pipes are written as they stand: renaming over /dev/null would replace it. */
static bool must_write_in_place(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int file_create(struct file_out *f, const char *path, struct diags *d)
{
	*f = (struct file_out){ .path = xstrdup(path) };
	if (is_folder(path)) {
		file_error(d, path, "name a file in it", "is a folder", 0);
		file_abandon(f);
		return -1;
	}
	if (!must_write_in_place(path)) {
		struct strbuf name = { 0 };
		strbuf_printf(&name, "%s.%ld.tmp", path, (long)getpid());
		f->temporary = name.text;
	}
	f->stream = fopen(f->temporary ? f->temporary : path, "wbe");
	if (f->stream)
		return 0;
	file_error(d, path, NULL, "cannot write", errno);
	free(f->temporary); /* was never made: nothing to delete */
	f->temporary = NULL;
	file_abandon(f);
	return -1;
}

int file_commit(struct file_out *f, struct diags *d)
{
	int error = 0;
	errno = 0;
	if (ferror(f->stream) || fflush(f->stream) != 0)
		error = errno ? errno : EIO;
	if (fclose(f->stream) != 0 && !error)
		error = errno;
	f->stream = NULL;
	if (!error && f->temporary && rename(f->temporary, f->path) < 0)
		error = errno;
	if (error) {
		file_error(d, f->path, NULL, "cannot write", error);
	} else {
		free(f->temporary);
		f->temporary = NULL;
	}
	file_abandon(f);
	return error ? -1 : 0;
}

void file_abandon(struct file_out *f)
{
	if (f->stream)
		fclose(f->stream);
	if (f->temporary)
		unlink(f->temporary);
	free(f->temporary);
	free(f->path);
	*f = (struct file_out){ 0 };
}

int file_write(const char *path, const void *bytes, size_t size, struct diags *d)
{
	struct file_out f;
	if (file_create(&f, path, d) < 0)
		return -1;
	if (size)
		fwrite(bytes, 1, size, f.stream); /* a failure shows in file_commit */
	return file_commit(&f, d);
}

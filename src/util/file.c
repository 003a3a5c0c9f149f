/* Files: mapping to read, writing through a temporary name, folders. */
#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/blob.h"
#include "util/memory.h"
#include "util/output.h"
#include "util/strbuf.h"
#include "util/limits.h"

/* ---- paths ---- */

bool file_same(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool needs_slash(const char *dir)
{
	return *dir && dir[strlen(dir) - 1] != '/';
}

char *path_join(const char *dir, const char *name)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "%s%s%s", dir, needs_slash(dir) ? "/" : "", name);
	return b.text;
}

char *path_in(struct arena *a, const char *dir, const char *name)
{
	size_t n = strlen(dir), slash = needs_slash(dir), length = strlen(name);
	char *path = arena_alloc(a, n + slash + length + 1);
	memcpy(path, dir, n);
	path[n] = '/';
	memcpy(path + n + slash, name, length + 1);
	return path;
}

const char *file_new_id(char id[FILE_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[FILE_ID_SIZE / 2];
	if (getentropy(random, sizeof random) < 0)
		memset(random, 0, sizeof random); /* O_EXCL still refuses what is there */
	for (int i = 0; i < FILE_ID_SIZE / 2; i++) {
		id[2 * i] = digits[random[i] >> 4];
		id[2 * i + 1] = digits[random[i] & 15];
	}
	id[FILE_ID_SIZE - 1] = '\0';
	return id;
}

/* ---- reading ---- */

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

enum { STREAM_LIMIT = INT32_MAX };

/* For pipes, which cannot be mapped. They were opened so that one without a writer is empty at once. */
static struct blob *read_stream(int fd, const char *path, struct diags *d)
{
	fcntl(fd, F_SETFL, 0);
	struct strbuf all = { 0 };
	static const size_t CHUNK = 1 << 16;
	char *chunk = xmalloc(CHUNK);
	ssize_t n;
	int64_t most = d->limits && d->limits->memory ? d->limits->memory : STREAM_LIMIT;
	while ((n = read(fd, chunk, CHUNK)) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			strbuf_add(&all, chunk, (size_t)n);
		if ((int64_t)all.length > most)
			break;
	}
	int error = n > 0 ? EFBIG : errno;
	free(chunk);
	if (n == 0)
		return blob_new(all.text ? all.text : xmalloc(1), all.length, false); /* an address to calculate with */
	strbuf_free(&all);
	file_error(d, path, NULL, "cannot read", error);
	return NULL;
}

static struct blob *map_fd(int fd, const char *path, bool pipes, struct diags *d)
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
	if (S_ISFIFO(st.st_mode) && pipes)
		return read_stream(fd, path, d);
	if (!S_ISREG(st.st_mode)) {
		file_error(d, path, "name a file", "is a device, a pipe or a socket", 0);
		return NULL;
	}
	if (st.st_size == 0)
		return blob_new(xmalloc(1), 0, false); /* an address to calculate with */
	void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED) {
		file_error(d, path, NULL, "cannot map", errno);
		return NULL;
	}
	return blob_new(base, (size_t)st.st_size, true);
}

bool file_is_standard(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* flags: 0, or O_NOFOLLOW for data that a file refers to, which may be no link and no pipe. */
static struct blob *map_path(const char *path, int flags, struct diags *d)
{
	if (!*path) {
		diag_error(d, NULL, "the name of a file is empty");
		return NULL;
	}
	bool standard = flags == 0 && file_is_standard(path);
	int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	if (fd < 0) {
		file_error(d, path, NULL, "cannot open", errno);
		return NULL;
	}
	struct blob *b = map_fd(fd, path, flags == 0, d);
	close(fd);
	return b;
}

struct blob *file_map(const char *path, struct diags *d)
{
	return map_path(path, 0, d);
}

/* Whether the real path lies below the real folder. */
static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || (n && folder[n - 1] == '/'));
}

static bool any_path(const struct diags *d)
{
	return d->limits && d->limits->any_path;
}

bool file_may_be_named(const char *name, const struct diags *d)
{
	if (!*name || any_path(d))
		return *name;
	for (const char *p = name; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
		if (*name == '/' || (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2])))
			return false;
	return true;
}

struct blob *file_map_below(const char *folder, const char *name, struct diags *d)
{
	struct blob *b = NULL;
	char *path = path_join(*name == '/' ? "" : folder, name);
	char *real = realpath(path, NULL), *root = realpath(*folder ? folder : ".", NULL);
	if (!real || !root)
		file_error(d, path, NULL, "cannot open", errno);
	else if (!any_path(d) && !is_below(real, root))
		file_error(d, path, "put the file itself there, or allow it with --allow-paths",
			   "is a link out of the folder", 0);
	else
		b = map_path(real, O_NOFOLLOW, d);
	free(real);
	free(root);
	free(path);
	return b;
}

/* ---- writing ---- */

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Makes a folder, and first those above it where they are missing. 0 or an error number; `path` is changed and restored. */
static int make_folders(char *path)
{
	if (is_folder(path) || mkdir(path, 0777) == 0)
		return 0;
	int error = errno;
	char *end = path + strlen(path);
	while (end > path && end[-1] == '/') /* slashes at the end */
		end--;
	while (end > path && end[-1] != '/')
		end--;
	if (error == ENOENT && end > path + 1) {
		char first = *end;
		*end = '\0';
		error = make_folders(path);
		*end = first;
		if (!error)
			error = mkdir(path, 0777) == 0 ? 0 : errno;
	}
	if (error == EEXIST) /* another program may have made it just now */
		error = is_folder(path) ? 0 : ENOTDIR;
	return error;
}

int dir_make(const char *path, struct diags *d)
{
	char *copy = xstrdup(path);
	int error = make_folders(copy);
	free(copy);
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

/* The folder that a path leads to, "." where it has none, and the name in it. */
static char *folder_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? xstrdup(path) : xstrdup(".");
	*name = slash ? slash + 1 : path;
	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

/* Whether that is a temporary name of the file, as file_create makes them. */
static bool is_temporary_of(const char *entry, const char *name)
{
	size_t n = strlen(name);
	return *entry == '.' && !strncmp(entry + 1, name, n) && entry[n + 1] == '.' &&
	       strspn(entry + n + 2, "0123456789abcdef") == FILE_ID_SIZE - 1 &&
	       !strcmp(entry + n + 1 + FILE_ID_SIZE, ".qcc");
}

/* Deletes what runs that were killed left; those that live hold a lock. */
static void remove_leftovers(const char *folder, const char *name)
{
	DIR *all = opendir(folder);
	for (struct dirent *entry; all && (entry = readdir(all));) {
		if (!is_temporary_of(entry->d_name, name))
			continue;
		char *path = path_join(folder, entry->d_name);
		int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlink(path);
		if (fd >= 0)
			close(fd);
		free(path);
	}
	if (all)
		closedir(all);
}

/* A new file beside `path`, open and locked; its name goes to *temporary. -1 with errno. */
static int open_temporary(const char *path, char **temporary)
{
	const char *name;
	char id[FILE_ID_SIZE], *folder = folder_of(path, &name);
	struct strbuf hidden = { 0 };
	remove_leftovers(folder, name);
	strbuf_printf(&hidden, ".%s.%s.qcc", name, file_new_id(id));
	*temporary = path_join(folder, hidden.text);
	int fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd >= 0)
		flock(fd, LOCK_EX | LOCK_NB);
	strbuf_free(&hidden);
	free(folder);
	return fd;
}

static void delete_unfinished(struct memory_hook *hook)
{
	file_abandon((struct file_out *)((char *)hook - offsetof(struct file_out, hook)));
}

int file_create(struct file_out *f, const char *path, struct diags *d)
{
	*f = (struct file_out){ .path = xstrdup(path) };
	if (is_folder(path)) {
		file_error(d, path, "name a file in it", "is a folder", 0);
		file_abandon(f);
		return -1;
	}
	int fd;
	f->in_transaction = output_holds(path);
	if (file_is_standard(path))
		fd = dup(STDOUT_FILENO);
	else if (f->in_transaction)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	else
		fd = must_write_in_place(path) ? open(path, O_WRONLY | O_CLOEXEC) : open_temporary(path, &f->temporary);
	f->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
	memory_hook_add(&f->hook, delete_unfinished);
	if (f->stream)
		return 0;
	file_error(d, path, NULL, "cannot write", errno);
	if (fd >= 0)
		close(fd);
	else
		free(f->temporary); /* was never made: nothing to delete */
	f->temporary = fd >= 0 ? f->temporary : NULL;
	file_abandon(f);
	return -1;
}

/* Data reach the disk before the name does. Pipes and devices cannot do it, and need not. */
static int sync_file(FILE *stream)
{
	return fsync(fileno(stream)) < 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? -1 : 0;
}

/* Why an earlier write to the stream failed. The stream knows only that it did, so one more byte is tried; the file is
 * given up in any case. */
static int cause_of(FILE *stream)
{
	errno = 0;
	return write(fileno(stream), "", 1) < 0 && errno ? errno : EIO;
}

int file_commit(struct file_out *f, struct diags *d)
{
	int error = 0;
	errno = 0;
	if (ferror(f->stream))
		error = cause_of(f->stream);
	else if (fflush(f->stream) != 0 || (!f->in_transaction && sync_file(f->stream) < 0))
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
	memory_hook_remove(&f->hook);
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

/* The list of the files that a run wrote; manifest.h says what is in it. */
#include "util/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/memory.h"
#include "util/vec.h"

/* ---- fingerprints ---- */

enum { WHOLE = 1 << 20 }; /* of longer files the beginning and the end are looked at */

/* Eight bytes at a time, the last ones one by one. */
static uint64_t hash_bytes(uint64_t h, const unsigned char *bytes, size_t n)
{
	const uint64_t prime = 0x100000001b3;
	uint64_t word;
	for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
		memcpy(&word, bytes, sizeof word);
		h = (h ^ word) * prime;
		h ^= h >> 32;
	}
	while (n--)
		h = (h ^ *bytes++) * prime;
	return h;
}

static uint64_t hash_part(uint64_t h, int fd, off_t from, size_t size)
{
	unsigned char buffer[1 << 14];
	ssize_t n;
	while (size && (n = pread(fd, buffer, size < sizeof buffer ? size : sizeof buffer, from)) > 0) {
		h = hash_bytes(h, buffer, (size_t)n);
		from += n;
		size -= (size_t)n;
	}
	return h;
}

static struct fingerprint fingerprint_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return (struct fingerprint){ -1, 0 };
	uint64_t hash = hash_part(0xcbf29ce484222325, fd, 0, st.st_size < WHOLE ? (size_t)st.st_size : WHOLE);
	if (st.st_size > WHOLE)
		hash = hash_part(hash, fd, st.st_size - WHOLE / 2, WHOLE / 2);
	return (struct fingerprint){ (int64_t)st.st_size, hash };
}

bool manifest_is_as_written(const char *path, const struct fingerprint *written)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct fingerprint now = fd >= 0 ? fingerprint_of(fd) : (struct fingerprint){ -1, 0 };
	if (fd >= 0)
		close(fd);
	return now.size >= 0 && now.size == written->size && now.hash == written->hash;
}

/* ---- writing ---- */

/* Files of a run on their way to the disk. Several threads wait for it, because the disk takes what is asked at the same
 * time in one go. */
struct settling {
	struct path_list paths;	     /* complete ones */
	struct fingerprint *written; /* of each; size -1: links */
	atomic_size_t next;
	atomic_int error;    /* the first; 0: none */
	atomic_size_t where; /* its path's place */
};

enum { SYNC_THREADS = 8 };

static void *settle_some(void *settling)
{
	struct settling *s = settling;
	for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->paths.count;) {
		int fd = open(s->paths.items[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC), none = 0;
		s->written[i] = fd >= 0 ? fingerprint_of(fd) : (struct fingerprint){ -1, 0 };
		if (fd < 0 && errno == ELOOP)
			continue;
		if ((fd < 0 || (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)) &&
		    atomic_compare_exchange_strong(&s->error, &none, errno))
			atomic_store(&s->where, i);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

int manifest_settle(struct arena *a, const char *folder, const struct path_list *files, struct fingerprint *written,
		    struct diags *d)
{
	struct settling s = { .written = written };
	size_t n = 0, wanted = files->count < SYNC_THREADS ? files->count : SYNC_THREADS;
	pthread_t *threads = arena_array(a, pthread_t, wanted);
	for (size_t i = 0; i < files->count; i++)
		vec_push(&s.paths, path_in(a, folder, files->items[i]));
	while (n + 1 < wanted && pthread_create(&threads[n], NULL, settle_some, &s) == 0)
		n++;
	settle_some(&s);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	int error = atomic_load(&s.error);
	int status = !error ? 0
			    : diag_error(d, "name another one with -o", "cannot write '%s': %s",
					 s.paths.items[atomic_load(&s.where)], strerror(error));
	vec_free(&s.paths);
	return status;
}

/* ---- reading ---- */

char *manifest_read(const char *path, struct diags *d)
{
	bool there = access(path, F_OK) == 0;
	struct blob *b = there ? file_map(path, d) : NULL;
	if (there && !b)
		return NULL;
	char *text = xcalloc(1, b ? b->size + 1 : 1);
	if (b)
		memcpy(text, b->base, b->size);
	blob_unref(b);
	return text;
}

void manifest_add(struct strbuf *b, const char *path, const struct fingerprint *f)
{
	if (f->size >= 0 && !strchr(path, '\n'))
		strbuf_printf(b, "%" PRId64 " %016" PRIx64 " %s\n", f->size, f->hash, path);
}

bool manifest_next(char **at, struct manifest_entry *e)
{
	while (**at) {
		int used = 0;
		char *line = *at, *end = line + strcspn(line, "\n");
		*at = *end ? end + 1 : end;
		*end = '\0';
		if (sscanf(line, "%" SCNd64 " %" SCNx64 " %n", &e->written.size, &e->written.hash, &used) != 2 || !used)
			continue;
		e->path = line + used;
		if (*e->path && *e->path != '/' && !strstr(e->path, ".."))
			return true;
	}
	return false;
}

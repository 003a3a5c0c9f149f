/* Each call by which files are written made to fail in turn: open, mkdir, opendir, write, fsync, close, link, rename. The job
 * is libqcc's: read, streamline, fold, write through backends into a folder in which an earlier run's files are, and as a file.
 * Each time it ends with an error and a message and the earlier files as they were, or (where nothing needed that call) with
 * the same files as without; no temporary file, no descriptor and (under LeakSanitizer) no memory is left.
 * QCC_FAILING_FILES=1 tries every call; by default about 80.
 *
 * The calls are replaced in this program. Streams write inside the C library, so fdopen gives streams whose writing is done
 * here. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "job.h"

const char job_folder[] = "failing_files.out", job_file[] = "failing_files.onnx";

static atomic_long calls, fails_at;
static const char *failed_call; /* its name, for messages */

static bool fails(const char *name, int error)
{
	if (atomic_fetch_add(&calls, 1) + 1 != atomic_load(&fails_at))
		return false;
	failed_call = name;
	errno = error;
	return true;
}

/* ---- the calls ---- */

int open(const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	unsigned mode = flags & O_CREAT ? va_arg(list, unsigned) : 0;
	va_end(list);
	return fails("open", EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
	int status = (int)syscall(SYS_close, fd);
	return fails("close", EIO) ? -1 : status; /* closed all the same */
}

int mkdir(const char *path, mode_t mode)
{
	return fails("mkdir", ENOSPC) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char *from, const char *to)
{
	return fails("rename", EIO) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
	return fails("link", EPERM) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd)
{
	return fails("fsync", EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

DIR *opendir(const char *path)
{
	if (fails("opendir", EMFILE))
		return NULL;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

/* ---- streams ---- */

static struct {
	FILE *stream;
	int fd;
} streams[16];

static ssize_t stream_write(void *place, const char *bytes, size_t size)
{
	int fd = streams[(intptr_t)place].fd;
	if (fails("write", ENOSPC))
		return 0;
	for (size_t done = 0; done < size;) {
		long n = syscall(SYS_write, fd, bytes + done, size - done);
		if (n < 0)
			return 0;
		done += (size_t)n;
	}
	return (ssize_t)size;
}

static int stream_close(void *place)
{
	streams[(intptr_t)place].stream = NULL;
	return close(streams[(intptr_t)place].fd);
}

FILE *fdopen(int fd, const char *mode)
{
	const cookie_io_functions_t functions = { .write = stream_write, .close = stream_close };
	intptr_t place = 0;
	while (streams[place].stream)
		place++;
	if (fails("fdopen", EMFILE))
		return NULL;
	streams[place].fd = fd;
	return streams[place].stream = fopencookie((void *)place, mode, functions);
}

int fileno(FILE *stream)
{
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
		if (streams[i].stream == stream)
			return streams[i].fd;
	errno = EBADF;
	return -1;
}

/* ---- the test ---- */

static void calm(void)
{
	atomic_store(&fails_at, 0);
}

static int descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Another run's files first, then the job in whose call number `at` something fails (0: in none). */
static struct outcome run(const char *model, long at, struct outcome *before)
{
	job_remove_files();
	*before = job_do(model, "streamline", "c(packed),dot", calm);
	atomic_store(&calls, 0);
	atomic_store(&fails_at, at);
	return job_do(model, "streamline,fold", "finn,c,hls", calm);
}

/* What is wrong with the outcome; NULL where nothing is. */
static const char *fault(struct outcome o, struct outcome whole, struct outcome before)
{
	if (o.failed && !o.said)
		return "failed without a message";
	if (!o.failed && (o.folder != whole.folder || o.file != whole.file))
		return "succeeded with other files";
	if (!o.failed)
		return NULL;
	bool folder_was_done = o.folder == whole.folder; /* and writing the file failed */
	return o.file != before.file || (o.folder != before.folder && !folder_was_done)
		       ? "did not leave the earlier files as they were"
		       : NULL;
}

int main(void)
{
	const char *src = getenv("QCC_SRC"), *all = getenv("QCC_FAILING_FILES");
	char model[1024];
	struct outcome before;
	snprintf(model, sizeof model, "%s/models/mlp_2w2a/model.onnx", src ? src : ".");
	struct outcome whole = run(model, 0, &before);
	long total = calls, step = all ? 1 : total / 80 + 1, tried = 0, errors = 0, wrong = 0;
	int open_before = descriptors();
	for (long at = 1; at <= total; at += step, tried++) {
		struct outcome o = run(model, at, &before);
		const char *why = fault(o, whole, before);
		if (failed_call &&
		    !strcmp(failed_call, "opendir")) /* what cannot be listed is deleted by the next run */
			job_do(model, "streamline", "dot", calm);
		if (job_left_debris())
			why = "left temporary files";
		if (descriptors() != open_before)
			why = "left a file open";
		errors += o.failed;
		wrong += why != NULL;
		if (why && wrong < 20)
			printf("# call %ld (%s): %s\n", at, failed_call, why);
	}
	job_remove_files();
	printf("%s 1 - %ld of %ld calls made to fail, %ld runs failed, %ld in a wrong way\n1..1\n",
	       wrong || whole.failed || tried < 20 ? "not ok" : "ok", tried, total, errors, wrong);
	return wrong > 0;
}

/* An output folder as a transaction; output.h says how. */
#include "util/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/file.h"
#include "util/manifest.h"
#include "util/map.h"
#include "util/memory.h"
#include "util/strbuf.h"
#include "util/tree.h"
#include "util/vec.h"

struct output {
	struct arena arena;
	enum output_mode mode;
	const char *dir;
	const char *made;	    /* the topmost folder that was not there before; NULL: all were */
	const char *own;	    /* DIR/.qcc */
	const char *staging, *tree; /* .qcc/new-ID and the folder in it that the run writes to */
	int staging_fd;		    /* locked as long as the run lives */
	int lock_fd;		    /* the output folder's lock while this run holds it; -1 */
	bool signals_wait;
	sigset_t signals_before;
	struct memory_hook hook; /* abandons the run where memory runs out */
};

static int output_error(struct diags *d, const char *path, const char *what, int error)
{
	return diag_error(d, "name another one with -o", "%s '%s': %s", what, path, strerror(error));
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- committing ---- */

/* Files of the old list that are not among the new ones and still are what was written. */
static void remove_stale(struct arena *a, const char *dir, char *old, const struct map *kept)
{
	struct manifest_entry e;
	for (char *at = old; manifest_next(&at, &e);) {
		const char *path = path_in(a, dir, e.path);
		if (!map_has(kept, e.path) && manifest_is_as_written(path, &e.written) && unlink(path) == 0)
			tree_remove_empty_parents(a, dir, e.path);
	}
}

/* Where the files of a run go, and what is kept of those that they replace until all are there. */
static struct move move_of(struct arena *a, const char *dir, const char *commit)
{
	return (struct move){ path_in(a, commit, "tree"), dir, path_in(a, commit, "saved"), false, { NULL, NULL } };
}

/* The same for its list of files, the last to be moved. */
static struct move list_move_of(struct arena *a, const char *own, const char *commit)
{
	return (struct move){ commit, own, path_in(a, commit, "saved-list"), false, { NULL, NULL } };
}

/* Reads the list of the run (which a run that was killed may have moved already) and the one before. */
static int read_lists(struct arena *a, const char *own, const char *commit, char **fresh, char **old, struct diags *d)
{
	const char *list = path_in(a, commit, "files"), *final = path_in(a, own, "files"),
		   *saved = path_in(a, commit, "saved-list/files");
	*fresh = manifest_read(access(list, F_OK) == 0 ? list : final, d);
	*old = *fresh ? manifest_read(access(saved, F_OK) == 0 ? saved : final, d) : NULL;
	return *old ? 0 : -1;
}

/* The files of the run go to their places, and its list. 0; or -1 with a diagnostic: *back says whether all is as before. */
static int move_all(struct arena *a, const char *dir, const char *own, const char *commit, bool *back, struct diags *d)
{
	struct move m = move_of(a, dir, commit), list = list_move_of(a, own, commit);
	struct path_list files = { 0 };
	size_t moved = 0;
	int status = tree_list(a, m.from, &files, d);
	while (status == 0 && moved < files.count && (status = tree_move(a, &m, files.items[moved], d)) == 0)
		moved++;
	if (status == 0 && access(path_in(a, commit, "files"), F_OK) == 0)
		status = tree_move(a, &list, "files", d);
	*back = status < 0 && tree_move_back(a, &m, files.items, moved);
	vec_free(&files);
	return status;
}

/* The run whose folder is `commit` counts: its files go to their places. May have been begun before. With mode add its list
 * has the earlier files too. -1 with a diagnostic: *back says whether all is as it was when this was called. */
static int finish_commit(struct arena *a, const char *dir, const char *own, const char *commit, bool *back,
			 struct diags *d)
{
	struct map kept = { 0 };
	struct manifest_entry e;
	char *fresh = NULL, *old = NULL;
	*back = true;
	int status = read_lists(a, own, commit, &fresh, &old, d);
	if (status == 0)
		status = move_all(a, dir, own, commit, back, d);
	if (status == 0) {
		for (char *at = fresh; manifest_next(&at, &e);)
			map_set(&kept, arena_strdup(a, e.path), (void *)1);
		remove_stale(a, dir, old, &kept);
		tree_remove(commit);
		tree_sync(dir);
	}
	map_free(&kept);
	free(fresh);
	free(old);
	return status;
}

/* Brings the files to the disk and writes their list; with the earlier one's other files where they are to stay. */
static int write_list(struct output *o, const struct path_list *files, bool add, struct diags *d)
{
	struct map own = { 0 };
	struct strbuf text = { 0 };
	struct manifest_entry e;
	struct fingerprint *written = arena_array(&o->arena, struct fingerprint, files->count);
	char *old = manifest_read(path_in(&o->arena, o->own, "files"), d);
	int status = old ? manifest_settle(&o->arena, o->tree, files, written, d) : -1;
	for (size_t i = 0; i < files->count && status == 0; i++) {
		map_set(&own, files->items[i], (void *)1);
		manifest_add(&text, files->items[i], &written[i]);
	}
	for (char *at = old; status == 0 && add && manifest_next(&at, &e);)
		if (!map_has(&own, e.path))
			manifest_add(&text, e.path, &e.written);
	if (status == 0)
		status = file_write(path_in(&o->arena, o->staging, "files"), strbuf_text(&text), text.length, d);
	free(old);
	strbuf_free(&text);
	map_free(&own);
	return status;
}

/* An error where something else than a folder stands in the place of one on the way to a path. Those before `from` are known. */
static int check_folders(char *path, char *from, struct diags *d)
{
	struct stat st;
	int status = 0;
	for (char *slash = from; status == 0 && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			status = output_error(d, path, "cannot make this folder", ENOTDIR);
		*slash = '/';
	}
	return status;
}

/* How much of two paths are the same folders. */
static size_t same_folders(const char *a, const char *b)
{
	size_t same = 0;
	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			same = i + 1;
	return same;
}

/* A folder of the user's in the place of a file, or a file in that of a folder, is found before anything is moved. The files
 * are sorted. */
static int check_places(struct output *o, const struct path_list *files, struct diags *d)
{
	struct stat st;
	int status = 0;
	for (size_t i = 0; i < files->count && status == 0; i++) {
		char *path = path_in(&o->arena, o->dir, files->items[i]),
		     *name = path + strlen(path) - strlen(files->items[i]);
		status = check_folders(path, name + (i ? same_folders(files->items[i - 1], name) : 0), d);
		if (status == 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			status = output_error(d, path, "cannot write", EISDIR);
	}
	return status;
}

/* ---- locks ---- */

/* Waits until no other run moves files in the folder. The descriptor, which must be closed, or -1 with errno. File systems
 * that know no locks are used without. */
static int lock_folder(const char *dir)
{
	for (;;) {
		struct stat mine, now;
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
		if (fstat(fd, &mine) == 0 && stat(dir, &now) == 0 && mine.st_ino == now.st_ino &&
		    mine.st_dev == now.st_dev)
			return fd;
		close(fd); /* a run that failed removed it in the meantime */
		if (mkdir(dir, 0777) < 0 && errno != EEXIST)
			return -1;
	}
}

static bool is_alive(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool alive = fd < 0 ? errno != ENOENT : flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return alive;
}

/* What runs that were killed left in .qcc. Called with the folder locked. */
static int tidy_up(struct output *o, struct diags *d)
{
	DIR *all = opendir(o->own);
	bool back;
	int status = all ? 0 : output_error(d, o->own, "cannot read folder", errno);
	for (struct dirent *entry; status == 0 && all && (entry = readdir(all));) {
		const char *path = path_in(&o->arena, o->own, entry->d_name);
		if (!strncmp(entry->d_name, "commit-", 7))
			status = finish_commit(&o->arena, o->dir, o->own, path, &back, d);
		else if (!strncmp(entry->d_name, "new-", 4) && !is_alive(path))
			tree_remove(path);
	}
	if (all)
		closedir(all);
	return status;
}

/* ---- the run ---- */

/* The first folder on the way to dir that is not there yet. */
static const char *first_missing(struct arena *a, const char *dir)
{
	struct stat st;
	char *part = arena_strdup(a, dir);
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (*part && lstat(part, &st) < 0)
			return part;
		*slash = '/';
	}
	return lstat(dir, &st) < 0 ? dir : NULL;
}

static int make_staging(struct output *o, struct diags *d)
{
	char id[FILE_ID_SIZE];
	if (dir_make(o->own, d) < 0 || tidy_up(o, d) < 0)
		return -1;
	o->staging = path_in(&o->arena, o->own, arena_printf(&o->arena, "new-%s", file_new_id(id)));
	o->tree = path_in(&o->arena, o->staging, "tree");
	if (mkdir(o->staging, 0777) < 0)
		return output_error(d, o->dir, "cannot write into folder", errno);
	o->staging_fd = open(o->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->staging_fd >= 0)
		flock(o->staging_fd, LOCK_EX | LOCK_NB);
	if (o->staging_fd < 0 || mkdir(o->tree, 0777) < 0)
		return output_error(d, o->dir, "cannot write into folder", errno);
	return 0;
}

static int lock(struct output *o, struct diags *d)
{
	o->lock_fd = lock_folder(o->dir);
	return o->lock_fd < 0 ? output_error(d, o->dir, "cannot write into folder", errno) : 0;
}

static void unlock(struct output *o)
{
	if (o->lock_fd >= 0)
		close(o->lock_fd);
	o->lock_fd = -1;
}

static void abandon_run(struct memory_hook *hook)
{
	output_abandon((struct output *)((char *)hook - offsetof(struct output, hook)), NULL);
}

struct output *output_begin(const char *dir, enum output_mode mode, struct diags *d)
{
	struct output *o = xcalloc(1, sizeof *o);
	arena_init(&o->arena);
	o->mode = mode;
	o->staging_fd = o->lock_fd = -1;
	memory_hook_add(&o->hook, abandon_run);
	o->dir = arena_strdup(&o->arena, dir);
	o->own = path_in(&o->arena, dir, ".qcc");
	o->made = first_missing(&o->arena, dir);
	int status = dir_make(dir, d);
	if (status == 0)
		status = lock(o, d);
	if (status == 0)
		status = access(dir, W_OK | X_OK) < 0 ? output_error(d, dir, "cannot write into folder", errno)
						      : make_staging(o, d);
	unlock(o);
	if (status == 0)
		return o;
	output_abandon(o, NULL);
	return NULL;
}

bool output_holds(const char *path)
{
	const char *own = strstr(path, ".qcc/new-");
	return own && (own == path || own[-1] == '/') && strstr(own, "/tree/");
}

const char *output_dir(const struct output *o)
{
	return o->tree;
}

static void release(struct output *o)
{
	memory_hook_remove(&o->hook);
	if (o->signals_wait)
		pthread_sigmask(SIG_SETMASK, &o->signals_before, NULL);
	if (o->staging_fd >= 0)
		close(o->staging_fd);
	arena_free(&o->arena);
	free(o);
}

/* With the folder locked. */
static int commit(struct output *o, bool add, struct diags *d)
{
	const char *commit =
		path_in(&o->arena, o->own, arena_printf(&o->arena, "commit-%s", strrchr(o->staging, '-') + 1));
	struct path_list files = { 0 };
	int status = tree_list(&o->arena, o->tree, &files, d);
	if (files.count)
		qsort(files.items, files.count, sizeof *files.items, compare_paths);
	if (status == 0)
		status = check_places(o, &files, d);
	if (status == 0)
		status = write_list(o, &files, add, d);
	vec_free(&files);
	if (status < 0)
		return -1;
	tree_sync(o->tree);
	if (rename(o->staging, commit) < 0)
		return output_error(d, o->dir, "cannot write into folder", errno);
	bool back;
	status = finish_commit(&o->arena, o->dir, o->own, commit, &back, d);
	if (status < 0 && back && rename(commit, o->staging) == 0)
		return -1; /* the run does not count, as if it had failed before */
	o->staging = commit;
	return status;
}

int output_commit(struct output *o, struct diags *d)
{
	/* Ctrl-C and kill wait until all files are in place; what SIGKILL leaves, the next run completes. */
	sigset_t wait;
	sigemptyset(&wait);
	sigaddset(&wait, SIGINT);
	sigaddset(&wait, SIGTERM);
	sigaddset(&wait, SIGHUP);
	o->signals_wait = pthread_sigmask(SIG_BLOCK, &wait, &o->signals_before) == 0;
	int status = lock(o, d);
	if (status == 0)
		status = commit(o, o->mode == OUTPUT_ADD, d);
	unlock(o);
	if (status < 0) {
		output_abandon(o, NULL);
		return -1;
	}
	release(o);
	return 0;
}

/* Folders from the one that was made first to the output folder itself, where nothing is in them. */
static void remove_made(struct output *o)
{
	char *part = arena_strdup(&o->arena, o->dir);
	size_t least = o->made ? strlen(o->made) : SIZE_MAX;
	rmdir(o->own);
	while (strlen(part) >= least && rmdir(part) == 0) {
		char *slash = strrchr(part, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
}

void output_abandon(struct output *o, const char *keep)
{
	struct diags quiet = { 0 };
	struct stat st;
	if (!o)
		return;
	if (o->staging && o->lock_fd < 0)
		o->lock_fd = lock_folder(o->dir);
	if (keep && o->lock_fd >= 0 && stat(path_in(&o->arena, o->tree, keep), &st) == 0) {
		const char *part = path_in(&o->arena, o->staging, "kept");
		const char *to = path_in(&o->arena, part, keep);
		char *folder = arena_strdup(&o->arena, to);
		*strrchr(folder, '/') = '\0';
		if (dir_make(folder, &quiet) == 0 && rename(path_in(&o->arena, o->tree, keep), to) == 0) {
			tree_remove(o->tree);
			if (rename(part, o->tree) == 0)
				commit(o, true, &quiet);
		}
	}
	if (o->staging && !strstr(o->staging, "commit-"))
		tree_remove(o->staging);
	remove_made(o);
	unlock(o);
	diags_free(&quiet);
	release(o);
}

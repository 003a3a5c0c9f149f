/* Folders and all that is in them; tree.h says what. */
#include "util/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/vec.h"

static int failed(struct diags *d, const char *path, const char *what)
{
	return diag_error(d, "name another one with -o", "%s '%s': %s", what, path, strerror(errno));
}

/* ---- listing, deleting ---- */

/* Whether an entry of a folder, which lies at that path, is a folder itself, and no link to one. */
static bool is_folder(const struct dirent *entry, const char *path)
{
	struct stat st;
#ifdef DT_DIR
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
#endif
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Files below folder/under. */
static int list_below(struct arena *a, const char *folder, const char *under, struct path_list *out, struct diags *d)
{
	const char *whole = *under ? path_in(a, folder, under) : folder;
	DIR *all = opendir(whole);
	int status = all || errno == ENOENT ? 0 : failed(d, whole, "cannot read folder");
	for (struct dirent *entry; status == 0 && all && (entry = readdir(all));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		const char *path = *under ? path_in(a, under, entry->d_name) : arena_strdup(a, entry->d_name);
		if (is_folder(entry, path_in(a, folder, path)))
			status = list_below(a, folder, path, out, d);
		else
			vec_push(out, path);
	}
	if (all)
		closedir(all);
	return status;
}

int tree_list(struct arena *a, const char *folder, struct path_list *out, struct diags *d)
{
	return list_below(a, folder, "", out, d);
}

void tree_remove(const char *folder)
{
	DIR *all = opendir(folder);
	for (struct dirent *entry; all && (entry = readdir(all));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		char *path = path_join(folder, entry->d_name);
		if (is_folder(entry, path))
			tree_remove(path);
		else
			unlink(path);
		free(path);
	}
	if (all)
		closedir(all);
	rmdir(folder);
}

void tree_remove_empty_parents(struct arena *a, const char *dir, const char *path)
{
	char *part = arena_strdup(a, path);
	for (char *slash; (slash = strrchr(part, '/'));) {
		*slash = '\0';
		if (rmdir(path_in(a, dir, part)) < 0)
			return;
	}
}

void tree_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd); /* file systems that cannot do it say so; nothing follows from that */
	close(fd);
}

/* ---- moving ---- */

/* Makes the folder that a file lies in, unless it is *ready; 0, or -1 with a diagnostic. */
static int make_parent(struct arena *a, const char *path, const char **ready, struct diags *d)
{
	char *folder = arena_strdup(a, path);
	*strrchr(folder, '/') = '\0';
	if (*ready && !strcmp(*ready, folder))
		return 0;
	int status = dir_make(folder, d);
	*ready = status == 0 ? folder : NULL;
	return status;
}

/* Gives what lies at a path a second name. True where that was done, or nothing lies there. */
static bool keep(struct arena *a, const char *path, const char *as, const char **ready)
{
	struct diags quiet = { 0 };
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT;
	bool kept = make_parent(a, as, ready, &quiet) == 0 && (link(path, as) == 0 || errno == EEXIST);
	diags_free(&quiet);
	return kept;
}

int tree_move(struct arena *a, struct move *m, const char *path, struct diags *d)
{
	const char *to = path_in(a, m->to, path);
	if (make_parent(a, to, &m->ready[0], d) < 0)
		return -1;
	m->one_way |= !keep(a, to, path_in(a, m->saved, path), &m->ready[1]);
	if (rename(path_in(a, m->from, path), to) == 0)
		return 0;
	failed(d, to, "cannot write");
	tree_remove_empty_parents(a, m->to, path);
	m->ready[0] = NULL;
	return -1;
}

bool tree_move_back(struct arena *a, const struct move *m, const char *const *paths, size_t count)
{
	bool good = !m->one_way;
	for (size_t i = count; good && i-- > 0;) {
		const char *to = path_in(a, m->to, paths[i]), *saved = path_in(a, m->saved, paths[i]);
		good = rename(to, path_in(a, m->from, paths[i])) == 0 && (rename(saved, to) == 0 || errno == ENOENT);
		tree_remove_empty_parents(a, m->to, paths[i]);
	}
	return good;
}

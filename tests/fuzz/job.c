/* The job in which something fails (see job.h). */
#include "job.h"

#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcc/qcc.h"

/* ---- files ---- */

static uint64_t sum;

static int add_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	int c;
	(void)st;
	(void)f;
	if (type != FTW_F || strstr(path, "/.qcc/new-") ||
	    strstr(path, "/.qcc/commit-")) /* job_left_debris tells of those */
		return 0;
	uint64_t h = 14695981039346656037u;
	for (const char *p = path; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	FILE *bytes = fopen(path, "rb");
	while (bytes && (c = fgetc(bytes)) != EOF)
		h = (h ^ (unsigned)c) * 1099511628211u;
	if (bytes)
		fclose(bytes);
	sum += h;
	return 0;
}

static uint64_t contents(const char *path)
{
	sum = 0;
	nftw(path, add_file, 16, FTW_PHYS);
	return sum;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void job_remove_files(void)
{
	nftw(job_folder, delete_one, 16, FTW_DEPTH | FTW_PHYS);
	remove(job_file);
}

bool job_left_debris(void)
{
	static const char *const patterns[] = { ".%s.*", "%s/.qcc/new-*", "%s/.qcc/commit-*" };
	bool any = false;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		char pattern[128];
		glob_t found = { 0 };
		snprintf(pattern, sizeof pattern, patterns[i], i ? job_folder : job_file);
		any |= glob(pattern, 0, NULL, &found) == 0;
		for (size_t k = 0; k < found.gl_pathc; k++)
			nftw(found.gl_pathv[k], delete_one, 16, FTW_DEPTH | FTW_PHYS);
		globfree(&found);
	}
	return any;
}

/* ---- the job ---- */

struct outcome job_do(const char *model, const char *passes, const char *backends, void (*calm)(void))
{
	struct outcome o = { 0 };
	struct qcc_model *m = qcc_load(model);
	o.failed = qcc_run(m, passes) != 0 || qcc_emit(m, backends, job_folder) != 0 || qcc_write(m, job_file) != 0;
	calm();
	o.said = *qcc_messages(m) != '\0';
	qcc_free(m);
	o.folder = contents(job_folder);
	o.file = contents(job_file);
	return o;
}

/* The job that is done again and again while something fails in it: a model is read, streamlined, folded, written through
 * backends into a folder, and as a file. */
#ifndef QCC_FUZZ_JOB_H
#define QCC_FUZZ_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct outcome {
	bool failed; /* a call gave -1 */
	bool said;   /* and there are messages */
	uint64_t folder,
		file; /* names and bytes of all files of both, also of those that qcc keeps for itself; 0: none */
};

/* Each program says how its files are called: they run at the same time. */
extern const char job_folder[], job_file[];

/* Does it with the folder and the file as they are. `calm` is called before the messages are asked for. */
struct outcome job_do(const char *model, const char *passes, const char *backends, void (*calm)(void));
void job_remove_files(void);
/* What the calls left that nobody has a use for: temporary files, folders of runs. */
bool job_left_debris(void);

#endif

/* The limits that the user sets for a run, and what is allowed beyond them. They are reached through the diagnostics, which every function that can
 * fail receives. */
#ifndef QCC_UTIL_LIMITS_H
#define QCC_UTIL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct diags;

struct limits {
	int64_t memory;	  /* bytes that tensors of one execution take together; 0: in proportion to the model */
	double seconds;	  /* as the user gave them; 0: no limit */
	int64_t deadline; /* nanoseconds of a clock that only goes forward, at which work stops; 0: none */
	bool any_path;	  /* files that a model names may lie anywhere */
	/* Told how far a long loop is, 0 to 1, by its name, a constant text; by the thread that made the call. NULL: nobody. */
	void (*progress)(void *user, const char *what, double done);
	void *progress_user;
};

/* Sets seconds, and the deadline from now on. */
void limits_start(struct limits *l, double seconds);
/* Loops that a model can make long ask now and then: -1 with a diagnostic once the deadline is past or memory ran out
 * (see util/memory.h). */
int limits_check(struct diags *d);

/* Loops that may take seconds tell how far they are; at their end 1. */
void progress_tell(const struct diags *d, const char *what, double done);

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

#endif

/* Limits of time (see limits.h). */
#include "util/limits.h"

#include <time.h>

#include "util/diag.h"
#include "util/memory.h"

/* Nanoseconds of a clock that only goes forward. */
static int64_t limits_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void limits_start(struct limits *l, double seconds)
{
	l->seconds = seconds;
	l->deadline = seconds > 0 ? limits_now() + (int64_t)(seconds * 1e9) : 0;
}

int limits_check(struct diags *d)
{
	const struct limits *l = d->limits;
	if (memory_failed())
		return diag_error(d, NULL, "out of memory");
	if (!l || !l->deadline || limits_now() < l->deadline)
		return 0;
	return diag_error(d, "allow more with --max-seconds", "not finished within %g seconds", l->seconds);
}

void progress_tell(const struct diags *d, const char *what, double done)
{
	const struct limits *l = d->limits;
	if (l && l->progress)
		l->progress(l->progress_user, what, done);
}

double seconds_now(void)
{
	return 1e-9 * (double)limits_now();
}

/* Loading libraries at run time. */
#include "util/library.h"

#include <dlfcn.h>
#include <string.h>

static bool find_entries(void *library, const struct library_entry *entries)
{
	for (; entries->name; entries++) {
		void *found = dlsym(library, entries->name);
		if (!found)
			return false;
		memcpy(entries->to, &found, sizeof found);
	}
	return true;
}

void *library_open(const char *const *names, const struct library_entry *entries, struct diags *d)
{
	const char *name = "";
	for (; *names; names++) {
		name = *names;
		void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
		if (library && find_entries(library, entries))
			return library;
		if (library)
			dlclose(library);
	}
	diag_error(d, "install it", "the library %s is missing, or too old", name);
	return NULL;
}

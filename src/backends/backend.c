/* The table of backends, made from backends.def. */
#include "backends/backend.h"

#include <string.h>

const struct backend *const backend_table[] = {
#define BACKEND(symbol) &backend_##symbol,
#include "backends/backends.def"
#undef BACKEND
	NULL
};
const size_t backend_table_size = sizeof backend_table / sizeof *backend_table - 1;

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < backend_table_size; i++)
		if (!strcmp(backend_table[i]->name, name))
			return backend_table[i];
	return NULL;
}

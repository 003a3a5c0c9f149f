/* Reading JSON files (see json_file.h). */
#include "util/json_file.h"

#include "util/blob.h"
#include "util/file.h"

json_t *json_file_read(const char *path, struct diags *d)
{
	json_error_t error = { .line = 0 };
	const char *context = d->file;
	struct blob *b = file_map(path, d);
	if (!b)
		return NULL;
	json_t *root = json_loadb(b->base, b->size, JSON_REJECT_DUPLICATES, &error);
	blob_unref(b);
	if (json_is_object(root))
		return root;
	d->file = path;
	if (root)
		diag_error(d, NULL, "is no JSON object");
	else
		diag_error(d, NULL, "is no JSON, line %d: %s", error.line, error.text);
	d->file = context;
	json_decref(root);
	return NULL;
}

/* Reading JSON files that users name. */
#ifndef QCC_UTIL_JSON_FILE_H
#define QCC_UTIL_JSON_FILE_H

#include <jansson.h>

#include "util/diag.h"

/* The object in a regular file. NULL with a diagnostic (missing, a folder or a device, no JSON, a key twice, no object) that
 * names the file and, for what is no JSON, the line. The caller owns one reference. */
json_t *json_file_read(const char *path, struct diags *d);

#endif

/* In the place of the other files here where qcc is configured --without-lua. */
#include "script/script.h"

int script_run(const char *file, const struct script_options *o, char **ran, struct diags *d)
{
	(void)file;
	(void)o;
	*ran = xstrdup("");
	return diag_error(d, "use -p and -b, the Python package or the C library, or build qcc with Lua",
			  "this qcc was built without Lua: it does not run scripts");
}

char *script_reference(const char *word)
{
	return word ? NULL : xstrdup("this qcc was built without Lua: it does not run scripts\n");
}

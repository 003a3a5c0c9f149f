/* What scripts say and write: qcc.log, and qcc.write for files below the output folder. */
#include "script/lua_model.h"

#include <stdlib.h>
#include <string.h>

#include "util/file.h"
#include "util/output.h"

/* qcc.log(text [, severity]) */
int lua_log(lua_State *L)
{
	static const char *const severities[] = { "note", "warning", NULL };
	const char *text = luaL_checkstring(L, 1);
	int severity = luaL_checkoption(L, 2, "note", severities);
	diag_note(script_of(L)->diags, severity ? DIAG_WARNING : DIAG_NOTE, NULL, NULL, "%s", text);
	return 0;
}

/* ---- files ---- */

/* Names that stay below the folder on any system, and out of what qcc keeps in it (.qcc). */
static const char *check_path(lua_State *L, int i)
{
	const char *path = lua_check_text(L, i, "the file's name");
	for (const char *part = path;; part++) {
		size_t n = strcspn(part, "/");
		if (!n || *part == '.' || strchr(path, '\\'))
			luaL_error(
				L,
				"'%s' is no name of a file below the output folder: parts joined by '/', none empty, "
				"none that begins with '.'",
				path);
		part += n;
		if (!*part)
			return path;
	}
}

/* A cell of a table: quoted where it must be. */
static void add_cell(luaL_Buffer *b, lua_State *L, int cell)
{
	size_t n;
	const char *text = luaL_tolstring(L, cell, &n);
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;
	int copy = lua_gettop(L);
	if (quoted) {
		lua_pushliteral(L, "\"");
		luaL_gsub(L, text, "\"", "\"\"");
		lua_pushliteral(L, "\"");
		lua_concat(L, 3);
		lua_replace(L, copy);
	}
	lua_replace(L, cell);
	lua_pushvalue(L, cell);
	luaL_addvalue(b);
}

/* The rows at index 2 as comma-separated values; pushed as a text. */
static void push_csv(lua_State *L)
{
	luaL_Buffer b;
	lua_settop(L, 2);
	lua_pushnil(L); /* 3: the row */
	lua_pushnil(L); /* 4: the cell */
	luaL_buffinit(L, &b);
	for (lua_Integer r = 1, rows = (lua_Integer)lua_rawlen(L, 2); r <= rows; r++) {
		lua_rawgeti(L, 2, r);
		if (!lua_istable(L, -1))
			luaL_error(L, "row %d is no list: qcc.write takes a text, or a list of rows", (int)r);
		lua_replace(L, 3);
		for (lua_Integer c = 1, cells = (lua_Integer)lua_rawlen(L, 3); c <= cells; c++) {
			if (c > 1)
				luaL_addchar(&b, ',');
			lua_rawgeti(L, 3, c);
			lua_replace(L, 4);
			add_cell(&b, L, 4);
		}
		luaL_addchar(&b, '\n');
	}
	luaL_pushresult(&b);
}

static int write_below(struct script *s, const char *path, const char *text, size_t size, struct diags *d)
{
	struct output *o = output_begin(s->options->dir, OUTPUT_ADD, d);
	if (!o)
		return -1;
	char *place = path_join(output_dir(o), path), *slash = strrchr(place, '/');
	int status = 0;
	if (strchr(path, '/')) {
		*slash = '\0';
		status = dir_make(place, d);
		*slash = '/';
	}
	if (status == 0)
		status = file_write(place, text, size, d);
	free(place);
	if (status == 0)
		return output_commit(o, d);
	output_abandon(o, NULL);
	return -1;
}

/* qcc.write(path, text or rows): the path of the file. */
int lua_write(lua_State *L)
{
	struct script *s = script_of(L);
	const char *path = check_path(L, 1);
	size_t size;
	if (lua_istable(L, 2))
		push_csv(L);
	else
		luaL_checkstring(L, 2);
	const char *text = lua_tolstring(L, -1, &size);
	struct diags d = { .limits = s->diags->limits };
	if (!s->options->dry_run)
		write_below(s, path, text, size, &d);
	if (lua_push_errors(L, &d))
		return lua_raise(L);
	lua_pushfstring(L, "%s/%s", s->options->dir, path);
	return 1;
}

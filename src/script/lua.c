/* Lua, embedded: the state a script runs in, without io, os, package, debug and what loads other files: a script computes,
 * the passes and backends do the rest. What scripts can do with models is in the lua_*.c beside this. */
#include "script/lua_model.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"
#include "util/limits.h"
#include "util/memory.h"

/* ---- errors ---- */

/* The diagnostic without file and severity: the script adds its own place. */
static void add_error(struct strbuf *b, const struct diag *diag)
{
	if (b->length)
		strbuf_puts(b, "\n");
	if (diag->node)
		strbuf_printf(b, "node '%s' (%s): ", diag->node, diag->op);
	if (diag->pass)
		strbuf_printf(b, "pass %s: ", diag->pass);
	strbuf_puts(b, diag->cause);
	if (diag->remedy)
		strbuf_printf(b, "; %s", diag->remedy);
}

bool lua_push_errors(lua_State *L, struct diags *d)
{
	struct strbuf text = { 0 };
	for (const struct diag *diag = d->first; diag; diag = diag->next) {
		struct strbuf note = { 0 };
		if (diag->severity == DIAG_ERROR) {
			add_error(&text, diag);
			continue;
		}
		add_error(&note, diag);
		diag_note(script_of(L)->diags, diag->severity, NULL, NULL, "%s", note.text);
		strbuf_free(&note);
	}
	bool failed = d->errors > 0;
	if (failed)
		lua_pushlstring(L, strbuf_text(&text), text.length);
	strbuf_free(&text);
	diags_free(d);
	return failed;
}

int lua_raise(lua_State *L)
{
	int text = lua_gettop(L);
	luaL_where(L, 1);
	const char *where = lua_tostring(L, text + 1);
	const char *between = lua_pushfstring(L, "\n%s", where);
	lua_pushvalue(L, text + 1);
	luaL_gsub(L, lua_tostring(L, text), "\n", between);
	lua_concat(L, 2);
	return lua_error(L);
}

/* ---- the state ---- */

/* setmetatable without finalisers: they would run after the models are gone, and where no limit of time reaches. */
static int set_metatable(lua_State *L)
{
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not for scripts");
		lua_pop(L, 1);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* The standard library without what reaches files, processes or the interpreter. */
static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },	    { LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },  { LUA_COLIBNAME, luaopen_coroutine },
	};
	static const char *const removed[] = { "dofile", "loadfile", "load", "collectgarbage" };
	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
		lua_pushnil(L);
		lua_setglobal(L, removed[i]);
	}
	lua_getglobal(L, "setmetatable");
	lua_pushcclosure(L, set_metatable, 1);
	lua_setglobal(L, "setmetatable");
}

/* ---- limits ---- */

enum { STEP = 100000, STEPS_AT_MOST = 20000 };

/* Called every STEP instructions: time that the user gave, or 2e9 instructions. */
static void count_step(lua_State *L, lua_Debug *now)
{
	struct script *s = script_of(L);
	struct diags d = { .limits = s->diags->limits };
	(void)now;
	bool timed = d.limits && d.limits->seconds > 0;
	s->steps++;
	if (limits_check(&d) < 0)
		lua_pushstring(L, d.first->cause);
	else if (!timed && s->steps > STEPS_AT_MOST)
		lua_pushliteral(L, "not finished after 2e9 instructions; allow more with --max-seconds");
	else
		return;
	diags_free(&d);
	lua_sethook(L, count_step, LUA_MASKCOUNT, 1); /* a script that catches errors gets no further */
	lua_error(L);
}

/* As lua_Alloc has it: what the script holds stays within its limit. */
static void *allocate(void *user, void *p, size_t old, size_t size)
{
	struct script *s = user;
	int64_t most = s->diags->limits && s->diags->limits->memory ? s->diags->limits->memory : LUA_BYTES_AT_MOST;
	old = p ? old : 0;
	if (size > old && s->bytes + (int64_t)(size - old) > most)
		return NULL;
	void *q = size ? memory_try_again(p, size) : NULL;
	if (!size)
		free(p);
	if (q || !size)
		s->bytes += (int64_t)size - (int64_t)old;
	return q;
}

/* ---- what scripts see ---- */

void lua_add_functions(lua_State *L, const struct lua_function *rows)
{
	for (; rows->name; rows++)
		if (rows->function) {
			lua_pushcfunction(L, rows->function);
			lua_setfield(L, -2, rows->name);
		}
}

/* qcc.help([name]) */
static int help(lua_State *L)
{
	const char *word = luaL_optstring(L, 1, NULL);
	char *text = script_reference(word);
	if (!text)
		return luaL_error(L, "there is nothing called '%s'; qcc.help() tells of all", word);
	lua_pushstring(L, text); /* where memory ends here, so does the script */
	free(text);
	return 1;
}

const struct lua_function lua_qcc_functions[] = {
	{ "args", "qcc.args", "The arguments behind the script, a list.", NULL },
	{ "help", "qcc.help([name])", "The text of this list, or of what has that name in it.", help },
	{ "load", "qcc.load(path)", "Reads a network (.onnx, .onnxtxt).", lua_model_load },
	{ "log", "qcc.log(text [, \"warning\"])",
	  "A message among qcc's own, at the end of the script: a note, which -v shows, or a warning.", lua_log },
	{ "out", "qcc.out", "The output folder, -o.", NULL },
	{ "register_pass", "qcc.register_pass{name=, run=, ...}",
	  "A pass of your own, for m:run: name, summary, run=function(m, options), options={name=default}, "
	  "changes_function=true where outputs change on purpose (--verify leaves it out then).",
	  lua_register_pass },
	{ "version", "qcc.version", "The version of qcc.", NULL },
	{ "write", "qcc.write(path, content)",
	  "Writes a file below the output folder: a text, or a list of rows as comma-separated values. Its path.",
	  lua_write },
	{ NULL, NULL, NULL, NULL },
};

/* The global qcc. */
static void register_qcc(lua_State *L, const struct script_options *o)
{
	lua_newtable(L);
	lua_add_functions(L, lua_qcc_functions);
	lua_newtable(L);
	for (size_t i = 0; i < o->n_args; i++) {
		lua_pushstring(L, o->args[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "args");
	lua_pushstring(L, o->dir);
	lua_setfield(L, -2, "out");
	lua_pushstring(L, PACKAGE_VERSION);
	lua_setfield(L, -2, "version");
	lua_setglobal(L, "qcc");
}

static void add_rows(struct strbuf *b, const char *title, const struct lua_function *rows, const char *word)
{
	if (!word)
		strbuf_printf(b, "%s%s\n", b->length ? "\n" : "", title);
	for (; rows->name; rows++)
		if (!word || !strcmp(word, rows->name))
			strbuf_printf(b, "  %s\n      %s\n", rows->usage, rows->help);
}

char *script_reference(const char *word)
{
	struct strbuf b = { 0 };
	add_rows(&b, "The table qcc:", lua_qcc_functions, word);
	add_rows(&b, "Models, as qcc.load and m:clone give them:", lua_model_functions, word);
	add_rows(&b, "Nodes, as m:nodes, m:insert and m:replace give them:", lua_node_functions, word);
	return b.text;
}

/* Runs protected: memory may run out on the way. Argument 1: the script_options. */
static int set_up(lua_State *L)
{
	open_libraries(L);
	lua_register_model(L);
	lua_register_node(L);
	register_qcc(L, lua_touserdata(L, 1));
	return 0;
}

/* The file is named as the user wrote it, not cut to Lua's 60 characters, so only its last part. */
static int run_text(lua_State *L, const char *file, const struct blob *b)
{
	struct strbuf name = { 0 };
	const char *slash = strrchr(file, '/');
	strbuf_printf(&name, "@%s", slash ? slash + 1 : file);
	int status = luaL_loadbufferx(L, b->base ? b->base : "", b->size, name.text, "t");
	strbuf_free(&name);
	return status == LUA_OK ? lua_pcall(L, 0, 0, 0) : status;
}

static int to_text(lua_State *L)
{
	luaL_tolstring(L, 1, NULL);
	return 1;
}

/* Turning the error into text may run the script's own code. */
void lua_say_errors(lua_State *L, struct diags *d)
{
	lua_pushcfunction(L, to_text);
	lua_insert(L, -2);
	lua_pcall(L, 1, 1, 0);
	const char *text =
		lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "the script failed without saying why";
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n)
			diag_error(d, NULL, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
	lua_pop(L, 1);
}

static int run_file(lua_State *L, const char *file, struct diags *d)
{
	struct blob *b = file_map(file, d);
	if (!b)
		return -1;
	int status = run_text(L, file, b);
	if (status != LUA_OK)
		lua_say_errors(L, d);
	blob_unref(b);
	return status == LUA_OK ? 0 : -1;
}

static int run_state(lua_State *L, struct script *s, const char *file, struct diags *d)
{
	*(struct script **)lua_getextraspace(L) = s;
	lua_sethook(L, count_step, LUA_MASKCOUNT, STEP);
	lua_pushcfunction(L, set_up);
	lua_pushlightuserdata(L, (void *)(uintptr_t)s->options);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		lua_say_errors(L, d);
		return -1;
	}
	int status = file ? run_file(L, file, d) : 0;
	if (status == 0 && s->options->interactive)
		lua_prompt(L, d);
	return status;
}

int script_run(const char *file, const struct script_options *o, char **ran, struct diags *d)
{
	struct script s = { .options = o, .pipeline = o->pipeline, .diags = d };
	lua_State *L = lua_newstate(allocate, &s);
	s.pipeline.dump_count = &s.dumps;
	strbuf_puts(&s.ran, "");
	int status = L ? run_state(L, &s, file, d) : diag_error(d, NULL, "Lua does not start");
	if (L)
		lua_close(L); /* frees the models, which add what they ran */
	lua_free_passes(&s);
	*ran = s.ran.text;
	return status;
}

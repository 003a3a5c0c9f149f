/* Lua at the terminal: lines are read and run one by one, what is an expression is printed, what failed is told at once. */
#include "script/lua_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "script/lines.h"

/* ---- completion ---- */

struct completion {
	const char *word; /* what was typed of it */
	size_t length;
	void (*add)(void *words, const char *word);
	void *words;
};

static void offer(const struct completion *c, const char *name)
{
	if (!strncmp(name, c->word, c->length))
		c->add(c->words, name);
}

/* Names of passes and backends, within quotes. */
static void offer_names(const struct completion *c, const char *line, size_t length, const struct script *s)
{
	struct strbuf before = { 0 };
	strbuf_add(&before, line, length);
	bool emits = strstr(strbuf_text(&before), ":emit") != NULL;
	strbuf_free(&before);
	for (size_t i = 0; emits && i < backend_table_size; i++)
		offer(c, backend_table[i]->name);
	for (size_t i = 0; !emits && i < pass_table_size; i++)
		offer(c, pass_table[i]->name);
	for (size_t i = 0; !emits && i < s->passes.count; i++)
		offer(c, ((const struct pass *)s->passes.items[i])->name);
}

/* The keys of the table on top of the stack, which is taken off. */
static void offer_keys(lua_State *L, const struct completion *c)
{
	if (lua_istable(L, -1))
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
			if (lua_type(L, -2) == LUA_TSTRING)
				offer(c, lua_tostring(L, -2));
	lua_pop(L, 1);
}

/* What has a table of names: a table itself, models and nodes. Without calling anything of the script's. */
static void offer_members(lua_State *L, const struct completion *c)
{
	const struct lua_function *rows = NULL;
	if (luaL_testudata(L, -1, LUA_MODEL))
		rows = lua_model_functions;
	else if (luaL_testudata(L, -1, LUA_NODE))
		rows = lua_node_functions;
	for (; rows && rows->name; rows++)
		offer(c, rows->name);
	offer_keys(L, c);
}

/* Puts what the chain "a.b.c" of that length stands for in the place of the table on top of the stack; nil where there is nothing. */
static void follow(lua_State *L, const char *chain, size_t length)
{
	while (length && lua_istable(L, -1)) {
		size_t n = 0;
		while (n < length && chain[n] != '.' && chain[n] != ':')
			n++;
		lua_pushlstring(L, chain, n);
		lua_rawget(L, -2);
		lua_remove(L, -2);
		n += n < length;
		chain += n;
		length -= n;
	}
	if (length) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
}

static bool is_of_name(char c, const char *others)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       (c && strchr(others, c));
}

static bool is_quoted(const char *text, size_t length)
{
	char quote = '\0';
	for (size_t i = 0; i < length; i++) {
		if (quote && text[i] == '\\')
			i++;
		else if (quote && text[i] == quote)
			quote = '\0';
		else if (!quote && (text[i] == '"' || text[i] == '\''))
			quote = text[i];
	}
	return quote != '\0';
}

struct request { /* of complete to protected_complete */
	const char *text;
	size_t length, start; /* start: of the last name */
	struct completion completion;
};

static int protected_complete(lua_State *L)
{
	struct request *r = lua_touserdata(L, 1);
	size_t chain = r->start;
	while (chain && is_of_name(r->text[chain - 1], ".:"))
		chain--;
	lua_pushglobaltable(L);
	follow(L, r->text + chain, r->start - chain);
	offer_members(L, &r->completion);
	return 0;
}

static size_t complete(void *user, const char *text, size_t length, void (*add)(void *words, const char *word),
		       void *words)
{
	lua_State *L = user;
	bool quoted = is_quoted(text, length);
	size_t start = length;
	while (start && is_of_name(text[start - 1], quoted ? "-" : ""))
		start--;
	struct request r = { text, length, start, { text + start, length - start, add, words } };
	if (quoted) {
		offer_names(&r.completion, text, start, script_of(L));
		return length - start;
	}
	lua_pushcfunction(L, protected_complete);
	lua_pushlightuserdata(L, &r);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		lua_pop(L, 1);
	return length - start;
}

/* ---- lines ---- */

/* Compiles a text; where it is an expression, one that gives its value. Pushes the function or the error. */
static int compile(lua_State *L, const char *text)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "return %s", text);
	int status = luaL_loadbufferx(L, b.text, b.length, "=prompt", "t");
	if (status != LUA_OK) {
		lua_pop(L, 1);
		status = luaL_loadbufferx(L, text, strlen(text), "=prompt", "t");
	}
	strbuf_free(&b);
	return status;
}

static bool is_incomplete(lua_State *L, int status)
{
	const char *text = status == LUA_ERRSYNTAX ? lua_tostring(L, -1) : NULL;
	return text && ends_with(text, "<eof>");
}

static void print_results(lua_State *L, int first, struct diags *d)
{
	int n = lua_gettop(L) - first + 1;
	if (n <= 0)
		return;
	lua_getglobal(L, "print");
	lua_insert(L, first);
	if (lua_pcall(L, n, 0, 0) != LUA_OK)
		lua_say_errors(L, d);
}

static void run_chunk(lua_State *L, int status, struct diags *d)
{
	int function = lua_gettop(L);
	script_of(L)->steps = 0;
	if (status == LUA_OK)
		status = lua_pcall(L, 0, LUA_MULTRET, 0);
	if (status == LUA_OK)
		print_results(L, function, d);
	else
		lua_say_errors(L, d);
	lua_settop(L, function - 1);
}

/* Reads what belongs together: lines until they are a whole statement. False: there are no more. */
static bool read_chunk(lua_State *L, struct lines *l, struct strbuf *text, int *status)
{
	text->length = 0;
	for (const char *prompt = "> ";; prompt = ">> ") {
		const char *line = lines_read(l, prompt);
		if (!line)
			return false;
		strbuf_printf(text, "%s%s", text->length ? "\n" : "", line);
		*status = compile(L, strbuf_text(text));
		if (!is_incomplete(L, *status))
			return true;
		lua_pop(L, 1);
	}
}

static void say(const struct script *s, struct diags *d)
{
	fflush(stdout);
	if (s->options->say)
		s->options->say(s->options->user, d);
}

/* qcc -i model.onnx: the model is there as m. */
static void load_first(lua_State *L, const struct script *s, struct diags *d)
{
	if (s->options->n_args == 0)
		return;
	run_chunk(L, compile(L, "m = qcc.load(qcc.args[1])"), d);
}

void lua_prompt(lua_State *L, struct diags *d)
{
	const struct script *s = script_of(L);
	struct strbuf text = { 0 };
	struct lines *l = lines_open(complete, L);
	int status;
	lua_settop(L, 0);
	if (s->options->loads_model)
		load_first(L, s, d);
	say(s, d);
	while (read_chunk(L, l, &text, &status)) {
		run_chunk(L, status, d);
		say(s, d);
	}
	lines_close(l);
	strbuf_free(&text);
}

/* Parsing of "a,b(opt=3,flag)" and the types of options. */
#include "util/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/nearest.h"
#include "util/strbuf.h"
#include "util/vec.h"

struct scanner {
	struct arena *arena;
	const char *p, *all;
	const char *what; /* "pass", "backend" */
	struct diags *diags;
};

static void skip_space(struct scanner *s)
{
	while (isspace((unsigned char)*s->p))
		s->p++;
}

static int syntax_error(struct scanner *s, const char *wanted)
{
	if (*s->p)
		return diag_error(s->diags, "write them as a,b(option=value,flag),c",
				  "%s list '%s': %s wanted before '%s'", s->what, s->all, wanted, s->p);
	return diag_error(s->diags, "write them as a,b(option=value,flag),c", "%s list '%s': %s wanted at its end",
			  s->what, s->all, wanted);
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-_.:/*", c));
}

/* A name, or a quoted string (values that are named after network inputs may hold any character). */
static const char *scan_name(struct scanner *s)
{
	skip_space(s);
	if (*s->p == '\'' || *s->p == '"') {
		const char *close = strchr(s->p + 1, *s->p);
		if (!close)
			return NULL;
		const char *name = arena_strndup(s->arena, s->p + 1, (size_t)(close - s->p - 1));
		s->p = close + 1;
		return name;
	}
	const char *start = s->p;
	while (is_name_char(*s->p))
		s->p++;
	return s->p == start ? NULL : arena_strndup(s->arena, start, (size_t)(s->p - start));
}

/* Where a bare value ends: ',' or ')' outside of brackets. */
static const char *value_end(const char *p)
{
	int depth = 0;
	for (; *p; p++) {
		if (depth == 0 && (*p == ',' || *p == ')'))
			break;
		depth += strchr("<([{", *p) != NULL;
		depth -= depth > 0 && strchr(">)]}", *p) != NULL;
	}
	while (isspace((unsigned char)p[-1]))
		p--;
	return p;
}

static const char *scan_value(struct scanner *s)
{
	skip_space(s);
	if (*s->p == '\'' || *s->p == '"')
		return scan_name(s);
	const char *start = s->p, *end = *start ? value_end(start) : start;
	if (end <= start)
		return NULL;
	s->p = end;
	return arena_strndup(s->arena, start, (size_t)(end - start));
}

struct arg_list {
	struct pass_arg *items;
	size_t count, capacity;
};

static int scan_arg(struct scanner *s, struct arg_list *list)
{
	struct pass_arg arg = { .name = scan_name(s), .text = "" };
	if (!arg.name)
		return syntax_error(s, "an option's name");
	skip_space(s);
	if (*s->p == '=') {
		s->p++;
		arg.text = scan_value(s);
		if (!arg.text)
			return syntax_error(s, "a value");
	}
	vec_push(list, arg);
	return 0;
}

/* Arguments up to `close`, which is ')' or the end of the text. */
static int scan_args(struct scanner *s, struct spec *out, char close)
{
	struct arg_list list = { 0 };
	int status = 0;
	skip_space(s);
	while (status == 0 && *s->p != close) {
		status = scan_arg(s, &list);
		skip_space(s);
		if (status == 0 && *s->p != close) {
			if (*s->p == ',')
				s->p++;
			else
				status = syntax_error(s, close ? "',' or ')'" : "','");
		}
	}
	out->n_args = list.count;
	out->args = arena_copy(s->arena, list.items ? (const void *)list.items : "", list.count * sizeof *list.items);
	vec_free(&list);
	return status;
}

static int scan_item(struct scanner *s, struct spec *out)
{
	*out = (struct spec){ .name = scan_name(s) };
	if (!out->name)
		return syntax_error(s, "a name");
	skip_space(s);
	if (*s->p != '(')
		return 0;
	s->p++;
	if (scan_args(s, out, ')') < 0)
		return -1;
	s->p++;
	skip_space(s);
	return 0;
}

int spec_parse(struct arena *a, const char *text, const char *what, struct spec **out, size_t *count, struct diags *d)
{
	struct scanner s = { .arena = a, .p = text, .all = text, .what = what, .diags = d };
	struct {
		struct spec *items;
		size_t count, capacity;
	} list = { 0 };
	int status = 0;
	skip_space(&s);
	for (bool more = *s.p; more && status == 0; more = more && *s.p) {
		struct spec item;
		status = scan_item(&s, &item);
		if (status == 0) {
			vec_push(&list, item);
			more = *s.p == ',';
			if (more && !*++s.p)
				status = syntax_error(&s, "a name");
			else if (!more && *s.p)
				status = syntax_error(&s, "','");
		}
	}
	*count = list.count;
	*out = arena_copy(a, list.items ? (const void *)list.items : "", list.count * sizeof *list.items);
	vec_free(&list);
	return status;
}

int spec_parse_args(struct arena *a, const char *text, const char *what, struct spec *out, struct diags *d)
{
	struct scanner s = { .arena = a, .p = text, .all = text, .what = what, .diags = d };
	return scan_args(&s, out, '\0');
}

/* ---- options ---- */

static const char *const type_names[] = {
	[OPTION_FLAG] = "a flag (yes or no)", [OPTION_INT] = "an integer",   [OPTION_REAL] = "a number",
	[OPTION_STRING] = "a text",	      [OPTION_NAMES] = "NAME=VALUE",
};

static bool parse_flag(const char *text, bool *out)
{
	static const char *const words[] = { "", "1", "yes", "true", "on", "0", "no", "false", "off" };
	for (int i = 0; i < 9; i++)
		if (!strcmp(words[i], text)) {
			*out = i < 5;
			return true;
		}
	return false;
}

static bool parse_real(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && !*end && isfinite(*out);
}

/* 1e6 is an integer too. */
static bool parse_int(const char *text, int64_t *out)
{
	char *end;
	errno = 0;
	long long i = strtoll(text, &end, 10);
	*out = i;
	if (end != text && !*end)
		return errno == 0;
	double x;
	if (!parse_real(text, &x) || x != floor(x) || fabs(x) > 9e15)
		return false;
	*out = (int64_t)x;
	return true;
}

static bool has_type(const char *text, enum option_type type)
{
	bool flag;
	int64_t i;
	double x;
	switch (type) {
	case OPTION_FLAG: return parse_flag(text, &flag);
	case OPTION_INT: return parse_int(text, &i);
	case OPTION_REAL: return parse_real(text, &x);
	default: return *text != '\0';
	}
}

static const struct pass_option *find_option(const struct pass_option *options, const char *name)
{
	const struct pass_option *any = NULL;
	for (const struct pass_option *o = options; o && o->name; o++) {
		if (!strcmp(o->name, name))
			return o;
		if (o->type == OPTION_NAMES)
			any = o;
	}
	return any;
}

static int unknown_option(const struct pass_option *options, const char *what, const struct spec *s, const char *name,
			  struct diags *d)
{
	struct nearest n = { .word = name };
	struct strbuf see = { 0 };
	for (const struct pass_option *o = options; o && o->name; o++)
		nearest_consider(&n, o->name);
	strbuf_printf(&see, "--help-%s %s", what, s->name);
	char *remedy = nearest_remedy(&n, see.text);
	if (options && options->name)
		diag_error(d, remedy, "%s '%s' has no option '%s'", what, s->name, name);
	else
		diag_error(d, "leave it out", "%s '%s' takes no options, '%s' was given", what, s->name, name);
	free(remedy);
	strbuf_free(&see);
	return -1;
}

static int check_arg(const struct pass_option *options, const char *what, const struct spec *s, size_t i,
		     struct diags *d)
{
	const struct pass_arg *arg = &s->args[i];
	const struct pass_option *o = find_option(options, arg->name);
	if (!o)
		return unknown_option(options, what, s, arg->name, d);
	for (size_t k = 0; k < i; k++)
		if (!strcmp(s->args[k].name, arg->name))
			return diag_error(d, "give it once", "%s '%s' has its option '%s' twice", what, s->name,
					  arg->name);
	if (has_type(arg->text, o->type))
		return 0;
	if (!*arg->text)
		return diag_error(d, NULL, "option '%s' of %s '%s' needs a value, %s", arg->name, what, s->name,
				  type_names[o->type]);
	return diag_error(d, NULL, "option '%s' of %s '%s' is %s, not '%s'", arg->name, what, s->name,
			  type_names[o->type], arg->text);
}

int options_check(const struct pass_option *options, const char *what, const struct spec *s, struct diags *d)
{
	int status = 0;
	for (size_t i = 0; i < s->n_args; i++)
		if (check_arg(options, what, s, i, d) < 0)
			status = -1;
	return status;
}

const char *option_text(const struct pass_option *options, const struct pass_arg *args, size_t n_args, const char *name)
{
	for (size_t i = 0; i < n_args; i++)
		if (!strcmp(args[i].name, name))
			return args[i].text;
	for (const struct pass_option *o = options; o && o->name; o++)
		if (!strcmp(o->name, name))
			return o->fallback;
	return NULL;
}

bool option_flag(const char *text)
{
	bool flag = false;
	return text && parse_flag(text, &flag) && flag;
}

int64_t option_int(const char *text)
{
	int64_t i = 0;
	return text && parse_int(text, &i) ? i : 0;
}

double option_real(const char *text)
{
	double x = 0;
	return text && parse_real(text, &x) ? x : 0;
}

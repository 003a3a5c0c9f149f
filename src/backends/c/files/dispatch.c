/* Several targets in one file (the style packed on x86-64): NAME.c includes the network's functions, NAME_network.h, once
 * for each target, under names of their own and compiled for that target by attributes; its entries ask the processor at
 * every call, which takes about a nanosecond and needs no variable. Compilers without GNU C's attributes, other processors and
 * compilers that are told to target AVX2 or better see the network once. */
#include "backends/c/files/files.h"

#include <ctype.h>
#include <string.h>

#define P(...) strbuf_printf(b, __VA_ARGS__)

static const struct target {
	const char *suffix;    /* of functions */
	const char *macro;     /* for the kernels */
	const char *features;  /* for the compiler */
	const char *supported; /* for the processor */
} targets[] = {
	{ "avx2", "QCC_TARGET_AVX2", "avx2,fma",
	  "__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\")" },
	{ "avx512", "QCC_TARGET_AVX512", "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vpopcntdq",
	  "__builtin_cpu_supports(\"avx512bw\") && __builtin_cpu_supports(\"avx512dq\") &&\n"
	  "\t    __builtin_cpu_supports(\"avx512vl\") && __builtin_cpu_supports(\"avx512vnni\") &&\n"
	  "\t    __builtin_cpu_supports(\"avx512vpopcntdq\")" },
};
enum { TARGETS = sizeof targets / sizeof *targets };

/* The entries of a network: what follows NAME_, and their parameters. */
enum entry_kind { RUN, RUN_BATCH, RUN_PACKED, ENTRIES };

static bool has_entry(const struct emit *e, enum entry_kind k)
{
	return k != RUN_PACKED || e->out->entry.suffix;
}

static const char *entry_name(struct emit *e, enum entry_kind k)
{
	if (k == RUN_PACKED)
		return arena_printf(e->arena, "run_%s", e->out->entry.suffix);
	return k == RUN ? "run" : "run_batch";
}

static const char *suffix_of(size_t target)
{
	return target < TARGETS ? targets[target].suffix : "baseline";
}

/* ---- names ---- */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* `#define x QCC_NAMED(x)`, once. */
static void rename_symbol(struct emit *e, struct strbuf *b, struct map *seen, const char *from, size_t n)
{
	const char *symbol = arena_strndup(e->arena, from, n);
	if (map_get(seen, symbol))
		return;
	map_set(seen, symbol, seen);
	P("#define %s QCC_NAMED(%s)\n", symbol, symbol);
}

/* Functions that a text defines: "static void NAME_fc1(" at the start of a line. */
static void rename_functions(struct emit *e, struct strbuf *b, struct map *seen, const char *text)
{
	for (const char *line = text, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (strncmp(line, "static ", 7))
			continue;
		size_t n = strcspn(line, "(\n"), from = n;
		if (line[n] != '(')
			continue;
		while (from && is_name(line[from - 1]))
			from--;
		rename_symbol(e, b, seen, line + from, n - from);
	}
}

/* Types, functions and constants of the kernels: whatever starts with qcc_ or is an enumerator. */
static void rename_kernels(struct emit *e, struct strbuf *b, struct map *seen, const char *text)
{
	for (const char *s = text; *s;) {
		size_t n = 0;
		while (is_name(s[n]))
			n++;
		if (n > 4 && (!strncmp(s, "qcc_", 4) || (!strncmp(s, "QCC_", 4) && !strncmp(s + n, " = ", 3))))
			rename_symbol(e, b, seen, s, n);
		s += n ? n : 1;
	}
}

/* The kernels' macros, which depend on the target. */
static void forget_macros(struct strbuf *b, const char *text)
{
	static const char define[] = "#define ";
	for (const char *s = strstr(text, define); s; s = strstr(s + 1, define)) {
		size_t n = 0;
		const char *name = s + sizeof define - 1;
		while (is_name(name[n]))
			n++;
		P("#undef %.*s\n", (int)n, name);
	}
}

/* ---- the file ---- */

static void prototype(struct emit *e, struct strbuf *b, enum entry_kind k)
{
	P("void %s_%s(", e->name, entry_name(e, k));
	if (k == RUN_PACKED)
		emit_entry_parameters(e, b);
	else
		emit_parameters(e, b);
	P("%svoid *scratch)", k == RUN_BATCH ? "size_t count, " : "");
}

/* The network's functions for one target. */
static void include_network(struct emit *e, struct strbuf *b, size_t t)
{
	if (t < TARGETS)
		P("#if QCC_TARGETS > %zu\n#define %s\n#if defined(__clang__)\n"
		  "#pragma clang attribute push(__attribute__((target(\"%s\"))), apply_to = function)\n#else\n"
		  "#pragma GCC push_options\n#pragma GCC target(\"%s\")\n#endif\n",
		  t, targets[t].macro, targets[t].features, targets[t].features);
	P("#define QCC_SUFFIX _%s\n#include \"%s_network.h\"\n#undef QCC_SUFFIX\n", suffix_of(t), e->name);
	if (t == TARGETS)
		return;
	P("#if defined(__clang__)\n#pragma clang attribute pop\n#else\n#pragma GCC pop_options\n#endif\n#undef %s\n",
	  targets[t].macro);
	forget_macros(b, e->out->style->kernels);
	P("#endif\n\n");
}

static void call(struct emit *e, struct strbuf *b, enum entry_kind k, size_t target)
{
	P("%s_%s_%s(", e->name, entry_name(e, k), suffix_of(target));
	for (size_t i = 0; i < (k == RUN_PACKED ? 1 : e->plan->n_inputs); i++)
		P("in%zu, ", i);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		P("out%zu, ", i);
	P("%sscratch);\n", k == RUN_BATCH ? "count, " : "");
}

static void choosing_entry(struct emit *e, struct strbuf *b, enum entry_kind k)
{
	P("\n");
	prototype(e, b, k);
	P("\n{\n");
	for (size_t i = TARGETS; i-- > 0;) {
		P("#if QCC_TARGETS > %zu\n\tif (target() == %zu) {\n\t\t", i, i + 1);
		call(e, b, k, i);
		P("\t\treturn;\n\t}\n#endif\n");
	}
	P("\t");
	call(e, b, k, TARGETS);
	P("}\n");
}

/* Headers come before any target's attributes. */
static void includes(struct emit *e, struct strbuf *b)
{
	P("#include \"%s.h\"\n#include \"%s_weights.h\"\n\n#include <string.h>\n", e->name, e->name);
	if (e->plan->libm || e->out->infinity)
		P("#include <math.h>\n");
	for (const char *s = strstr(strbuf_text(&e->out->includes), "#include"); s; s = strstr(s + 1, "#include"))
		P("%.*s\n", (int)strcspn(s, "\n"), s);
	P("#if defined(__x86_64__)\n#include <immintrin.h>\n#endif\n\n");
}

static void names(struct emit *e, struct strbuf *b)
{
	struct map seen = { 0 };
	P("/* Every function and type once a target. */\n#define QCC_JOINED(name, suffix) name##suffix\n"
	  "#define QCC_JOIN(name, suffix) QCC_JOINED(name, suffix)\n#define QCC_NAMED(name) QCC_JOIN(name, QCC_SUFFIX)\n");
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (has_entry(e, k)) {
			const char *entry = arena_printf(e->arena, "%s_%s", e->name, entry_name(e, k));
			rename_symbol(e, b, &seen, entry, strlen(entry));
		}
	if (e->out->block.samples) {
		const char *block = arena_printf(e->arena, "%s_run_x%lld", e->name, LL(e->out->block.samples));
		rename_symbol(e, b, &seen, block, strlen(block));
	}
	rename_functions(e, b, &seen, strbuf_text(&e->out->includes));
	rename_functions(e, b, &seen, strbuf_text(e->code));
	rename_kernels(e, b, &seen, e->out->style->kernels);
	map_free(&seen);
}

int write_dispatch(struct emit *e)
{
	struct strbuf text = { 0 }, *b = &text;
	P("/* %s: the network for any processor, and the choice of the best. Made by qcc, style %s; see %s.h.\n *\n"
	  " * QCC_TARGETS: 0: the compiler's own target alone; 1: AVX2 too; 2: AVX-512 (VNNI, VPOPCNTDQ) too. */\n",
	  e->name, e->out->style->name, e->name);
	includes(e, b);
	P("#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__AVX2__)\n#undef QCC_TARGETS\n#define QCC_TARGETS 0\n"
	  "#elif !defined(QCC_TARGETS)\n#define QCC_TARGETS %d\n#endif\n\n#if QCC_TARGETS > 0\n",
	  TARGETS);
	names(e, b);
	P("#else\n");
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (has_entry(e, k))
			P("#define %s_%s %s_%s_%s\n", e->name, entry_name(e, k), e->name, entry_name(e, k),
			  suffix_of(TARGETS));
	P("#endif\n\n");
	P("/* Loops become vectors at -O2 as they do at -O3. */\n#if defined(__GNUC__) && !defined(__clang__) && "
	  "defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)\n#pragma GCC push_options\n#pragma GCC optimize(\"O3\")\n"
	  "#endif\n\n");
	for (size_t i = TARGETS + 1; i-- > 0;)
		include_network(e, b, i == 0 ? TARGETS : i - 1);
	P("#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)\n"
	  "#pragma GCC pop_options\n#endif\n");
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (has_entry(e, k))
			P("#undef %s_%s\n", e->name, entry_name(e, k));
	P("\n#if QCC_TARGETS > 0\nstatic int target(void)\n{\n");
	for (size_t i = TARGETS; i-- > 0;)
		P("\tif (QCC_TARGETS > %zu && %s)\n\t\treturn %zu;\n", i, targets[i].supported, i + 1);
	P("\treturn 0;\n}\n#endif\n");
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (has_entry(e, k))
			choosing_entry(e, b, k);
	return emit_buffer(e, ".c", b);
}

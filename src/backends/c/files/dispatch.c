/* Several targets in one library (option dispatch): the network's functions are a file that NAME.c, NAME_avx2.c and
 * NAME_avx512.c include, each under its own names and compiled for its own target by attributes; NAME.c's entries ask
 * the processor at every call, which takes about a nanosecond and needs no variable. */
#include "backends/c/files/files.h"

#define P(...) strbuf_printf(b, __VA_ARGS__)

static const struct target {
	const char *suffix;    /* of files and entries */
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

static const char *entry_name(struct emit *e, enum entry_kind k)
{
	if (k == RUN_PACKED)
		return e->out->entry.suffix ? arena_printf(e->arena, "run_%s", e->out->entry.suffix) : NULL;
	return k == RUN ? "run" : "run_batch";
}

static void prototype(struct emit *e, struct strbuf *b, enum entry_kind k, const char *suffix)
{
	P("void %s_%s%s(", e->name, entry_name(e, k), suffix);
	if (k == RUN_PACKED)
		emit_entry_parameters(e, b);
	else
		emit_parameters(e, b);
	P("%svoid *scratch)", k == RUN_BATCH ? "size_t count, " : "");
}

static const char *suffix_of(struct emit *e, size_t target)
{
	return arena_printf(e->arena, "_%s", target < TARGETS ? targets[target].suffix : "baseline");
}

static int write_targets_header(struct emit *e)
{
	struct strbuf text = { 0 }, *b = &text;
	P("/* %s: its entries, once a target. For its own files alone. */\n#ifndef QCC_%s_TARGETS_H\n"
	  "#define QCC_%s_TARGETS_H\n\n",
	  e->name, e->out->upper, e->out->upper);
	P("#include \"%s.h\"\n#include \"%s_weights.h\"\n\n#include <math.h>\n#include <string.h>\n#if defined(__x86_64__)\n"
	  "#include <immintrin.h>\n#endif\n\n",
	  e->name, e->name);
	for (size_t i = 0; i <= TARGETS; i++)
		for (enum entry_kind k = RUN; k < ENTRIES; k++)
			if (entry_name(e, k)) {
				prototype(e, b, k, suffix_of(e, i));
				P(";\n");
			}
	P("\n#endif\n");
	return emit_buffer(e, "_targets.h", b);
}

/* The network's file under names of its own. */
static void include_network(struct emit *e, struct strbuf *b, size_t target)
{
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (entry_name(e, k))
			P("#define %s_%s %s_%s%s\n", e->name, entry_name(e, k), e->name, entry_name(e, k),
			  suffix_of(e, target));
	P("#include \"%s_network.h\"\n", e->name);
}

static int write_target(struct emit *e, size_t target)
{
	struct strbuf text = { 0 }, *b = &text;
	const struct target *t = &targets[target];
	P("/* %s: the network for processors with %s. Made by qcc. */\n#include \"%s_targets.h\"\n\n", e->name,
	  t->features, e->name);
	P("#if defined(__x86_64__)\n#if defined(__clang__)\n"
	  "#pragma clang attribute push(__attribute__((target(\"%s\"))), apply_to = function)\n"
	  "#else\n#pragma GCC push_options\n#pragma GCC target(\"%s\")\n#endif\n#define %s\n",
	  t->features, t->features, t->macro);
	include_network(e, b, target);
	P("#if defined(__clang__)\n#pragma clang attribute pop\n#else\n#pragma GCC pop_options\n#endif\n#else\n"
	  "typedef int %s_%s_is_for_x86_64;\n#endif\n",
	  e->name, t->suffix);
	return emit_buffer(e, arena_printf(e->arena, "_%s.c", t->suffix), b);
}

static void call(struct emit *e, struct strbuf *b, enum entry_kind k, size_t target)
{
	P("%s_%s%s(", e->name, entry_name(e, k), suffix_of(e, target));
	for (size_t i = 0; i < (k == RUN_PACKED ? 1 : e->plan->n_inputs); i++)
		P("in%zu, ", i);
	for (size_t i = 0; i < e->plan->n_outputs; i++)
		P("out%zu, ", i);
	P("%sscratch);\n", k == RUN_BATCH ? "count, " : "");
}

static void choosing_entry(struct emit *e, struct strbuf *b, enum entry_kind k)
{
	P("\n");
	prototype(e, b, k, "");
	P("\n{\n#if defined(__x86_64__)\n\tconst int best = target();\n");
	for (size_t i = TARGETS; i-- > 0;) {
		P("\tif (best == %zu) {\n\t\t", i + 1);
		call(e, b, k, i);
		P("\t\treturn;\n\t}\n");
	}
	P("#endif\n\t");
	call(e, b, k, TARGETS);
	P("}\n");
}

static int write_choice(struct emit *e)
{
	struct strbuf text = { 0 }, *b = &text;
	P("/* %s: the network for any processor, and the choice of the best. Made by qcc, style %s; see %s.h. */\n"
	  "#include \"%s_targets.h\"\n\n",
	  e->name, e->out->style->name, e->name, e->name);
	include_network(e, b, TARGETS);
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (entry_name(e, k))
			P("#undef %s_%s\n", e->name, entry_name(e, k));
	P("\n#if defined(__x86_64__)\n#ifndef QCC_TARGETS	/* -DQCC_TARGETS=0: none of them; 1: AVX2 at most */\n"
	  "#define QCC_TARGETS %d\n#endif\nstatic int target(void)\n{\n",
	  TARGETS);
	for (size_t i = TARGETS; i-- > 0;)
		P("\tif (QCC_TARGETS > %zu && %s)\n\t\treturn %zu;\n", i, targets[i].supported, i + 1);
	P("\treturn 0;\n}\n#endif\n");
	for (enum entry_kind k = RUN; k < ENTRIES; k++)
		if (entry_name(e, k))
			choosing_entry(e, b, k);
	return emit_buffer(e, ".c", b);
}

int write_dispatch(struct emit *e)
{
	if (write_targets_header(e) < 0 || write_choice(e) < 0)
		return -1;
	for (size_t i = 0; i < TARGETS; i++)
		if (write_target(e, i) < 0)
			return -1;
	return 0;
}

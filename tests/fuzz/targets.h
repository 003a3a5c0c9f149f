/* What is fuzzed: each target takes any bytes. Whatever they are, there is a result or a diagnostic; a crash, a hang or
 * (with the sanitizers) a stray access ends the program. driver.c and libfuzzer.c call these. */
#ifndef QCC_FUZZ_TARGETS_H
#define QCC_FUZZ_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/diag.h"
#include "util/limits.h"
#include "util/strbuf.h"

struct target {
	const char *name;
	const char *ending;  /* of files that it takes */
	int deals_in_models; /* mutate_model knows its bytes */
	void (*run)(const uint8_t *bytes, size_t size);
};

extern const struct target targets[];
extern const size_t target_count;
const struct target *target_find(const char *name); /* NULL: none of that name */
/* A folder for files on the way; removed with what is in it by the second. */
const char *target_folder(void);
void target_clean_up(void);

/* ---- for the files of targets ---- */

/* One input shall not stop the others: tighter than the limits that hold without --max-memory and --max-seconds. */
struct limits limits_for_one(void);
/* The bytes as a file of that name in the folder; the path is in a buffer of its own until the next call. */
const char *as_file(const char *name, const uint8_t *bytes, size_t size);
/* Failing without a word is a fault too. Frees the diagnostics. */
void must_have_said(bool failed, struct diags *d);

/* targets_data.c */
void run_encode(const uint8_t *bytes, size_t size);
void run_fit(const uint8_t *bytes, size_t size);
void run_dataset(const uint8_t *bytes, size_t size);
void run_checkpoint(const uint8_t *bytes, size_t size);
/* A checkpoint that run_checkpoint accepts. */
void checkpoint_lines(struct strbuf *out);

/* ---- mutators ---- */

/* Changes bytes (random ones, ends, numbers) in place, within max; returns the new size. */
size_t mutate_bytes(uint8_t *bytes, size_t size, size_t max, uint64_t *state);
/* The same for an ONNX model that keeps its form: attributes, shapes, elements, types, operators and connections. Bytes
 * that are no model are changed as bytes. */
size_t mutate_model(uint8_t *bytes, size_t size, size_t max, uint64_t *state);
size_t draw(uint64_t *state, size_t bound);

#endif

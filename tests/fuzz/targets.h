/* What is fuzzed: each target takes any bytes. Whatever they are, there is a result or a diagnostic; a crash, a hang or
 * (with the sanitizers) a stray access ends the program. driver.c and libfuzzer.c call these. */
#ifndef QCC_FUZZ_TARGETS_H
#define QCC_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

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

/* Changes bytes (random ones, ends, numbers) in place, within max; returns the new size. */
size_t mutate_bytes(uint8_t *bytes, size_t size, size_t max, uint64_t *state);
/* The same for an ONNX model that keeps its form: attributes, shapes, elements, types, operators and connections. Bytes
 * that are no model are changed as bytes. */
size_t mutate_model(uint8_t *bytes, size_t size, size_t max, uint64_t *state);
size_t draw(uint64_t *state, size_t bound);

#endif

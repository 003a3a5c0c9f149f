/* The targets for libFuzzer. QCC_FUZZ_TARGET names one; tests/fuzz/build-libfuzzer builds it with clang:
 *
 *     tests/fuzz/build-libfuzzer build-fuzz
 *     QCC_FUZZ_TARGET=chain build-fuzz/fuzz corpus/ */
#include <stdlib.h>
#include <string.h>

#include "targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max);

static const struct target *chosen(void)
{
	const char *name = getenv("QCC_FUZZ_TARGET");
	const struct target *t = target_find(name ? name : "chain");
	if (!t)
		abort();
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	chosen()->run(bytes, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed)
{
	uint64_t state = 88172645463325252u + 0x9e3779b97f4a7c15u * seed;
	if (!chosen()->deals_in_models || seed % 8 == 0)
		return LLVMFuzzerMutate(bytes, size, max);
	return mutate_model(bytes, size, max, &state);
}

/* .npy and .npz files: what is read, what is refused and how it is said. */
#include "test.h"

#include "util/file.h"
#include "ir/npy.h"

static void write_bytes(const char *path, const void *bytes, size_t size)
{
	struct diags d = { 0 };
	assert_int_equal(file_write(path, bytes, size, &d), 0);
	diags_free(&d);
}

/* A version 1 file with that header and those elements, read. */
static struct tensor *read_made(const char *header, const void *elements, size_t size, struct diags *d)
{
	unsigned char bytes[512] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };
	size_t n = strlen(header);
	char *path = test_file(".npy");
	bytes[8] = (unsigned char)n;
	memcpy(bytes + 10, header, n);
	memcpy(bytes + 10 + n, elements, size);
	write_bytes(path, bytes, 10 + n + size);
	struct tensor *t = npy_read(path, d);
	unlink(path);
	free(path);
	return t;
}

static void refused(const char *header, size_t size, const char *why)
{
	static const char zeros[64];
	struct diags d = { 0 };
	assert_null(read_made(header, zeros, size, &d));
	assert_said(&d, why);
}

static void round_trip(void **state)
{
	(void)state;
	static const enum elem_type types[] = { ELEM_FLOAT,  ELEM_DOUBLE, ELEM_FLOAT16, ELEM_INT8,
						ELEM_UINT8,  ELEM_INT16,  ELEM_UINT16,	ELEM_INT32,
						ELEM_UINT32, ELEM_INT64,  ELEM_UINT64,	ELEM_BOOL };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct diags d = { 0 };
		struct tensor *t = tensor_new(types[i], 2, (int64_t[]){ 2, 3 });
		char *path = test_file(".npy");
		for (int64_t k = 0; k < 6; k++)
			tensor_put(t, k, (double)(k % 2));
		assert_int_equal(npy_write(t, path, &d), 0);
		struct tensor *back = npy_read(path, &d);
		assert_non_null(back);
		assert_true(tensor_equal(t, back));
		tensor_unref(t);
		tensor_unref(back);
		unlink(path);
		free(path);
		assert_no_errors(&d);
	}
}

static void scalar_and_empty(void **state)
{
	(void)state;
	struct diags d = { 0 };
	char *path = test_file(".npy");
	struct tensor *list[] = { tensor_scalar(1.5f), tensor_new(ELEM_FLOAT, 2, (int64_t[]){ 0, 3 }) };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(npy_write(list[i], path, &d), 0);
		struct tensor *back = npy_read(path, &d);
		assert_non_null(back);
		assert_true(tensor_equal(list[i], back));
		tensor_unref(back);
		tensor_unref(list[i]);
	}
	unlink(path);
	free(path);
}

static void orders(void **state)
{
	(void)state;
	struct diags d = { 0 };
	static const unsigned char big[] = { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 };
	struct tensor *t = read_made("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", big, sizeof big, &d);
	assert_non_null(t);
	static const int64_t wanted[] = { 1, 3, 5, 2, 4, 6 };
	for (int i = 0; i < 6; i++)
		assert_int_equal(tensor_int_at(t, i), wanted[i]);
	tensor_unref(t);
	t = read_made("{\"shape\": (2L,), 'fortran_order': False, 'descr': '|i1'}", "\1\2", 2, &d);
	assert_non_null(t);
	assert_int_equal(t->dims[0], 2);
	tensor_unref(t);
	assert_no_errors(&d);
}

static void refusals(void **state)
{
	(void)state;
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11, "truncated");
	refused("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "'|O'");
	refused("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "'<c8'");
	refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "structured");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", 4, "absurdly");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "absurdly");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "malformed");
	refused("{'descr': '<f4', 'shape': (1,), }", 4, "lacks");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", 4, "malformed");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }", 4, "16");
	refused("", 0, "malformed");
}

static void no_npy(void **state)
{
	(void)state;
	struct diags d = { 0 };
	char *path = test_file(".npy");
	write_bytes(path, "", 0);
	assert_null(npy_read(path, &d));
	assert_said(&d, "empty");
	write_bytes(path, "something else entirely", 23);
	assert_null(npy_read(path, &d));
	assert_said(&d, "no .npy file");
	write_bytes(path, "\x93NUMPY\1\0\xff\xff", 10);
	assert_null(npy_read(path, &d));
	assert_said(&d, "truncated");
	write_bytes(path, "\x93NUMPY\7\0\0\0", 10);
	assert_null(npy_read(path, &d));
	assert_said(&d, "unknown version");
	assert_null(npz_read(path, NULL, &d));
	assert_said(&d, "archive");
	unlink(path);
	assert_null(npy_read(path, &d));
	assert_said(&d, "cannot open");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(scalar_and_empty), cmocka_unit_test(orders),
		cmocka_unit_test(refusals),   cmocka_unit_test(no_npy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ---- .npy files: float32, C order, any number of samples along the first axis ---- */

static void fail(const char *file, const char *cause)
{
	fprintf(stderr, "%s: %s\n", file, cause);
	exit(1);
}

/* Reads and checks the head; leaves f at the first element. */
static void read_head(FILE *f, const char *file)
{
	unsigned char head[12];
	if (fread(head, 1, 10, f) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
		fail(file, "not a .npy file");
	size_t length = (size_t)head[8] | (size_t)head[9] << 8;
	if (head[6] >= 2) {
		if (fread(head + 10, 1, 2, f) != 2)
			fail(file, "cut short");
		length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
	}
	char *text = malloc(length + 1);
	if (!text || fread(text, 1, length, f) != length)
		fail(file, "cut short");
	text[length] = 0;
	if (!strstr(text, "'<f4'"))
		fail(file, "elements are not float32 (save with astype(numpy.float32))");
	if (!strstr(text, "'fortran_order': False"))
		fail(file, "not in C order (save with numpy.ascontiguousarray)");
	free(text);
}

/* All elements; *count says how many. */
static float *read_npy(const char *file, size_t *count)
{
	FILE *f = fopen(file, "rb");
	size_t capacity = 1024, n = 0, got;
	float *data = malloc(capacity * sizeof *data);
	if (!f)
		fail(file, "cannot be opened");
	read_head(f, file);
	while (data && (got = fread(data + n, sizeof *data, capacity - n, f)) > 0) {
		n += got;
		if (n == capacity)
			data = realloc(data, (capacity *= 2) * sizeof *data);
	}
	if (!data)
		fail(file, "does not fit into memory");
	fclose(f);
	*count = n;
	return data;
}

static void write_npy(const char *file, const float *data, size_t samples, const long *dims, int rank, size_t count)
{
	char head[256];
	FILE *f = fopen(file, "wb");
	int n = sprintf(head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lu,",
			(unsigned long)samples * (unsigned long)dims[0]);
	for (int i = 1; i < rank; i++)
		n += sprintf(head + n, " %ld,", dims[i]);
	n += sprintf(head + n, "), }");
	while ((n + 11) % 64)
		head[n++] = ' ';
	head[n++] = '\n';
	if (!f || fwrite("\x93NUMPY\1\0", 1, 8, f) != 8 || fputc(n & 255, f) == EOF || fputc(n >> 8, f) == EOF ||
	    fwrite(head, 1, (size_t)n, f) != (size_t)n ||
	    fwrite(data, sizeof *data, samples * count, f) != samples * count || fclose(f) != 0)
		fail(file, "cannot be written");
}

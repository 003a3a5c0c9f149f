/* Lists the nodes of a network with what they read and write, and draws it as SVG where a file is named.
 *
 *     cc inspect.c $(pkg-config --cflags --libs qcc) -o inspect
 *     ./inspect model.onnx graph.svg */
#include <stdio.h>

#include <qcc/qcc.h>

static void print_value(const struct qcc_value *v)
{
	char datatype[QCC_DATATYPE_SIZE];
	if (!v)
		return;
	printf(" %s %s[", qcc_value_name(v), qcc_value_datatype(v, datatype));
	for (int k = 0; k < qcc_value_rank(v); k++)
		printf("%s%lld", k ? "," : "", (long long)qcc_value_dim(v, k));
	putchar(']');
}

static int write_svg(struct qcc_model *m, const char *path)
{
	const char *svg = qcc_svg(m);
	FILE *f = svg ? fopen(path, "w") : NULL;
	if (!f)
		return -1;
	fputs(svg, f);
	return fclose(f);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: inspect MODEL [GRAPH.svg]\n", stderr);
		return 2;
	}
	struct qcc_model *m = qcc_load(argv[1]);
	int status = qcc_run(m, "infer");
	for (const struct qcc_node *n = qcc_first_node(m); n; n = qcc_next_node(n)) {
		printf("%s (%s):", qcc_node_name(n), qcc_node_op_type(n));
		for (size_t i = 0; i < qcc_node_input_count(n); i++)
			print_value(qcc_node_input(n, i));
		fputs(" ->", stdout);
		for (size_t i = 0; i < qcc_node_output_count(n); i++)
			print_value(qcc_node_output(n, i));
		putchar('\n');
	}
	if (status == 0 && argc > 2)
		status = write_svg(m, argv[2]);
	fputs(qcc_messages(m), stderr);
	qcc_free(m);
	return status == 0 ? 0 : 1;
}

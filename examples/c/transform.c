/* Runs passes over a network, lists its constants and what computes the other values, and writes it as an ONNX file and as a page
 * with every stage (html/index.html). Ctrl-C gives the passes up.
 *
 *     cc transform.c $(pkg-config --cflags --libs qcc) -o transform
 *     ./transform model.onnx streamline out.onnx folder */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <qcc/qcc.h>

static struct qcc_model *running; /* what Ctrl-C concerns */

static void give_up(int signal)
{
	(void)signal;
	qcc_cancel(running);
}

static void print_constant(const struct qcc_value *v)
{
	struct qcc_array a;
	long long count = 1;
	if (qcc_value_constant(v, &a) < 0)
		return; /* texts, say */
	for (int k = 0; k < a.rank; k++)
		count *= (long long)a.dims[k];
	printf("%s: constant, type %d, %lld elements\n", qcc_value_name(v), (int)a.type, count);
	qcc_array_free(&a);
}

static void print_values(const struct qcc_model *m)
{
	for (const struct qcc_value *v = qcc_first_value(m); v; v = qcc_next_value(v)) {
		const struct qcc_node *n = qcc_value_producer(v);
		if (n)
			printf("%s: computed by %s %s, type %d\n", qcc_value_name(v), qcc_node_domain(n),
			       qcc_node_op_type(n), (int)qcc_value_type(v));
		else
			print_constant(v);
	}
	for (size_t i = 0; qcc_output(m, i); i++)
		printf("%s: an output\n", qcc_output_name(m, i));
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: transform MODEL PASSES FILE.onnx FOLDER (qcc %s)\n", qcc_version());
		return 2;
	}
	struct qcc_model *m = qcc_load(argv[1]);
	running = m;
	signal(SIGINT, give_up);
	qcc_keep_stages(m);
	qcc_set_certify(m, 1);
	int status = qcc_run(m, argv[2]);
	if (status == 0)
		print_values(m);
	if (status == 0)
		status = qcc_write(m, argv[3]) || qcc_emit(m, "html", argv[4]) ? -1 : 0;
	if (status == 0)
		printf("%zu characters as DOT, %zu in ONNX's text form\n", strlen(qcc_dot(m)), strlen(qcc_text(m)));
	fputs(qcc_messages(m), stderr);
	qcc_clear_messages(m);
	qcc_free(m);
	return status == 0 ? 0 : 1;
}

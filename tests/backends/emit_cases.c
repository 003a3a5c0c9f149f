/* Writes C of many models in one process, for tests that have hundreds of small ones.
 *
 *     emit_cases < LIST      lines "MODEL<tab>NAME<tab>FOLDER"; prints a line for each: NAME<tab>ok or why not
 *
 * The backend's options are styles reference and packed and the name. */
#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "ir/onnx.h"
#include "pipeline/pipeline.h"
#include "report/report.h"
#include "util/file.h"

static int prepare(struct graph *g, struct diags *d)
{
	struct pipeline p = { 0 };
	struct pipeline_options o = { .verify_structure = true };
	json_t *passes = json_array();
	int status = pipeline_parse(&p, "inline-functions,infer,fold-constants", d);
	if (status == 0)
		status = pipeline_run(&p, g, &o, passes, d);
	pipeline_free(&p);
	json_decref(passes);
	return status;
}

static int emit(struct graph *g, const char *model, const char *name, const char *folder, struct diags *d)
{
	struct pass_arg args[] = { { "reference", "" }, { "packed", "" }, { "name", name } };
	struct backend_ctx ctx = { .graph = g,
				   .backend = backend_find("c"),
				   .args = args,
				   .n_args = sizeof args / sizeof *args,
				   .dir = folder,
				   .source = model,
				   .diags = d };
	return dir_make(folder, d) < 0 ? -1 : ctx.backend->emit(&ctx);
}

static void run(char *line)
{
	char *model = strtok(line, "\t\n"), *name = strtok(NULL, "\t\n"), *folder = strtok(NULL, "\t\n");
	struct diags d = { 0 };
	if (!folder)
		return;
	struct graph *g = graph_read(model, &d);
	int status = g && prepare(g, &d) == 0 ? emit(g, model, name, folder, &d) : -1;
	const struct diag *said = d.last;
	while (status < 0 && said && said->severity != DIAG_ERROR)
		said = said->next;
	printf("%s\t%s%s%s\n", name,
	       status == 0	  ? "ok"
	       : said && said->op ? said->op
				  : "",
	       status == 0 ? "" : ": ",
	       status == 0 ? ""
	       : said	   ? said->cause
			   : "failed");
	fflush(stdout);
	graph_free(g);
	diags_free(&d);
}

int main(void)
{
	static char line[8192];
	while (fgets(line, sizeof line, stdin))
		run(line);
	return 0;
}

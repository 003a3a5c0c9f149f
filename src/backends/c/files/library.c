/* c(library): the network as a library folder that the Arduino IDE and PlatformIO take: src/, examples/, library.json and
 * library.properties. What is no part of the library (the test bench) is in extras/, which both leave out. */
#include "backends/c/files/files.h"

#include <string.h>

const char *library_folder(struct emit *e, const char *name)
{
	if (!strncmp(name, "library.", 8))
		return "";
	if (ends_with(name, ".ino"))
		return arena_printf(e->arena, "examples/%s_run", e->name);
	return ends_with(name, "_test.c") ? "extras" : "src";
}

static const char version[] = "1.0.0"; /* of the network: its user raises it */

static int write_json(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b,
		      "{\n  \"name\": \"%s\",\n  \"version\": \"%s\",\n"
		      "  \"description\": \"A quantised neural network as integer C, made by qcc\",\n"
		      "  \"keywords\": \"neural network, quantised, inference\",\n"
		      "  \"frameworks\": \"*\",\n  \"platforms\": \"*\",\n  \"headers\": \"%s.h\",\n"
		      "  \"build\": { \"srcDir\": \"src\", \"includeDir\": \"src\" },\n"
		      "  \"export\": { \"exclude\": [\"extras\"] }\n}\n",
		      e->name, version, e->name);
	return emit_strbuf_file(e, "library.json", &b);
}

static int write_properties(struct emit *e)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b,
		      "name=%s\nversion=%s\nauthor=qcc\nmaintainer=qcc\n"
		      "sentence=A quantised neural network as integer C, made by qcc.\n"
		      "paragraph=Constants take %zu bytes and scratch memory %zu bytes; nothing is allocated.\n"
		      "category=Data Processing\nurl=\narchitectures=*\nincludes=%s.h\n",
		      e->name, version, e->constants->bytes, e->plan->arena_bytes, e->name);
	return emit_strbuf_file(e, "library.properties", &b);
}

static int write_example(struct emit *e)
{
	struct strbuf b = { 0 };
	const struct plan *p = e->plan;
	const char *n = e->name, *u = e->out->upper;
	strbuf_printf(
		&b,
		"/* Runs the network %s on inputs that stay the same, and prints what comes out. Put your sensor's readings into\n"
		" * the inputs; the header says what they hold. */\n#include <%s.h>\n\n",
		n, n);
	strbuf_printf(
		&b, "static unsigned char scratch[%s_SCRATCH_BYTES + 1] __attribute__((aligned(%s_SCRATCH_ALIGN)));\n",
		u, u);
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(&b, "static %s_input%zu in%zu[%s_INPUT%zu_COUNT];\n", n, i, i, u, i);
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(&b, "static %s_output%zu out%zu[%s_OUTPUT%zu_COUNT];\n", n, i, i, u, i);
	strbuf_puts(&b, "\nvoid setup()\n{\n\tSerial.begin(115200);\n}\n\nvoid loop()\n{\n");
	for (size_t i = 0; i < p->n_inputs; i++)
		strbuf_printf(&b, "\tfor (size_t k = 0; k < %s_INPUT%zu_COUNT; k++)\n\t\tin%zu[k] = %s;\n", u, i, i,
			      p->inputs[i]->real ? "0.0f" : arena_printf(e->arena, "%s_INPUT%zu_MIN", u, i));
	emit_run_call(e, &b, "\t");
	for (size_t i = 0; i < p->n_outputs; i++)
		strbuf_printf(&b, "\tfor (size_t k = 0; k < %s_OUTPUT%zu_COUNT; k++)\n\t\tSerial.println(%s);\n", u, i,
			      real_output(e, i));
	strbuf_puts(&b, "\tdelay(1000);\n}\n");
	return emit_strbuf_file(e, arena_printf(e->arena, "%s_run.ino", n), &b);
}

int write_library(struct emit *e)
{
	return write_json(e) < 0 || write_properties(e) < 0 || write_example(e) < 0 ? -1 : 0;
}

/* What the files of the html backend share. */
#ifndef QCC_BACKENDS_HTML_HTML_H
#define QCC_BACKENDS_HTML_HTML_H

#include "ir/ir.h"
#include "report/history.h"
#include "util/strbuf.h"

/* Tensors of a page as packed bits in base64, each once. */
struct page_tensors {
	struct arena arena;
	struct map numbers; /* text -> number + 1 */
	struct {
		const char **items;
		size_t count, capacity;
	} texts;
};

void page_tensors_free(struct page_tensors *p);
/* The number of a tensor in the page: [bits of an element, least element, base64]; bits 0: float32. Integers are packed
 * without gaps, least significant bit first, less the least one. -1: it holds no numbers. */
int64_t page_tensor(struct page_tensors *p, const struct tensor *t);
/* Adds them as a JSON array. */
void page_tensors_print(const struct page_tensors *p, struct strbuf *out);

/* Adds the object of a stage that the page can execute: its tensors and ranges, and rows with the outputs that qcc
 * computes from them. The rows come from a file, or (NULL) are generated. 0, or -1 with diagnostics where the file is no
 * good. */
int page_live_print(const struct live_graph *l, const char *input, int64_t samples, struct page_tensors *p,
		    struct strbuf *out, struct diags *d);
/* Adds the object of tensors of another stage: those that the page has already, and small ones. */
void page_constants_print(const struct graph *g, struct page_tensors *p, struct strbuf *out);

/* Parts of the page; the build makes them from the files here. */
extern const char html_page[], html_style[], html_script[];

#endif

/* Sliding windows (see window.h). */
#include "ops/window.h"

#include <string.h>

/* Copies an attribute's list, or the fallback, behind leading `neutral` entries. */
static int read_list(const struct node *n, const char *name, int spatial, size_t offset, int64_t fallback,
		     int64_t neutral, int64_t least, int64_t out[WINDOW_AXES], size_t per_axis, struct diags *d)
{
	size_t count;
	const int64_t *list = node_attr_ints(n, name, &count);
	if (list && count != per_axis * (size_t)spatial)
		return diag_node_error(d, n, NULL, "attribute %s has %zu entries, %zu are needed", name, count,
				       per_axis * (size_t)spatial);
	for (int i = 0; i < WINDOW_AXES; i++) {
		int own = i - (WINDOW_AXES - spatial);
		out[i] = own < 0 ? neutral : list ? list[offset + (size_t)own] : fallback;
		if (own >= 0 && (out[i] < least || out[i] > INT32_MAX))
			return diag_node_error(d, n, NULL, "attribute %s contains %lld", name, (long long)out[i]);
	}
	return 0;
}

int window_read_attributes(struct window *w, const struct node *n, int spatial, const int64_t *in,
			   const int64_t *kernel, struct diags *d)
{
	if (spatial < 1 || spatial > WINDOW_AXES)
		return diag_node_error(d, n, NULL, "inputs with %d spatial axes are not supported", spatial);
	double taps = 1;
	w->spatial = spatial;
	if (!kernel && !node_attr(n, "kernel_shape"))
		return diag_node_error(d, n, NULL, "attribute kernel_shape is missing");
	if (read_list(n, "strides", spatial, 0, 1, 1, 1, w->stride, 1, d) != 0 ||
	    read_list(n, "dilations", spatial, 0, 1, 1, 1, w->dilation, 1, d) != 0 ||
	    read_list(n, "pads", spatial, 0, 0, 0, 0, w->begin, 2, d) != 0 ||
	    read_list(n, "pads", spatial, (size_t)spatial, 0, 0, 0, w->end, 2, d) != 0 ||
	    (!kernel && read_list(n, "kernel_shape", spatial, 0, 1, 1, 1, w->kernel, 1, d) != 0))
		return -1;
	for (int i = 0; i < WINDOW_AXES; i++) {
		int own = i - (WINDOW_AXES - spatial);
		w->in[i] = own < 0 ? 1 : in[own];
		if (kernel)
			w->kernel[i] = own < 0 ? 1 : kernel[own];
		if (w->kernel[i] > 0)
			taps *= (double)w->kernel[i];
	}
	return taps <= INT32_MAX ? 0 : diag_node_error(d, n, NULL, "a window of %g elements is too large", taps);
}

/* auto_pad SAME: the output has ceil(in / stride) elements; an odd pad goes to the end (UPPER) or begin. */
static void pad_same(struct window *w, int i, int64_t extent, bool upper)
{
	w->out[i] = (w->in[i] + w->stride[i] - 1) / w->stride[i];
	int64_t total = (w->out[i] - 1) * w->stride[i] + extent - w->in[i];
	total = total > 0 ? total : 0;
	w->begin[i] = upper ? total / 2 : total - total / 2;
	w->end[i] = total - w->begin[i];
}

static int output_dim(struct window *w, const struct node *n, int i, const char *auto_pad, bool ceil_mode,
		      struct diags *d)
{
	int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1;
	if (strcmp(auto_pad, "NOTSET") != 0)
		w->begin[i] = w->end[i] = 0;
	if (strncmp(auto_pad, "SAME_", 5) == 0) {
		pad_same(w, i, extent, strcmp(auto_pad, "SAME_UPPER") == 0);
		return 0;
	}
	int64_t room = w->in[i] + w->begin[i] + w->end[i] - extent;
	if (room < 0)
		return diag_node_error(d, n, NULL, "the window (%lld) is larger than the padded input (%lld)",
				       (long long)extent, (long long)(w->in[i] + w->begin[i] + w->end[i]));
	w->out[i] = (ceil_mode ? room + w->stride[i] - 1 : room) / w->stride[i] + 1;
	/* a window that starts in the padding behind the input does not count */
	if (ceil_mode && (w->out[i] - 1) * w->stride[i] >= w->in[i] + w->begin[i])
		w->out[i]--;
	return 0;
}

int window_read(struct window *w, const struct node *n, int spatial, const int64_t *in, const int64_t *kernel,
		struct diags *d)
{
	if (window_read_attributes(w, n, spatial, in, kernel, d) != 0)
		return -1;
	const char *auto_pad = node_attr_string(n, "auto_pad", "NOTSET");
	bool ceil_mode = node_attr_int(n, "ceil_mode", 0) != 0;
	for (int i = 0; i < WINDOW_AXES; i++) {
		w->out[i] = w->in[i] < 0 || w->kernel[i] < 0 ? -1 : 1;
		if (i < WINDOW_AXES - spatial || w->out[i] < 0)
			continue;
		if (output_dim(w, n, i, auto_pad, ceil_mode, d) != 0)
			return -1;
	}
	return 0;
}

void window_valid(int64_t shift, int64_t stride, int64_t in, int64_t out, int64_t *from, int64_t *to)
{
	*from = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
	*to = shift >= in ? 0 : (in - 1 - shift) / stride + 1;
	if (*from > out)
		*from = out;
	if (*to > out)
		*to = out;
	if (*to < *from)
		*to = *from;
}

struct window_tap window_tap(const struct window *w, int64_t k)
{
	struct window_tap t;
	for (int i = WINDOW_AXES - 1; i >= 0; i--) {
		t.shift[i] = k % w->kernel[i] * w->dilation[i] - w->begin[i];
		window_valid(t.shift[i], w->stride[i], w->in[i], w->out[i], &t.from[i], &t.to[i]);
		k /= w->kernel[i];
	}
	return t;
}

bool window_is_pointwise(const struct window *w)
{
	for (int i = 0; i < WINDOW_AXES; i++)
		if (w->kernel[i] != 1 || w->stride[i] != 1 || w->begin[i] || w->end[i])
			return false;
	return true;
}

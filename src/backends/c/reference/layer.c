/* The frame of a reference kernel: function head and tail, storing a result through thresholds, and which
 * kernel a kind of layer has. */
#include "backends/c/reference/kernels.h"
#include "backends/c/reference/reference.h"

/* Codes of all of int8_t get a type of their own: GCC 12 takes sums of (x - 128) * w with x of uint8_t and w of int8_t for
 * products of two int8_t and computes them with the wrong sign where the machine has VNNI (-O3 -march=native). */
const char *ref_value(struct emit *e, const struct plan_buf *b, const char *element)
{
	const struct plan_buf *root = plan_root((struct plan_buf *)b);
	if (!root->holds_codes || (root->base == 0 && root->step == 1))
		return element;
	if (root->base == INT8_MIN && root->step == 1)
		return arena_printf(e->arena, "(int16_t)(%s - 128)", element);
	const char *k = root->step == 1 ? element : arena_printf(e->arena, "%s * %lld", element, LL(root->step));
	if (!root->base)
		return k;
	return arena_printf(e->arena, "(%s %c %lld)", k, root->base < 0 ? '-' : '+',
			    LL(root->base < 0 ? -root->base : root->base));
}

const char *ref_element(struct emit *e, const struct plan_buf *b, const char *value)
{
	const struct plan_buf *root = plan_root((struct plan_buf *)b);
	if (b->real)
		return value;
	if (!root->holds_codes || (root->base == 0 && root->step == 1))
		return arena_printf(e->arena, "(%s)(%s)", buf_ctype(b), value);
	const char *k = root->base == 0 ? arena_printf(e->arena, "(%s)", value)
					: arena_printf(e->arena, "((%s) %c %lld)", value, root->base < 0 ? '+' : '-',
						       LL(root->base < 0 ? -root->base : root->base));
	return arena_printf(e->arena, root->step == 1 ? "(%s)%s" : "(%s)(%s / %lld)", buf_ctype(b), k, LL(root->step));
}

static const char *param(struct emit *e, const char *type, const char *name, bool constant)
{
	return arena_printf(e->arena, "%s%s *restrict %s", constant ? "const " : "", type, name);
}

const char *ref_operand(struct emit *e, const struct plan_layer *l, size_t i)
{
	if (l->kind == PLAN_FORM)
		return arena_printf(e->arena, "in%zu", i);
	return i ? arena_printf(e->arena, "x%zu", i) : "x";
}

/* The layer's results by the names of their parameters. Returns how many. */
static size_t results(struct emit *e, const struct plan_layer *l, const struct plan_buf **of, const char **name)
{
	size_t n = 0;
	if (l->out)
		of[n] = l->out, name[n++] = l->kind == PLAN_FORM ? "out0" : "y";
	if (l->out2)
		of[n] = l->out2, name[n++] = "index";
	for (size_t i = 0; i < l->n_more; i++)
		if (l->more[i])
			of[n] = l->more[i], name[n++] = arena_printf(e->arena, "out%zu", i + 1);
	return n;
}

void ref_open(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = e->code;
	const struct plan_buf **of = arena_array(e->arena, const struct plan_buf *, l->n_more + 2);
	const char **name = arena_array(e->arena, const char *, l->n_more + 2);
	size_t n = results(e, l, of, name);
	strbuf_printf(b, "\n/* %s */\nstatic void %s(", layer_comment(e, l), layer_function(e, l));
	for (size_t i = 0; i < l->n_in; i++)
		strbuf_printf(b, "%s, ", param(e, buf_ctype(l->in[i]), ref_operand(e, l, i), true));
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, "%s%s", i ? ", " : "", param(e, buf_ctype(of[i]), name[i], false));
	strbuf_puts(b, ")\n{\n");
}

void ref_images(struct emit *e, const struct plan_layer *l)
{
	const struct plan_window *w = &l->window;
	if (w->batch)
		strbuf_printf(e->code, "\tfor (int image = 0; image < %lld; image++, x += %lld, y += %lld)\n",
			      LL(w->batch), LL(w->ic * w->ih * w->iw), LL(w->oc * w->oh * w->ow));
}

void ref_close(struct emit *e)
{
	strbuf_puts(e->code, "}\n");
}

/* Thresholds as an array; returns the symbol and the C type of an element. */
static const char *thresholds_array(struct emit *e, const struct plan_layer *l, const char **ctype)
{
	const struct plan_activation *s = l->activation;
	size_t n = (size_t)(s->channels * s->count);
	*ctype = "float";
	if (s->real)
		return emit_array(e, ARRAY_F32, s->real, n, "%s_t", l->name);
	return emit_ints(e, s->t, n, ctype, "%s_t", l->name);
}

static void tabs(struct strbuf *b, int n)
{
	for (int i = 0; i < n; i++)
		strbuf_puts(b, "\t");
}

/* "2 * n - 1" for step 2, base -1. */
static const char *value_of(struct emit *e, const struct plan_activation *s)
{
	const char *k = s->step == 1 ? "n" : arena_printf(e->arena, "%lld * n", LL(s->step));
	if (!s->base)
		return k;
	return arena_printf(e->arena, "%s %c %lld", k, s->base < 0 ? '-' : '+', LL(s->base < 0 ? -s->base : s->base));
}

/* One field of the activation's lines as an array. */
static const char *line_array(struct emit *e, const struct plan_layer *l, bool offset)
{
	const struct plan_activation *s = l->activation;
	int64_t *v = arena_array(e->arena, int64_t, s->channels);
	for (int64_t c = 0; c < s->channels; c++)
		v[c] = offset ? s->lines[c].offset : s->lines[c].multiplier;
	return emit_ints(e, v, (size_t)s->channels, NULL, offset ? "%s_r" : "%s_m", l->name);
}

/* Sums next to a step are looked up in the channel's exceptions. */
static void correct_line(struct emit *e, const struct plan_layer *l, int indent, const char *c)
{
	const struct plan_activation *s = l->activation;
	struct line_exceptions x = gather_exceptions(e, s->lines, s->channels);
	const char *first = emit_array(e, ARRAY_I32, x.first, (size_t)s->channels + 1, "%s_f", l->name);
	const char *at = emit_array(e, ARRAY_I32, x.x, (size_t)x.count, "%s_x", l->name);
	const char *add = emit_array(e, ARRAY_I32, x.correction, (size_t)x.count, "%s_d", l->name);
	struct strbuf *b = e->code;
	tabs(b, indent);
	strbuf_printf(b, "if (((v + %lld) & %lld) < %lld)\n", LL(s->doubt), (1LL << s->lines->shift) - 1,
		      2 * LL(s->doubt));
	tabs(b, indent + 1);
	strbuf_printf(b, "for (int k = %s[%s]; k < %s[%s + 1]; k++)\n", first, c, first, c);
	tabs(b, indent + 2);
	strbuf_printf(b, "n += sum == %s[k] ? %s[k] : 0;\n", at, add);
}

/* int n: the count of thresholds by the channel's line. */
static void count_by_line(struct emit *e, const struct plan_layer *l, int indent, const char *channel)
{
	const struct plan_activation *s = l->activation;
	struct strbuf *b = e->code;
	const char *c = s->channels == 1 ? "0" : channel;
	tabs(b, indent);
	strbuf_printf(b, "const int64_t v = (int64_t)sum * %s[%s] + %s[%s];\n", line_array(e, l, false), c,
		      line_array(e, l, true), c);
	tabs(b, indent);
	strbuf_printf(b, "int n = v < 0 ? 0 : v >> %d > %lld ? %lld : (int)(v >> %d);\n", s->lines->shift, LL(s->count),
		      LL(s->count), s->lines->shift);
	if (s->doubt)
		correct_line(e, l, indent, c);
}

/* int n: the count of thresholds. */
static void count_thresholds(struct emit *e, const struct plan_layer *l, int indent, const char *channel)
{
	const struct plan_activation *s = l->activation;
	struct strbuf *b = e->code;
	const char *type, *t = thresholds_array(e, l, &type);
	const char *row = s->channels == 1 ? ""
			  : s->count == 1  ? arena_printf(e->arena, "%s + ", channel)
					   : arena_printf(e->arena, "%s * %lld + ", channel, LL(s->count));
	tabs(b, indent);
	strbuf_puts(b, "int n = 0;\n");
	tabs(b, indent);
	if (s->count > UINT8_MAX) { /* they ascend: looked up by halves */
		int64_t half = 1;
		while (half <= s->count / 2)
			half *= 2;
		strbuf_printf(b, "for (int k = %lld; k; k /= 2)\n", LL(half));
		tabs(b, indent + 1);
		strbuf_printf(b, "n += n + k <= %lld && sum >= %s[%sn + k - 1] ? k : 0;\n", LL(s->count), t, row);
	} else {
		strbuf_printf(b, "for (int t = 0; t < %lld; t++)\n", LL(s->count));
		tabs(b, indent + 1);
		strbuf_printf(b, "n += sum >= %s[%st];\n", t, row);
	}
}

static void store_activation(struct emit *e, const struct plan_layer *l, int indent, const char *index,
			     const char *channel)
{
	const struct plan_activation *s = l->activation;
	struct strbuf *b = e->code;
	if (s->lines)
		count_by_line(e, l, indent, channel);
	else
		count_thresholds(e, l, indent, channel);
	const struct plan_buf *out = plan_root(l->out);
	const char *element = out->holds_codes && out->base == s->base && out->step == s->step
				      ? arena_printf(e->arena, "(%s)n", buf_ctype(out))
				      : ref_element(e, l->out, value_of(e, s));
	strbuf_printf(b, "y[%s] = %s;\n", index, element);
}

void ref_store(struct emit *e, const struct plan_layer *l, int indent, const char *index, const char *channel)
{
	if (l->activation) {
		store_activation(e, l, indent, index, channel);
		return;
	}
	tabs(e->code, indent);
	if (l->real)
		strbuf_printf(e->code, "y[%s] = sum;\n", index);
	else
		strbuf_printf(e->code, "y[%s] = %s;\n", index, ref_element(e, l->out, "sum"));
}

static void call(struct emit *e, const struct plan_layer *l)
{
	struct strbuf *b = &e->run.text;
	strbuf_printf(b, "\t%s(", layer_function(e, l));
	for (size_t i = 0; i < l->n_in; i++)
		strbuf_printf(
			b, "%s, ",
			buf_pointer(e, &e->run, l->in[i], arena_printf(e->arena, "const %s", buf_ctype(l->in[i]))));
	const struct plan_buf **of = arena_array(e->arena, const struct plan_buf *, l->n_more + 2);
	const char **name = arena_array(e->arena, const char *, l->n_more + 2);
	size_t n = results(e, l, of, name);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, "%s%s", i ? ", " : "", buf_pointer(e, &e->run, of[i], buf_ctype(of[i])));
	strbuf_puts(b, ");\n");
}

void ref_layer(struct emit *e, const struct plan_layer *l)
{
	static void (*const kernel[])(struct emit * e, const struct plan_layer *l) = {
		[PLAN_MAC] = ref_mac,	      [PLAN_DECONV] = ref_deconv,   [PLAN_THRESHOLD] = ref_threshold,
		[PLAN_MAXPOOL] = ref_maxpool, [PLAN_SUM] = ref_sum,	    [PLAN_BINARY] = ref_binary,
		[PLAN_UNARY] = ref_unary,     [PLAN_PRODUCT] = ref_product, [PLAN_SOFTMAX] = ref_softmax,
		[PLAN_TOPK] = ref_topk,	      [PLAN_CONCAT] = ref_concat,   [PLAN_MOVE] = ref_move,
		[PLAN_FORM] = ref_form,
	};
	kernel[l->kind](e, l);
	call(e, l);
}

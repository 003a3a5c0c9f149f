/* Einsum: sums of products over named axes. Each letter is a loop; operands advance by their own strides. */
#include <ctype.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "ops/move.h"
#include "util/integers.h"

enum { EINSUM_OPERANDS = 8, EINSUM_AXES = 2 * MAX_RANK };

/* Axes are letters, or numbers 1.. for the axes that an ellipsis stands for (counted from the right). */
struct equation {
	int n_terms;
	char terms[EINSUM_OPERANDS + 1][EINSUM_AXES + 1]; /* the last one: the result */
};

static int equation_error(struct diags *d, const struct node *n)
{
	return diag_node_error(d, n, "check attribute equation and the inputs' shapes",
			       "its equation cannot be read, or does not fit the shapes of its inputs");
}

/* One term, with an ellipsis spelled out as `hidden` axes. Returns what follows, NULL where it is broken. */
static const char *read_term(const char *s, int hidden, char *out)
{
	int n = 0;
	for (; *s && *s != ',' && *s != '-'; s++) {
		if (*s == '.' && strncmp(s, "...", 3) == 0) {
			for (int i = hidden; i > 0 && n < EINSUM_AXES; i--)
				out[n++] = (char)i; /* an ellipsis stands for MAX_RANK axes at most: no letter */
			s += 2;
		} else if (isalpha((unsigned char)*s) && n < EINSUM_AXES) {
			out[n++] = *s;
		} else if (*s != ' ') {
			return NULL;
		}
	}
	out[n] = 0;
	return s;
}

/* How many axes the ellipsis of a term at s stands for, given the operand's rank; 0 without one. */
static int hidden_axes(const char *s, int rank)
{
	int letters = 0;
	bool ellipsis = false;
	for (; *s && *s != ',' && *s != '-'; s++) {
		letters += isalpha((unsigned char)*s) != 0;
		ellipsis = ellipsis || *s == '.';
	}
	return ellipsis ? rank - letters : 0;
}

/* Without "->": the ellipsis' axes, then letters that occur once, in alphabetical order. */
static void implicit_result(struct equation *e, int hidden)
{
	char *out = e->terms[e->n_terms];
	int n = 0;
	for (int i = hidden; i > 0; i--)
		out[n++] = (char)i;
	for (int c = 'A'; c <= 'z' && n < EINSUM_AXES; c++) {
		int seen = 0;
		for (int t = 0; t < e->n_terms; t++)
			for (const char *p = e->terms[t]; *p; p++)
				seen += *p == c;
		if (seen == 1)
			out[n++] = (char)c;
	}
	out[n] = 0;
}

static bool read_equation(const struct node *n, const int *ranks, size_t count, struct equation *e)
{
	const char *s = node_attr_string(n, "equation", "");
	int hidden = 0;
	*e = (struct equation){ .n_terms = (int)count };
	if (count > EINSUM_OPERANDS)
		return false;
	for (size_t t = 0; t < count; t++) {
		int own = hidden_axes(s, ranks[t]);
		hidden = own > hidden ? own : hidden;
		if (own < 0 || !(s = read_term(s, own, e->terms[t])) || (int)strlen(e->terms[t]) != ranks[t])
			return false;
		if (t + 1 < count && *s++ != ',')
			return false;
	}
	if (*s == 0)
		implicit_result(e, hidden);
	else if (strncmp(s, "->", 2) != 0 || !(s = read_term(s + 2, hidden, e->terms[count])) || *s)
		return false;
	return strlen(e->terms[count]) <= MAX_RANK;
}

/* Extent of each axis by its letter, plus one; 0: not seen. */
struct extents {
	int64_t plus_one[128];
};

/* False where two operands disagree; extent 1 broadcasts. */
static bool add_extents(struct extents *x, const char *term, const int64_t *dims)
{
	for (int k = 0; term[k]; k++) {
		int64_t *known = &x->plus_one[(int)term[k]], now = dims[k] + 1;
		if (*known == 0 || *known == 2)
			*known = now;
		else if (now != 2 && now != *known)
			return false;
	}
	return true;
}

static bool result_shape(const struct equation *e, const struct extents *x, int64_t *dims)
{
	const char *out = e->terms[e->n_terms];
	for (int k = 0; out[k]; k++) {
		if (strchr(out + k + 1, out[k]))
			return false;
		dims[k] = x->plus_one[(int)out[k]] - 1;
	}
	return true;
}

static int infer_einsum(struct infer_ctx *x)
{
	struct equation e;
	struct extents extents = { { 0 } };
	int ranks[EINSUM_OPERANDS];
	int64_t dims[EINSUM_AXES];
	const struct node *n = x->node;
	enum elem_type elem = (enum elem_type)node_input(n, 0)->elem;
	for (size_t i = 0; i < n->n_inputs && i < EINSUM_OPERANDS; i++) {
		const struct value *v = node_input(n, i);
		if (!v || !value_shape_known(v)) {
			infer_output(x, 0, elem, -1, NULL);
			return 0;
		}
		ranks[i] = v->rank;
	}
	bool fits = read_equation(n, ranks, n->n_inputs, &e);
	for (size_t i = 0; fits && i < n->n_inputs; i++)
		fits = add_extents(&extents, e.terms[i], node_input(n, i)->dims);
	if (!fits || !result_shape(&e, &extents, dims))
		return equation_error(x->diags, n);
	infer_output(x, 0, elem, (int)strlen(e.terms[e.n_terms]), dims);
	return 0;
}

/* ---- execution ---- */

struct loops {
	int axes;
	int64_t dims[EINSUM_AXES * EINSUM_OPERANDS];
	int64_t strides[EINSUM_AXES * EINSUM_OPERANDS][EINSUM_OPERANDS + 1];
};

/* One loop for each axis: those of the result first, so that sums are innermost. */
static bool make_loops(const struct equation *e, const struct extents *x, struct tensor *const *in,
		       const struct tensor *out, struct loops *l)
{
	char letters[128 * (EINSUM_OPERANDS + 1)] = "";
	strcpy(letters, e->terms[e->n_terms]);
	for (int t = 0; t < e->n_terms; t++)
		for (const char *p = e->terms[t]; *p; p++)
			if (!strchr(letters, *p))
				strncat(letters, p, 1);
	l->axes = (int)strlen(letters);
	for (int a = 0; a < l->axes; a++) {
		l->dims[a] = x->plus_one[(int)letters[a]] - 1;
		for (int t = 0; t <= e->n_terms; t++) {
			const struct tensor *operand = t < e->n_terms ? in[t] : out;
			int64_t strides[MAX_RANK];
			row_major_strides(operand->rank, operand->dims, strides);
			l->strides[a][t] = 0;
			for (int k = 0; e->terms[t][k]; k++) /* a letter named twice walks the diagonal */
				if (e->terms[t][k] == letters[a] && operand->dims[k] != 1)
					l->strides[a][t] += strides[k];
		}
		if (l->dims[a] < 0)
			return false;
	}
	return true;
}

static int64_t total_steps(const struct loops *l)
{
	int64_t steps = 1;
	for (int a = 0; a < l->axes; a++)
		steps = multiply_clamped(steps, l->dims[a]);
	return steps;
}

static void multiply_add(const struct loops *l, int terms, double *const *data)
{
	int64_t at[EINSUM_AXES * EINSUM_OPERANDS] = { 0 }, offset[EINSUM_OPERANDS + 1] = { 0 };
	for (int a = 0; a < l->axes; a++)
		if (l->dims[a] == 0)
			return;
	for (int a = l->axes; a >= 0;) {
		double product = 1;
		for (int t = 0; t < terms; t++)
			product *= data[t][offset[t]];
		data[terms][offset[terms]] += product;
		for (a = l->axes - 1; a >= 0; a--) {
			bool wraps = ++at[a] == l->dims[a];
			for (int t = 0; t <= terms; t++)
				offset[t] += wraps ? l->strides[a][t] * (1 - l->dims[a]) : l->strides[a][t];
			if (!wraps)
				break;
			at[a] = 0;
		}
	}
}

/* Sums are kept in double. wide has room for the operands and the result. */
static int contract(struct exec_ctx *x, struct tensor **wide)
{
	struct equation e;
	struct extents extents = { { 0 } };
	struct loops l;
	int ranks[EINSUM_OPERANDS];
	int64_t dims[EINSUM_AXES];
	double *data[EINSUM_OPERANDS + 1];
	for (size_t i = 0; i < x->n_in; i++)
		ranks[i] = wide[i]->rank;
	bool fits = read_equation(x->node, ranks, x->n_in, &e);
	for (size_t i = 0; fits && i < x->n_in; i++)
		fits = add_extents(&extents, e.terms[i], wide[i]->dims);
	if (!fits || !result_shape(&e, &extents, dims))
		return equation_error(x->diags, x->node);
	struct tensor *sum = wide[x->n_in] = exec_zeros(x, ELEM_DOUBLE, (int)strlen(e.terms[e.n_terms]), dims);
	if (!sum)
		return -1;
	if (!make_loops(&e, &extents, wide, sum, &l))
		return equation_error(x->diags, x->node);
	if (exec_work(x, total_steps(&l), 4 * (int64_t)x->n_in) < 0)
		return -1;
	for (size_t i = 0; i <= x->n_in; i++)
		data[i] = wide[i]->data;
	multiply_add(&l, e.n_terms, data);
	x->out[0] = tensor_try_cast(sum, x->in[0]->elem);
	return x->out[0] ? 0 : -1;
}

static int exec_einsum(struct exec_ctx *x)
{
	struct tensor *wide[EINSUM_OPERANDS + 1] = { NULL };
	int result = 0;
	if (x->n_in > EINSUM_OPERANDS)
		return exec_unsupported(x, "more than eight operands");
	for (size_t i = 0; i < x->n_in && result == 0; i++) {
		if (x->in[i] && x->in[i]->elem != ELEM_STRING)
			wide[i] = tensor_try_cast(x->in[i], ELEM_DOUBLE);
		result = wide[i] ? 0 : exec_unsupported(x, "an omitted operand, or one of that type");
	}
	if (result == 0)
		result = contract(x, wide);
	for (size_t i = 0; i <= x->n_in; i++)
		tensor_unref(wide[i]);
	return result;
}

/* ---- generated code ---- */

/* Strides of operand t along the axes that `letters` names; a letter named twice walks the diagonal. */
static void letter_strides(const char *letters, const char *term, const struct value *v, int64_t *strides)
{
	int64_t own[MAX_RANK];
	row_major_strides(v->rank, v->dims, own);
	for (int a = 0; letters[a]; a++) {
		strides[a] = 0;
		for (int k = 0; term[k]; k++)
			if (term[k] == letters[a] && v->dims[k] != 1)
				strides[a] += own[k];
	}
}

/* All letters, those of the result first. */
static void all_letters(const struct equation *e, char *letters)
{
	strcpy(letters, e->terms[e->n_terms]);
	for (int t = 0; t < e->n_terms; t++)
		for (const char *p = e->terms[t]; *p; p++)
			if (!strchr(letters, *p))
				strncat(letters, p, 1);
}

static int form_einsum(struct op_form *f)
{
	const struct node *n = f->node;
	struct equation e;
	struct extents extents = { { 0 } };
	int ranks[EINSUM_OPERANDS];
	char letters[128 * (EINSUM_OPERANDS + 1)];
	int64_t strides[sizeof letters];
	if (n->n_inputs > EINSUM_OPERANDS)
		return -1;
	for (size_t i = 0; i < n->n_inputs; i++)
		ranks[i] = node_input(n, i)->rank;
	bool fits = read_equation(n, ranks, n->n_inputs, &e);
	for (size_t i = 0; fits && i < n->n_inputs; i++)
		fits = add_extents(&extents, e.terms[i], node_input(n, i)->dims);
	if (!fits)
		return -1;
	all_letters(&e, letters);
	int kept = (int)strlen(e.terms[e.n_terms]), all = (int)strlen(letters);
	for (int a = 0; a < kept; a++)
		form_loop(f, form_text(f, "i%d", a), extents.plus_one[(int)letters[a]] - 1);
	form_line(f, "double sum = 0;");
	for (int a = kept; a < all; a++)
		form_loop(f, form_text(f, "i%d", a), extents.plus_one[(int)letters[a]] - 1);
	const char *product = "1";
	for (size_t i = 0; i < n->n_inputs; i++) {
		letter_strides(letters, e.terms[i], node_input(n, i), strides);
		product = form_text(f, "%s * (double)%s", product, f->load(f, i, form_at(f, "i", all, strides)));
	}
	form_line(f, "sum += %s;", product);
	form_end(f, all - kept);
	letter_strides(letters, e.terms[e.n_terms], n->outputs[0], strides);
	form_store(f, 0, form_at(f, "i", kept, strides), form_text(f, "(%s)sum", form_type(f, 0)));
	form_end(f, kept);
	return 0;
}

const struct op op_Einsum = {
	.name = "Einsum",
	.domain = DOMAIN_ONNX,
	.summary = "sums of products over named axes",
	.min_inputs = 1,
	.max_inputs = -1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_einsum,
	.exec = exec_einsum,
	.form = form_einsum,
};

/* The table of operators, and what operator files share about inference and execution. */
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

#include "ops/broadcast.h"
#include "util/integers.h"
#include "util/limits.h"
#include "util/strbuf.h"

const struct op *const op_table[] = {
#define OP(symbol) &op_##symbol,
#include "ops/ops.def"
#undef OP
	NULL,
};
const size_t op_table_size = sizeof op_table / sizeof *op_table - 1;

/* Names that domains go by in files of other exporters and tools. */
static const struct {
	const char *alias, *domain;
} domain_aliases[] = {
	{ "ai.onnx", DOMAIN_ONNX },
	{ "finn", DOMAIN_QONNX },
	{ "finn.custom_op.general", DOMAIN_QONNX },
	{ "finn.custom_op.fpgadataflow.hls", DOMAIN_FINN },
	{ "finn.custom_op.fpgadataflow.rtl", DOMAIN_FINN },
	{ "onnx.brevitas", DOMAIN_QONNX },
	{ "qonnx", DOMAIN_QONNX },
};

static const char *canonical_domain(const char *domain)
{
	for (size_t i = 0; i < sizeof domain_aliases / sizeof *domain_aliases; i++)
		if (strcmp(domain, domain_aliases[i].alias) == 0)
			return domain_aliases[i].domain;
	return domain;
}

/* Orders a row against (name, domain); of the name only the first `length` bytes count. */
static int compare_row(const struct op *op, const char *name, size_t length, const char *domain)
{
	int order = strncmp(op->name, name, length);
	if (order == 0 && op->name[length])
		order = 1;
	return order ? order : strcmp(op->domain, domain);
}

/* Length of a name without the _hls or _rtl of FINN's specialised variants. */
static size_t plain_length(const char *domain, const char *name)
{
	size_t length = strlen(name);
	const char *variant = length > 4 ? name + length - 4 : "";
	bool special = strcmp(variant, "_hls") == 0 || strcmp(variant, "_rtl") == 0;
	return special && strcmp(domain, DOMAIN_FINN) == 0 ? length - 4 : length;
}

const struct op *op_find(const char *domain, const char *op_type)
{
	domain = canonical_domain(domain);
	bool linear = strcmp(op_type, "QuantizeLinear") == 0 || strcmp(op_type, "DequantizeLinear") == 0;
	if (linear && strcmp(domain, "com.microsoft") == 0) /* the same, for more types in older opsets */
		domain = DOMAIN_ONNX;
	if (strcmp(op_type, "IntQuant") == 0 && strcmp(domain, DOMAIN_QONNX) == 0)
		op_type = "Quant";
	size_t lo = 0, hi = op_table_size, length = plain_length(domain, op_type);
	while (lo < hi) { /* the first row that is not before (name, domain) */
		size_t middle = (lo + hi) / 2;
		if (compare_row(op_table[middle], op_type, length, domain) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	if (lo == op_table_size)
		return NULL;
	return compare_row(op_table[lo], op_type, length, domain) == 0 ? op_table[lo] : NULL;
}

/* ---- inference ---- */

void infer_output(struct infer_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims)
{
	struct value *v = node_output(x->node, i);
	if (!v)
		return;
	int64_t merged[MAX_RANK];
	if (rank > MAX_RANK)
		rank = -1;
	for (int k = 0; k < rank; k++) /* what was declared fills what inference cannot know */
		merged[k] = dims[k] < 0 && v->rank == rank ? v->dims[k] : dims[k];
	if (rank < 0)
		value_set_type(x->graph, v, elem ? elem : v->elem, v->rank, v->dims);
	else
		value_set_type(x->graph, v, elem ? elem : v->elem, rank, merged);
}

int infer_same(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	infer_output(x, 0, in->elem, in->rank, in->dims);
	return 0;
}

bool broadcast_shapes(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank, int64_t *out)
{
	*rank = rank_a > rank_b ? rank_a : rank_b;
	for (int i = *rank - 1; i >= 0; i--) { /* backwards: out may be a or b */
		int ia = i - (*rank - rank_a), ib = i - (*rank - rank_b);
		int64_t da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
		if (da == db || db == 1)
			out[i] = da;
		else if (da == 1)
			out[i] = db;
		else if (da < 0 || db < 0)
			out[i] = da < 0 ? db : da;
		else
			return false;
	}
	return true;
}

static int broadcast_clash(struct infer_ctx *x, const struct value *a, const struct value *b)
{
	struct strbuf sa = { 0 }, sb = { 0 };
	shape_text(&sa, a->rank, a->dims);
	shape_text(&sb, b->rank, b->dims);
	diag_node_error(x->diags, x->node, NULL, "shape %s of '%s' does not fit shape %s of '%s'", sa.text, a->name,
			sb.text, b->name);
	strbuf_free(&sa);
	strbuf_free(&sb);
	return -1;
}

static int infer_broadcast_as(struct infer_ctx *x, enum elem_type elem)
{
	int64_t dims[MAX_RANK];
	const struct value *first = node_input(x->node, 0);
	int rank = first->rank;
	const struct value *second = node_input(x->node, 1);
	if (second && legacy_axis(x->node, x->opset, rank, second->rank) >= 0) {
		infer_output(x, 0, elem, rank, first->dims);
		return 0;
	}
	if (rank > 0)
		memcpy(dims, first->dims, (size_t)rank * sizeof *dims);
	for (uint32_t i = 1; i < x->node->n_inputs; i++) {
		const struct value *v = node_input(x->node, i);
		if (!v)
			continue;
		if (v->rank < 0)
			rank = -1;
		if (rank >= 0 && !broadcast_shapes(rank, dims, v->rank, v->dims, &rank, dims))
			return broadcast_clash(x, first, v);
	}
	infer_output(x, 0, elem, rank, dims);
	return 0;
}

int infer_broadcast(struct infer_ctx *x)
{
	return infer_broadcast_as(x, node_input(x->node, 0)->elem);
}

int infer_broadcast_bool(struct infer_ctx *x)
{
	return infer_broadcast_as(x, ELEM_BOOL);
}

bool constant_ints(const struct value *v, int64_t out[MAX_RANK], size_t *count)
{
	if (!value_is_constant(v) || v->constant->count > MAX_RANK || v->constant->elem == ELEM_STRING)
		return false;
	*count = (size_t)v->constant->count;
	for (size_t i = 0; i < *count; i++)
		out[i] = tensor_int_at(v->constant, (int64_t)i);
	return true;
}

int normal_axis(int64_t axis, int rank)
{
	if (axis < 0)
		axis += rank;
	return axis >= 0 && axis < rank ? (int)axis : -1;
}

struct datatype datatype_same(const struct node *n, size_t i)
{
	(void)i;
	return node_input(n, 0)->datatype;
}

/* ---- execution ---- */

static int64_t longest_string(const struct exec_ctx *x)
{
	size_t longest = 0;
	for (size_t i = 0; i < x->n_in; i++)
		for (int64_t k = 0; x->in[i] && x->in[i]->elem == ELEM_STRING && k < x->in[i]->count; k++) {
			size_t length = strlen(tensor_string(x->in[i], k));
			longest = length > longest ? length : longest;
		}
	return (int64_t)longest;
}

/* An element counts for four bytes at least: on the way it may be widened. A string is a copy of its own. */
static int64_t element_bytes(const struct exec_ctx *x, enum elem_type elem)
{
	int64_t size = (int64_t)elem_size(elem);
	if (elem == ELEM_STRING)
		return size + 32 + longest_string(x);
	return size < 4 ? 4 : size;
}

static int too_large(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims)
{
	struct strbuf shape = { 0 };
	shape_text(&shape, rank, dims);
	diag_node_error(x->diags, x->node, "allow more with --max-memory",
			"a result of type %s and shape %s is beyond the memory that the model may take (%lld MB)",
			elem_name(elem), shape.text, (long long)(x->left->bytes >> 20));
	strbuf_free(&shape);
	return -1;
}

/* -1 with a diagnostic where the shape does not count or is beyond the budget. */
static int check_size(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims)
{
	int64_t count = rank > MAX_RANK ? -1 : shape_count(rank, dims, elem);
	bool fits = count >= 0 && multiply_clamped(count, element_bytes(x, elem)) <= x->left->bytes;
	return fits ? 0 : too_large(x, elem, rank, dims);
}

static struct tensor *checked(struct exec_ctx *x, struct tensor *t)
{
	if (!t)
		diag_node_error(x->diags, x->node, NULL, "out of memory");
	return t;
}

struct tensor *exec_scratch(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims)
{
	return check_size(x, elem, rank, dims) < 0 ? NULL : checked(x, tensor_try_raw(elem, rank, dims));
}

struct tensor *exec_zeros(struct exec_ctx *x, enum elem_type elem, int rank, const int64_t *dims)
{
	return check_size(x, elem, rank, dims) < 0 ? NULL : checked(x, tensor_try_new(elem, rank, dims));
}

struct tensor *exec_as(struct exec_ctx *x, const struct tensor *t, enum elem_type elem)
{
	bool same = t->elem == elem;
	return !same && check_size(x, elem, t->rank, t->dims) < 0 ? NULL : checked(x, tensor_try_cast(t, elem));
}

void *exec_memory(struct exec_ctx *x, int64_t count, size_t size)
{
	void *p = NULL;
	if (count >= 0 && multiply_clamped(count, (int64_t)size) <= x->left->bytes)
		p = memory_try_zeroed((size_t)count + 1, size);
	if (!p)
		diag_node_error(x->diags, x->node, "allow more with --max-memory",
				"its tables of %lld entries are beyond the memory that the model may take",
				(long long)count);
	return p;
}

struct tensor *exec_output(struct exec_ctx *x, size_t i, enum elem_type elem, int rank, const int64_t *dims)
{
	struct tensor *t = exec_check_shape(x, i, rank, dims) < 0 ? NULL : exec_scratch(x, elem, rank, dims);
	if (t && i < x->n_out) {
		tensor_unref(x->out[i]);
		x->out[i] = t;
	}
	return t;
}

int exec_unsupported(struct exec_ctx *x, const char *what)
{
	return diag_node_error(x->diags, x->node, NULL, "cannot be executed: %s", what);
}

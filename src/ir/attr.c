/* Attributes of nodes: reading with a fallback, setting, removing. */
#include <string.h>

#include "ir/ir.h"
#include "util/integers.h"

struct attr_extra *attr_extra(struct arena *a, struct attr *attr)
{
	if (!attr->extra)
		attr->extra = arena_new(a, struct attr_extra);
	return attr->extra;
}

/* Slice's bounds may lie anywhere beyond the ends; constants and seeds are numbers as they are. */
static bool takes_any(const char *name)
{
	static const char *const names[] = { "ends", "seed", "starts", "value_int", "value_ints" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

bool attr_fits(const struct attr *a)
{
	const int64_t *ints = a->kind == ATTR_INTS ? a->ints : &a->i;
	uint32_t count = a->kind == ATTR_INTS ? a->count : a->kind == ATTR_INT;
	for (uint32_t i = 0; i < count; i++)
		if ((ints[i] > INT32_MAX || ints[i] < -INT32_MAX) && !takes_any(a->name))
			return false;
	return true;
}

const struct attr *node_attr(const struct node *n, const char *name)
{
	for (const struct attr *a = n->attrs; a; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

int64_t node_attr_int(const struct node *n, const char *name, int64_t fallback)
{
	const struct attr *a = node_attr(n, name);
	if (a && a->kind == ATTR_FLOAT) /* some exporters write 1.0 for 1 */
		return saturated_int64((double)a->f);
	return a && a->kind == ATTR_INT ? a->i : fallback;
}

double node_attr_float(const struct node *n, const char *name, double fallback)
{
	const struct attr *a = node_attr(n, name);
	if (a && a->kind == ATTR_INT)
		return (double)a->i;
	return a && a->kind == ATTR_FLOAT ? (double)a->f : fallback;
}

const char *node_attr_string(const struct node *n, const char *name, const char *fallback)
{
	const struct attr *a = node_attr(n, name);
	return a && a->kind == ATTR_STRING ? a->s : fallback;
}

const int64_t *node_attr_ints(const struct node *n, const char *name, size_t *count)
{
	const struct attr *a = node_attr(n, name);
	bool found = a && a->kind == ATTR_INTS;
	*count = found ? a->count : 0;
	return found ? a->ints : NULL;
}

const float *node_attr_floats(const struct node *n, const char *name, size_t *count)
{
	const struct attr *a = node_attr(n, name);
	bool found = a && a->kind == ATTR_FLOATS;
	*count = found ? a->count : 0;
	return found ? a->floats : NULL;
}

/* The attribute of that name, emptied, or a new one at the end of the list. */
static struct attr *fresh(struct node *n, const char *name, enum attr_kind kind, size_t count)
{
	struct attr **link = &n->attrs;
	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	struct attr *next = NULL;
	if (*link) {
		next = (*link)->next;
		if ((*link)->kind == ATTR_TENSOR)
			tensor_unref((*link)->t);
		name = (*link)->name;
	} else {
		*link = arena_new(&n->graph->arena, struct attr);
		name = arena_strdup(&n->graph->arena, name);
	}
	**link = (struct attr){ .name = name, .kind = kind, .count = (uint32_t)count, .next = next };
	return *link;
}

void node_set_int(struct node *n, const char *name, int64_t i)
{
	fresh(n, name, ATTR_INT, 1)->i = i;
}

void node_set_float(struct node *n, const char *name, float f)
{
	fresh(n, name, ATTR_FLOAT, 1)->f = f;
}

void node_set_string(struct node *n, const char *name, const char *s)
{
	char *copy = arena_strdup(&n->graph->arena, s);
	fresh(n, name, ATTR_STRING, strlen(s))->s = copy;
}

void node_set_ints(struct node *n, const char *name, const int64_t *ints, size_t count)
{
	const int64_t *copy = arena_copy(&n->graph->arena, ints, count * sizeof *ints);
	fresh(n, name, ATTR_INTS, count)->ints = copy;
}

void node_set_floats(struct node *n, const char *name, const float *floats, size_t count)
{
	const float *copy = arena_copy(&n->graph->arena, floats, count * sizeof *floats);
	fresh(n, name, ATTR_FLOATS, count)->floats = copy;
}

void node_set_strings(struct node *n, const char *name, const char *const *strings, size_t count)
{
	const char **copy = arena_array(&n->graph->arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(&n->graph->arena, strings[i]);
	fresh(n, name, ATTR_STRINGS, count)->strings = copy;
}

void node_remove_attr(struct node *n, const char *name)
{
	struct attr **link = &n->attrs;
	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	if (!*link)
		return;
	if ((*link)->kind == ATTR_TENSOR)
		tensor_unref((*link)->t);
	*link = (*link)->next;
}

static char *copy_text(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

static struct attr_extra *copy_extra(struct arena *a, const struct attr_extra *from)
{
	struct attr_extra *to = arena_new(a, struct attr_extra);
	*to = (struct attr_extra){ copy_text(a, from->ref_attr_name), copy_text(a, from->doc),
				   copy_text(a, from->tensor_name) };
	return to;
}

/* A copy of one attribute in another graph's arena; tensors are shared. */
static struct attr *copy_attr(struct arena *a, const struct attr *from)
{
	struct attr *to = arena_copy(a, from, sizeof *from);
	to->name = arena_strdup(a, from->name);
	to->extra = from->extra ? copy_extra(a, from->extra) : NULL;
	to->next = NULL;
	switch (from->kind) {
	case ATTR_INT:
	case ATTR_FLOAT: break;
	case ATTR_STRING: to->s = arena_strndup(a, from->s, from->count); break;
	case ATTR_INTS: to->ints = arena_copy(a, from->ints, from->count * sizeof *from->ints); break;
	case ATTR_FLOATS: to->floats = arena_copy(a, from->floats, from->count * sizeof *from->floats); break;
	case ATTR_STRINGS: {
		const char **strings = arena_array(a, const char *, from->count);
		for (size_t i = 0; i < from->count; i++)
			strings[i] = arena_strdup(a, from->strings[i]);
		to->strings = strings;
		break;
	}
	case ATTR_TENSOR: to->t = tensor_ref(from->t); break;
	default: to->raw = arena_copy(a, from->raw, from->count);
	}
	return to;
}

void node_copy_attrs(struct node *to, const struct node *from)
{
	struct attr **link = &to->attrs;
	while (*link)
		link = &(*link)->next;
	for (const struct attr *a = from->attrs; a; a = a->next) {
		*link = copy_attr(&to->graph->arena, a);
		link = &(*link)->next;
	}
}

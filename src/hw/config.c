/* folding_config.json as FINN's ApplyConfig reads it and its auto_folding_config.json is written: an object with
 * "Defaults" and, by node name, the attributes to set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/folding.h"
#include "hw/kind.h"
#include "util/json_file.h"
#include "util/file.h"

/* What FINN's builder writes for a layer, as far as our layers have it; and the size of a matrix, which fold may have
 * padded, so that PE and SIMD divide it. */
static const char *const saved[] = {
	"MW",
	"MH",
	"PE",
	"SIMD",
	"parallel_window",
	"ram_style",
	"resType",
	"mem_mode",
	"runtime_writeable_weights",
	"ram_style_thresholds",
	"inFIFODepths",
	"outFIFODepths",
	"impl_style",
	"depth",
};

static json_t *attribute_value(const struct attr *a)
{
	if (a->kind == ATTR_INT)
		return json_integer(a->i);
	if (a->kind == ATTR_STRING)
		return json_string(a->s);
	if (a->kind != ATTR_INTS)
		return NULL;
	json_t *list = json_array();
	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(list, json_integer(a->ints[i]));
	return list;
}

static json_t *layer_config(const struct node *n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < sizeof saved / sizeof *saved; i++) {
		const struct attr *a = node_attr(n, saved[i]);
		json_t *value = a ? attribute_value(a) : NULL;
		if (value)
			json_object_set_new(o, saved[i], value);
	}
	return o;
}

/* The variant of a layer that FINN's SpecializeLayers picks here: sliding windows and what is plain plumbing exist in
 * RTL, the others, as preferred_impl_style asks, in HLS. */
static const char *variant(const struct node *n)
{
	return hw_kind_of(n)->flags & HW_IN_RTL ? "_rtl" : "_hls";
}

/* The name a layer has after specialisation, when FINN applies the file: MVAU_0 becomes MVAU_hls_0. False where the
 * layer's name is not of that form. */
static bool specialised_name(const struct node *n, char *buffer, size_t size)
{
	const char *name = node_label(n), *number = strrchr(name, '_');
	size_t length = number ? (size_t)(number - name) : 0;
	bool plus = strncmp(name, "Elementwise", 11) == 0; /* FINN-plus's name for AddStreams and its like */
	if (!number || (!plus && (strlen(n->op->name) != length || strncmp(name, n->op->name, length) != 0)))
		return false;
	snprintf(buffer, size, "%.*s%s%s", (int)length, name, variant(n), number);
	return true;
}

int folding_config_write(const struct graph *g, const char *path, struct diags *d)
{
	json_t *root = json_pack("{s:{}}", "Defaults");
	char name[128];
	graph_for_each_node (g, n) {
		if (!hw_kind_of(n))
			continue;
		json_object_set_new(root, node_label(n), layer_config(n));
		if (specialised_name(n, name, sizeof name))
			json_object_set_new(root, name, layer_config(n));
	}
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	int result = text ? file_write(path, text, strlen(text), d) : -1;
	free(text);
	json_decref(root);
	return result;
}

/* Sets an attribute of a node; counts a change. */
static int set_attribute(struct node *n, const char *name, const json_t *value, size_t *changes, struct diags *d)
{
	int64_t ints[64];
	size_t count = json_array_size(value);
	if (json_is_integer(value)) {
		if (node_attr_int(n, name, INT64_MIN) != json_integer_value(value))
			++*changes;
		node_set_int(n, name, json_integer_value(value));
	} else if (json_is_string(value)) {
		if (strcmp(node_attr_string(n, name, ""), json_string_value(value)) != 0)
			++*changes;
		node_set_string(n, name, json_string_value(value));
	} else if (json_is_array(value) && count <= 64) {
		for (size_t i = 0; i < count; i++)
			ints[i] = json_integer_value(json_array_get(value, i));
		node_set_ints(n, name, ints, count);
	} else {
		return diag_node_error(d, n, NULL, "the configuration gives %s no integer, string or list of integers",
				       name);
	}
	return 0;
}

/* "Defaults" is {attribute: [value, [operators]]}; operators may be ["all"]. */
static int apply_defaults(struct node *n, json_t *defaults, size_t *changes, struct diags *d)
{
	const char *name;
	json_t *entry;
	json_object_foreach(defaults, name, entry)
	{
		json_t *who = json_array_get(entry, 1), *one;
		size_t i;
		bool meant = false;
		json_array_foreach(who, i, one)
		{
			const char *text = json_string_value(one);
			meant = meant || (text && (!strcmp(text, "all") || !strcmp(text, n->op_type) ||
						   !strcmp(text, n->op->name)));
		}
		if (meant && set_attribute(n, name, json_array_get(entry, 0), changes, d) != 0)
			return -1;
	}
	return 0;
}

/* A layer's entry: by its name here or the one it has after specialisation. NULL where there is none. */
static json_t *entry_of(const struct node *n, json_t *root)
{
	char special[128];
	json_t *own = json_object_get(root, node_label(n));
	if (!own && specialised_name(n, special, sizeof special))
		own = json_object_get(root, special);
	return own;
}

static int apply_layer(struct node *n, json_t *root, size_t *changes, struct diags *d)
{
	const char *name;
	json_t *value, *own = entry_of(n, root);
	struct hw_layer l;
	if (apply_defaults(n, json_object_get(root, "Defaults"), changes, d) != 0)
		return -1;
	json_object_foreach(own, name, value) if (set_attribute(n, name, value, changes, d) != 0) return -1;
	if (hw_layer_read(n, &l, d) != 0)
		return -1;
	if (!hw_choice_fits(&l, &l.now))
		return diag_node_error(d, n, "correct the configuration",
				       "PE=%lld does not divide %lld, or SIMD=%lld does not divide %lld",
				       (long long)l.now.pe, (long long)l.max_pe, (long long)l.now.simd,
				       (long long)l.max_simd);
	return 0;
}

/* ---- sizes ---- */

/* The size that the file gives a matrix; the one that it has where it gives none. */
static int64_t size_in_file(const struct node *n, json_t *root, const char *name)
{
	const json_t *size = json_object_get(entry_of(n, root), name);
	return json_is_integer(size) ? json_integer_value(size) : node_attr_int(n, name, 0);
}

static bool is_matrix(const struct node *n)
{
	const struct hw_kind *k = n ? hw_kind_of(n) : NULL;
	return k && k->flags & HW_MATRIX;
}

/* Pads the inputs of a matrix as they were padded when the file was written: those that the host gives, or the outputs of the
 * matrix in front of it, which then is padded too. */
static bool pad_inputs(struct node *n, json_t *root)
{
	int64_t to = size_in_file(n, root, "MW");
	struct value *x = node_input(n, 0);
	struct node *before = x->producer;
	if (to < node_attr_int(n, "MW", 0) || to > INT32_MAX)
		return false;
	if (folding_pads_input(n))
		folding_pad_input(n, to);
	else if (is_matrix(before) && value_only_use(x) && size_in_file(before, root, "MH") == to &&
		 folding_pads_output(before, n))
		folding_pad_output(before, n, to);
	else
		return false;
	return true;
}

static int apply_sizes(struct graph *g, json_t *root, size_t *changes, struct diags *d)
{
	graph_for_each_node (g, n)
		if (is_matrix(n) && size_in_file(n, root, "MW") != node_attr_int(n, "MW", 0) && pad_inputs(n, root))
			++*changes;
	graph_for_each_node (g, n) {
		if (!is_matrix(n))
			continue;
		int64_t mw = size_in_file(n, root, "MW"), mh = size_in_file(n, root, "MH");
		if (mw != node_attr_int(n, "MW", 0) || mh != node_attr_int(n, "MH", 0))
			return diag_node_error(d, n, "apply it to the network that it was written for",
					       "has %lld inputs and %lld outputs, in the configuration %lld and %lld",
					       (long long)node_attr_int(n, "MW", 0),
					       (long long)node_attr_int(n, "MH", 0), (long long)mw, (long long)mh);
	}
	return 0;
}

/* Names in the file that no hardware layer has: an error, for else a folding would silently not apply. */
static int check_names(const struct graph *g, json_t *root, const char *path, struct diags *d)
{
	const char *name;
	json_t *value;
	int result = 0;
	json_object_foreach(root, name, value)
	{
		bool known = strcmp(name, "Defaults") == 0;
		char special[128];
		graph_for_each_node (g, n)
			known = known || (hw_kind_of(n) &&
					  (strcmp(node_label(n), name) == 0 ||
					   (specialised_name(n, special, sizeof special) && !strcmp(special, name))));
		if (!known)
			result = diag_error(d, "name the hardware layers as in model.finn.onnx",
					    "%s configures '%s', but no hardware layer has that name", path, name);
	}
	return result;
}

int folding_config_apply(struct graph *g, const char *path, size_t *changes, struct diags *d)
{
	json_t *root = json_file_read(path, d);
	if (!root)
		return -1;
	int result = check_names(g, root, path, d);
	if (result == 0)
		result = apply_sizes(g, root, changes, d);
	graph_for_each_node (g, n)
		if (result == 0 && hw_kind_of(n))
			result = apply_layer(n, root, changes, d);
	json_decref(root);
	return result;
}

/* What pictures of a graph show besides its nodes (backends dot and html): how each node takes part in the integer
 * network, which nodes make a layer, and which layers repeat. */
#ifndef QCC_REPORT_PICTURE_H
#define QCC_REPORT_PICTURE_H

#include "ir/ir.h"

/* How a node takes part in the integer network; decides its colour. */
enum role {
	ROLE_FLOAT,	/* floating point before, behind or without an integer part */
	ROLE_QUANTISER, /* real numbers come in or go out, integers on the other side */
	ROLE_INTEGER,	/* reads and writes integers only */
	ROLE_LEFTOVER,	/* floating point between the first quantiser and the last integer node */
};

/* The role of each node, indexed by node id; malloc'd. O(nodes + uses). */
enum role *graph_roles(const struct graph *g);

/* A layer is a product with what prepares its windows and the nodes behind it, as far as each reads the one before and no
 * other. A block is the least sequence of layers that repeats; a repeat is all of its blocks. Groups lie within each other
 * or apart, and a graph in which groups are drawn as one node has no cycle. */
enum group_kind { GROUP_LAYER, GROUP_BLOCK, GROUP_REPEAT };
enum { NO_GROUP = UINT32_MAX };

struct group {
	enum group_kind kind;
	uint32_t parent;   /* the group that it lies in, with a smaller number; NO_GROUP */
	uint32_t nodes;	   /* how many it has, those of groups in it included */
	uint32_t times;	   /* of a repeat: how many blocks; of a block: its number, from 1; else 0 */
	const char *label; /* its operators: "MatMul, MultiThreshold" */
};

struct groups {
	struct arena arena;
	struct group *items;
	size_t count;
	uint32_t *of; /* by node id: the innermost group; NO_GROUP: none */
};

/* O(nodes + uses). */
void groups_find(struct groups *s, const struct graph *g);
void groups_free(struct groups *s);

#endif

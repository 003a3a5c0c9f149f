/* A circuit of bits for one frame a cycle: gates between registers, built from the inputs on, written as Verilog.
 *
 * A literal is a bit or its inverse. Gates are small tables, comparisons and chains. A chain adds up a column of bits for
 * each power of two in one carry chain: per column a bit that is used as it is, and a bit of a table of at most five literals
 * (a LUT of six inputs and a step of the carry chain, which is what FPGAs have for each sum bit anyway); and a carry in. */
#ifndef QCC_BACKENDS_VERILOG_UNROLLED_NETLIST_H
#define QCC_BACKENDS_VERILOG_UNROLLED_NETLIST_H

#include <stdint.h>

#include "util/arena.h"
#include "util/strbuf.h"

typedef int32_t lit; /* twice a bit's number, and 1 more for its inverse */
enum { LIT_0 = 0, LIT_1 = 1 };

static inline lit lit_not(lit x)
{
	return x ^ 1;
}

/* The value sum(bits[k] 2^k) - offset. */
struct net_number {
	lit *bits;
	int n;
	int64_t offset;
};

enum { CHAIN_GROUP = 5, CHAIN_COLUMNS = 64 };

/* Literals of the first column and of the next one; their sum, as a binary number, is one operand of the chain there. */
struct chain_group {
	int column, columns, n;
	lit in[CHAIN_GROUP];
	int8_t next[CHAIN_GROUP]; /* 1: in the next column */
};

struct net_chain {
	int columns, n_groups;
	lit raw[CHAIN_COLUMNS]; /* LIT_0: none */
	lit carry;
	struct chain_group groups[CHAIN_COLUMNS];
};

enum gate_kind { GATE_TABLE, GATE_COMPARE, GATE_CHAIN };

struct gate {
	enum gate_kind kind;
	int n_in, n_out;
	lit *in;
	int32_t first;	 /* bit number of its first output */
	uint64_t *table; /* GATE_TABLE: for each output the values for all inputs, 64 a word */
	struct net_chain *chain;
	int level;
	bool used;
};

struct net_bit {
	int32_t gate;	 /* -1: an input of the circuit, or the constant */
	int level, last; /* the stage of its last use */
	bool used;
};

struct netlist {
	struct arena arena;
	struct {
		struct net_bit *items;
		size_t count, capacity;
	} bits;
	struct {
		struct gate *items;
		size_t count, capacity;
	} gates;
	int depth;  /* gates between registers */
	int stages; /* registers from input to output */
};

void netlist_init(struct netlist *n);
void netlist_free(struct netlist *n);
lit netlist_input(struct netlist *n);
int netlist_level(const struct netlist *n, lit x);
/* The outputs of a table: value(user, inputs as a number) is a number whose bits they are. At most 12 inputs. */
void netlist_table(struct netlist *n, const lit *in, int n_in, uint64_t (*value)(const void *user, uint64_t in),
		   const void *user, lit *out, int n_out);
/* Whether the number of a is at least the number of b (both n_bits, the lowest first). */
lit netlist_at_least(struct netlist *n, const lit *a, const lit *b, int n_bits);
/* columns + 1 literals. */
void netlist_chain(struct netlist *n, const struct net_chain *c, lit *out);
/* Divides the circuit into stages: so many, or (0) as many as `depth` gates a stage make. Outputs leave the last register. */
void netlist_stages(struct netlist *n, int64_t stages, const lit *outputs, size_t count);
/* LUTs of six inputs that the circuit takes, about. */
int64_t netlist_luts(const struct netlist *n);
/* The literal as it is called in that stage. */
void netlist_name(const struct netlist *n, lit x, int stage, struct strbuf *b);
/* Declarations, gates and registers (written where `move` is set); inputs are wires that stand before it. */
void netlist_write(const struct netlist *n, struct strbuf *b);

#endif

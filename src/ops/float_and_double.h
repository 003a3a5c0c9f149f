/* Makes the loops of the file LOOPS twice: as NAME_float with REAL float, and as NAME_double with REAL double. No
 * guard: included once for each file of loops. */
#define REAL float
#define NAME(f) f##_float
#include LOOPS
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_double
#include LOOPS
#undef REAL
#undef NAME
#undef LOOPS

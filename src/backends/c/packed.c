/* The style `packed`. */
#include "backends/c/emit.h"

static int packed_layers(struct emit *e)
{
	(void)e;
	return 0;
}
const struct style style_packed = { .name = "packed", .folder = "c-packed", .plan = { true, true }, .align = 64, .layers = packed_layers };

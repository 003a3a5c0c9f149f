/* The style `tiny`. */
#include "backends/c/emit.h"

static int tiny_layers(struct emit *e)
{
	(void)e;
	return 0;
}
const struct style style_tiny = { .name = "tiny", .folder = "c-tiny", .plan = { true, true }, .align = 64, .layers = tiny_layers };

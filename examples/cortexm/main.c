/* A program for a microcontroller around a network that qcc wrote as net.h (c(tiny,name=net), after the pass integer-io): readings
 * become the integers that the network takes, its integers become numbers again. board.c and board.ld are the board under it, an
 * MPS2 with a Cortex-M4 as qemu has it. */
#include <math.h>
#include <stdio.h>

#include "net.h"

static unsigned char scratch[NET_SCRATCH_BYTES + 1] __attribute__((aligned(NET_SCRATCH_ALIGN)));
static net_input0 in[NET_INPUT0_COUNT];
static net_output0 out[NET_OUTPUT0_COUNT];

/* In place of a sensor: a wave. */
static float reading(int k)
{
	return sinf(0.3f * (float)k);
}

static net_input0 to_integer(float x)
{
	const float q = roundf((x - NET_INPUT0_OFFSET) / NET_INPUT0_SCALE);
	return (net_input0)(q < NET_INPUT0_MIN ? NET_INPUT0_MIN : q > NET_INPUT0_MAX ? NET_INPUT0_MAX : q);
}

int main(void)
{
	for (int k = 0; k < NET_INPUT0_COUNT; k++)
		in[k] = to_integer(reading(k));
	net_run(in, out, scratch);
	for (int k = 0; k < NET_OUTPUT0_COUNT; k++)
		printf("class %d: %ld thousandths\n", k, lrintf(1000 * (float)out[k]));
	printf("%d bytes of constants, %d of memory\n", NET_ROM_BYTES, NET_SCRATCH_BYTES);
	return 0;
}

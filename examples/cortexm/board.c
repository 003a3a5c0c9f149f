/* The board under generated code on a Cortex-M: vectors, start-up, output and exit through semihosting, and a count
 * of instructions. For qemu-system-arm -M mps2-an386 -semihosting -icount shift=0, where an instruction takes a
 * nanosecond and the SysTick timer, at 25 MHz, ticks every 40. */
#include <stdint.h>
#include <stdio.h>

extern uint32_t data_from, data_start, data_end, bss_start, bss_end, stack_top;
int main(void);
void start(void);
static void tick(void);
static void fault(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
	&stack_top,
	(const void *)start,
	(const void *)fault,
	(const void *)fault,
	(const void *)fault,
	(const void *)fault,
	(const void *)fault,
	0,
	0,
	0,
	0,
	(const void *)fault,
	(const void *)fault,
	0,
	(const void *)fault,
	(const void *)tick,
};

static int semihost(int operation, const void *argument)
{
	register int r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = argument;
	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

enum { SYS_WRITEC = 3, SYS_EXIT_EXTENDED = 0x20 };

int _write(int file, const char *bytes, int n)
{
	(void)file;
	for (int i = 0; i < n; i++)
		semihost(SYS_WRITEC, bytes + i);
	return n;
}

static void leave(int status)
{
	const uint32_t reason[2] = { 0x20026, (uint32_t)status };
	semihost(SYS_EXIT_EXTENDED, reason);
	for (;;)
		;
}

static void fault(void)
{
	leave(99);
}

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;
static volatile uint32_t rounds;

static void tick(void)
{
	rounds++;
}

void start(void)
{
	uint32_t *from = &data_from;
	for (uint32_t *to = &data_start; to < &data_end;)
		*to++ = *from++;
	for (uint32_t *to = &bss_start; to < &bss_end;)
		*to++ = 0;
	systick[1] = 0xffffff;
	systick[2] = 0;
	systick[0] = 7;
	const int status = main();
	const uint32_t ticks = rounds * 0x1000000u + 0xffffff - systick[2];
	printf("instructions %lu\n", (unsigned long)ticks * 40);
	fflush(stdout);
	leave(status);
}

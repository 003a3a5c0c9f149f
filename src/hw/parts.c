/* The resources of FPGAs by part and board name: LUTs, RAMB18s, DSP slices, URAMs, from the vendors' data sheets (AMD
 * DS190, DS180, DS891, DS962, DS1003), and their full device names, those of the boards from the boards' guides. */
#include "hw/parts.h"

#include <stdio.h>
#include <string.h>

#include "util/strbuf.h"

static const struct {
	const char *name, *package; /* package and speed grade of the commonest board */
	int64_t lut, bram, dsp, uram;
} parts[] = {
	{ "xc7z007s", "clg400-1", 14400, 100, 66, 0 },
	{ "xc7z010", "clg400-1", 17600, 120, 80, 0 },
	{ "xc7z020", "clg400-1", 53200, 280, 220, 0 },
	{ "xc7z030", "fbg676-2", 78600, 530, 400, 0 },
	{ "xc7z045", "ffg900-2", 218600, 1090, 900, 0 },
	{ "xc7z100", "ffg900-2", 277400, 1510, 2020, 0 },
	{ "xc7a35t", "icsg324-1L", 20800, 100, 90, 0 },
	{ "xc7a100t", "csg324-1", 63400, 270, 240, 0 },
	{ "xc7a200t", "sbg484-1", 134600, 730, 740, 0 },
	{ "xczu3eg", "-sbva484-1-e", 70560, 432, 360, 0 },
	{ "xczu5ev", "-sfvc784-1-e", 117120, 288, 1248, 64 },
	{ "xczu7ev", "-ffvc1156-2-e", 230400, 624, 1728, 96 },
	{ "xczu9eg", "-ffvb1156-2-e", 274080, 1824, 2520, 0 },
	{ "xczu28dr", "-ffvg1517-2-e", 425280, 2160, 4272, 80 },
	{ "xck26", "-sfvc784-2LV-c", 117120, 288, 1248, 64 },
	{ "xcu50", "-fsvh2104-2L-e", 872064, 2688, 5952, 640 },
	{ "xcu200", "-fsgd2104-2-e", 1182240, 4320, 6840, 960 },
	{ "xcu250", "-figd2104-2L-e", 1728000, 5376, 12288, 1280 },
	{ "xcu280", "-fsvh2892-2L-e", 1303680, 4032, 9024, 960 },
};

enum { PARTS = sizeof parts / sizeof *parts };

static const struct {
	const char *board, *device;
} boards[] = {
	{ "Pynq-Z1", "xc7z020clg400-1" },      { "Pynq-Z2", "xc7z020clg400-1" },
	{ "ZC702", "xc7z020clg484-1" },	       { "ZC706", "xc7z045ffg900-2" },
	{ "Arty-Z7-10", "xc7z010clg400-1" },   { "Arty-Z7-20", "xc7z020clg400-1" },
	{ "Ultra96", "xczu3eg-sbva484-1-e" },  { "Ultra96-V2", "xczu3eg-sbva484-1-i" },
	{ "ZCU102", "xczu9eg-ffvb1156-2-e" },  { "ZCU104", "xczu7ev-ffvc1156-2-e" },
	{ "ZCU111", "xczu28dr-ffvg1517-2-e" }, { "RFSoC2x2", "xczu28dr-ffvg1517-2-e" },
	{ "KV260", "xck26-sfvc784-2LV-c" },    { "KV260_SOM", "xck26-sfvc784-2LV-c" },
	{ "U50", "xcu50-fsvh2104-2L-e" },      { "U200", "xcu200-fsgd2104-2-e" },
	{ "U250", "xcu250-figd2104-2L-e" },    { "U280", "xcu280-fsvh2892-2L-e" },
};

enum { BOARDS = sizeof boards / sizeof *boards };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Whether name begins with prefix, letters of either case alike; where it ends is *rest. */
static bool begins_with(const char *name, const char *prefix, const char **rest)
{
	for (; *prefix && lower(*name) == lower(*prefix); name++)
		prefix++;
	*rest = name;
	return !*prefix;
}

/* Package and speed grade follow a part's name: letters, then digits. */
static bool is_package(const char *text)
{
	size_t letters = 0, digits = 0;
	text += *text == '-';
	while (lower(text[letters]) >= 'a' && lower(text[letters]) <= 'z')
		letters++;
	while (text[letters + digits] >= '0' && text[letters + digits] <= '9')
		digits++;
	return letters >= 2 && digits >= 3 && text[letters + digits] == '-' && text[letters + digits + 1];
}

/* The device of a board; the name itself where it is none. */
static const char *device_of(const char *name)
{
	const char *rest;
	for (size_t i = 0; i < BOARDS; i++)
		if (begins_with(name, boards[i].board, &rest) && !*rest)
			return boards[i].device;
	return name;
}

/* The part's row, and what follows its name; PARTS where it is unknown. */
static size_t find_part(const char *device, const char **rest)
{
	for (size_t i = 0; i < PARTS; i++)
		if (begins_with(device, parts[i].name, rest) && (!**rest || is_package(*rest)))
			return i;
	return PARTS;
}

bool part_resources(const char *name, int64_t limit[FOLD_RESOURCES])
{
	const char *rest;
	size_t i = find_part(device_of(name), &rest);
	if (i == PARTS)
		return false;
	limit[FOLD_LUT] = parts[i].lut;
	limit[FOLD_BRAM] = parts[i].bram;
	limit[FOLD_DSP] = parts[i].dsp;
	limit[FOLD_URAM] = parts[i].uram;
	return true;
}

const char *part_device(struct arena *a, const char *name)
{
	const char *rest;
	size_t i = find_part(device_of(name), &rest);
	return i == PARTS ? NULL : arena_printf(a, "%s%s", parts[i].name, *rest ? rest : parts[i].package);
}

int part_unknown(const char *name, const char *remedy, struct diags *d)
{
	struct strbuf list = { 0 };
	for (size_t i = 0; i < PARTS; i++)
		strbuf_printf(&list, "%s%s", i ? ", " : "", parts[i].name);
	strbuf_puts(&list, ", with or without package and speed grade, or a board:");
	for (size_t i = 0; i < BOARDS; i++)
		strbuf_printf(&list, "%s %s", i ? "," : "", boards[i].board);
	diag_error(d, remedy, "part '%s' is unknown; known are %s", name, strbuf_text(&list));
	strbuf_free(&list);
	return -1;
}

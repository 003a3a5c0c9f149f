/* What FPGAs hold, by part and board name: LUTs, RAMB18s, DSP slices, URAMs, from the vendors' data sheets
 * (AMD DS190, DS180, DS891, DS962, DS1003). */
#include <string.h>

#include "hw/folding.h"

static const struct {
	const char *name;
	int64_t lut, bram, dsp, uram;
} parts[] = {
	{ "xc7z007s", 14400, 100, 66, 0 },	{ "xc7z010", 17600, 120, 80, 0 },
	{ "xc7z020", 53200, 280, 220, 0 },	{ "xc7z030", 78600, 530, 400, 0 },
	{ "xc7z045", 218600, 1090, 900, 0 },	{ "xc7z100", 277400, 1510, 2020, 0 },
	{ "xc7a35t", 20800, 100, 90, 0 },	{ "xc7a100t", 63400, 270, 240, 0 },
	{ "xc7a200t", 134600, 730, 740, 0 },	{ "xczu3eg", 70560, 432, 360, 0 },
	{ "xczu5ev", 117120, 288, 1248, 64 },	{ "xczu7ev", 230400, 624, 1728, 96 },
	{ "xczu9eg", 274080, 1824, 2520, 0 },	{ "xczu28dr", 425280, 2160, 4272, 80 },
	{ "xck26", 117120, 288, 1248, 64 },	{ "xcu50", 872064, 2688, 5952, 640 },
	{ "xcu200", 1182240, 4320, 6840, 960 }, { "xcu250", 1728000, 5376, 12288, 1280 },
	{ "xcu280", 1303680, 4032, 9024, 960 },
};

static const struct {
	const char *board, *part;
} boards[] = {
	{ "pynq-z1", "xc7z020" },    { "pynq-z2", "xc7z020" },	  { "zc702", "xc7z020" },   { "zc706", "xc7z045" },
	{ "arty-z7-10", "xc7z010" }, { "arty-z7-20", "xc7z020" }, { "ultra96", "xczu3eg" }, { "ultra96-v2", "xczu3eg" },
	{ "zcu102", "xczu9eg" },     { "zcu104", "xczu7ev" },	  { "zcu111", "xczu28dr" }, { "rfsoc2x2", "xczu28dr" },
	{ "kv260", "xck26" },	     { "kv260_som", "xck26" },	  { "u50", "xcu50" },	    { "u200", "xcu200" },
	{ "u250", "xcu250" },	     { "u280", "xcu280" },
};

static bool same_name(const char *a, const char *b) /* letters of either case alike */
{
	for (; *a && *b; a++, b++)
		if ((*a >= 'A' && *a <= 'Z' ? *a + 32 : *a) != *b)
			return false;
	return !*a && !*b;
}

bool part_resources(const char *name, int64_t limit[FOLD_RESOURCES])
{
	for (size_t i = 0; i < sizeof boards / sizeof *boards; i++)
		if (same_name(name, boards[i].board))
			name = boards[i].part;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (strncmp(name, parts[i].name, strlen(parts[i].name)) != 0)
			continue;
		limit[FOLD_LUT] = parts[i].lut;
		limit[FOLD_BRAM] = parts[i].bram;
		limit[FOLD_DSP] = parts[i].dsp;
		limit[FOLD_URAM] = parts[i].uram;
		return true;
	}
	return false;
}

const char *part_names(void)
{
	return "xc7z007s, xc7z010, xc7z020, xc7z030, xc7z045, xc7z100, xc7a35t, xc7a100t, xc7a200t, xczu3eg, xczu5ev, "
	       "xczu7ev, xczu9eg, xczu28dr, xck26, xcu50, xcu200, xcu250, xcu280, or a board such as Pynq-Z1, ZCU104, KV260";
}

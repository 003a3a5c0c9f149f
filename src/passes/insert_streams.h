/* Converters and queues between hardware layers. */
#ifndef QCC_PASSES_INSERT_STREAMS_H
#define QCC_PASSES_INSERT_STREAMS_H

#include "hw/hw.h"

/* A StreamingDataWidthConverter wherever a layer's output words and the next one's input words differ. Returns how
 * many, or -1 with a diagnostic. */
int insert_converters(struct graph *g, struct diags *d);

#endif

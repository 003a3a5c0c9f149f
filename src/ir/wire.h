/* Protocol buffers at the wire level: walking a message's fields in place, without unpacking or copying.
 * The importer uses it so that only one small element at a time goes through protobuf-c. */
#ifndef QCC_IR_WIRE_H
#define QCC_IR_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct span {
	const uint8_t *at, *end;
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;	   /* WIRE_VARINT, WIRE_FIXED32, WIRE_FIXED64 */
	struct span bytes; /* WIRE_BYTES */
	struct span whole; /* tag included */
};

static inline size_t span_size(struct span s)
{
	return (size_t)(s.end - s.at);
}
static inline struct span span_of(const void *bytes, size_t size)
{
	return (struct span){ bytes, (const uint8_t *)bytes + size };
}

/* Takes one varint off the front; false where it is cut short or too long. */
bool wire_varint(struct span *in, uint64_t *out);
/* The next field, taken off the front of *in. False at the end, and where the message is malformed: then
 * in->at is NULL. Groups (obsolete, absent from ONNX) count as malformed. */
bool wire_next(struct span *in, struct wire_field *f);
static inline bool wire_failed(struct span in)
{
	return !in.at && in.end;
}
/* The last field of that number that holds bytes; at NULL where there is none. */
struct span wire_bytes(struct span message, uint32_t number);
/* The varint of that number, or the fallback. */
uint64_t wire_int(struct span message, uint32_t number, uint64_t fallback);

/* A set of field numbers; 63 stands for itself and all above. */
#define WIRE_SET(number) (UINT64_C(1) << ((number) < 63 ? (number) : 63))
/* Growing memory that is used again for each element. */
struct wire_buffer {
	uint8_t *bytes;
	size_t size, capacity;
};
void wire_buffer_free(struct wire_buffer *b);
/* Room for `size` more bytes, which the caller fills; counts them as used. */
uint8_t *wire_buffer_grow(struct wire_buffer *b, size_t size);
/* Appends the message's fields whose number is in the set. False where it is malformed. */
bool wire_gather(struct wire_buffer *b, struct span message, uint64_t set);

/* Writing: returns the number of bytes put at `to` (NULL: only counts). */
/* A tag of that wire type, then the value: a varint, or the length of what follows. */
size_t wire_put_tag(uint8_t *to, uint32_t number, enum wire_type type, uint64_t value);

#endif

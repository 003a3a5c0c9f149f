/* Walking protocol-buffer messages in place. Every step is checked against the end of the bytes at hand. */
#include "ir/wire.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

bool wire_varint(struct span *in, uint64_t *out)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		uint8_t byte = *in->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

/* Little-endian whatever the machine. */
static bool take_fixed(struct span *in, size_t size, uint64_t *out)
{
	if (span_size(*in) < size)
		return false;
	*out = 0;
	for (size_t i = 0; i < size; i++)
		*out |= (uint64_t)in->at[i] << (8 * i);
	in->at += size;
	return true;
}

static bool take_bytes(struct span *in, struct span *out)
{
	uint64_t size;
	if (!wire_varint(in, &size) || size > span_size(*in))
		return false;
	*out = span_of(in->at, (size_t)size);
	in->at += size;
	return true;
}

static bool take_field(struct span *in, struct wire_field *f)
{
	uint64_t tag;
	f->whole.at = in->at;
	if (!wire_varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		return false;
	f->number = (uint32_t)(tag >> 3);
	f->type = (enum wire_type)(tag & 7);
	bool good = false;
	switch (f->type) {
	case WIRE_VARINT: good = wire_varint(in, &f->value); break;
	case WIRE_FIXED64: good = take_fixed(in, 8, &f->value); break;
	case WIRE_FIXED32: good = take_fixed(in, 4, &f->value); break;
	case WIRE_BYTES: good = take_bytes(in, &f->bytes); break;
	}
	f->whole.end = in->at;
	return good;
}

bool wire_next(struct span *in, struct wire_field *f)
{
	if (in->at == in->end)
		return false;
	if (take_field(in, f))
		return true;
	in->at = NULL;
	return false;
}

struct span wire_bytes(struct span message, uint32_t number)
{
	struct span found = { NULL, NULL };
	struct wire_field f;
	while (wire_next(&message, &f))
		if (f.number == number && f.type == WIRE_BYTES)
			found = f.bytes;
	return found;
}

uint64_t wire_int(struct span message, uint32_t number, uint64_t fallback)
{
	struct wire_field f;
	while (wire_next(&message, &f))
		if (f.number == number && f.type == WIRE_VARINT)
			fallback = f.value;
	return fallback;
}

void wire_buffer_free(struct wire_buffer *b)
{
	free(b->bytes);
	*b = (struct wire_buffer){ 0 };
}

uint8_t *wire_buffer_grow(struct wire_buffer *b, size_t size)
{
	if (b->size + size > b->capacity) {
		b->capacity = 2 * b->capacity > b->size + size ? 2 * b->capacity : b->size + size + 256;
		b->bytes = xrealloc(b->bytes, b->capacity);
	}
	b->size += size;
	return b->bytes + b->size - size;
}

bool wire_gather(struct wire_buffer *b, struct span message, uint64_t set)
{
	struct wire_field f;
	while (wire_next(&message, &f))
		if (WIRE_SET(f.number) & set)
			memcpy(wire_buffer_grow(b, span_size(f.whole)), f.whole.at, span_size(f.whole));
	return !wire_failed(message);
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
	size_t size = 0;
	for (; value >= 0x80; value >>= 7, size++)
		if (to)
			to[size] = (uint8_t)(value | 0x80);
	if (to)
		to[size] = (uint8_t)value;
	return size + 1;
}

size_t wire_put_tag(uint8_t *to, uint32_t number, enum wire_type type, uint64_t value)
{
	size_t size = put_varint(to, (uint64_t)number << 3 | (uint64_t)type);
	return size + put_varint(to ? to + size : NULL, value);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_wire.h"

#include <string.h>

#define LENGTH_OFFSET 8u
#define STRING_MAX 0xffffu

static void store(unsigned char *at, size_t size, uint32_t value) {
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
}

static uint32_t load(const unsigned char *at, size_t size) {
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* Returns the next `size` bytes to write; if they do not fit, sets `bad` and returns NULL. */
static unsigned char *reserve(struct entralogin_writer *w, size_t size) {
    if (w->bad || size > w->capacity - w->used) {
        w->bad = 1;
        return NULL;
    }
    unsigned char *at = w->bytes + w->used;
    w->used += size;
    return at;
}

static void put_number(struct entralogin_writer *w, size_t size, uint32_t value) {
    unsigned char *at = reserve(w, size);
    if (at != NULL)
        store(at, size, value);
}

void entralogin_begin(struct entralogin_writer *w, void *bytes, size_t capacity, uint16_t opcode) {
    *w = (struct entralogin_writer){
        .bytes = bytes,
        .capacity = capacity < ENTRALOGIN_FRAME_MAX ? capacity : ENTRALOGIN_FRAME_MAX,
    };
    unsigned char *header = reserve(w, ENTRALOGIN_FRAME_HEADER);
    if (header == NULL)
        return;
    store(header, 4, ENTRALOGIN_MAGIC);
    store(header + 4, 2, ENTRALOGIN_VERSION);
    store(header + 6, 2, opcode);
    store(header + LENGTH_OFFSET, 4, 0);
}

void entralogin_put_u16(struct entralogin_writer *w, uint16_t value) {
    put_number(w, 2, value);
}

void entralogin_put_u32(struct entralogin_writer *w, uint32_t value) {
    put_number(w, 4, value);
}

void entralogin_put_string(struct entralogin_writer *w, const char *text) {
    size_t length = text != NULL ? strlen(text) : STRING_MAX + 1u;
    unsigned char *at = length <= STRING_MAX ? reserve(w, 2 + length) : NULL;
    if (at == NULL) {
        w->bad = 1;
        return;
    }
    store(at, 2, (uint32_t)length);
    memcpy(at + 2, text, length);
}

size_t entralogin_finish(struct entralogin_writer *w) {
    if (w->bad)
        return 0;
    store(w->bytes + LENGTH_OFFSET, 4, (uint32_t)(w->used - ENTRALOGIN_FRAME_HEADER));
    return w->used;
}

/* Returns the next `size` bytes to read; if there are fewer, sets `bad` and returns NULL. */
static const unsigned char *take(struct entralogin_reader *r, size_t size) {
    if (r->bad || size > r->size - r->used) {
        r->bad = 1;
        return NULL;
    }
    const unsigned char *at = r->bytes + r->used;
    r->used += size;
    return at;
}

static uint32_t get_number(struct entralogin_reader *r, size_t size) {
    const unsigned char *at = take(r, size);
    return at != NULL ? load(at, size) : 0;
}

int entralogin_open_reply(struct entralogin_reader *r, const void *bytes, size_t size, uint16_t opcode) {
    *r = (struct entralogin_reader){.bytes = bytes, .size = size, .bad = size > ENTRALOGIN_FRAME_MAX};
    uint32_t magic = get_number(r, 4), version = get_number(r, 2), verb = get_number(r, 2), length = get_number(r, 4);
    if (magic != ENTRALOGIN_MAGIC || version != ENTRALOGIN_VERSION || verb != (opcode | ENTRALOGIN_REPLY) ||
        length != r->size - r->used)
        r->bad = 1;
    uint32_t status = get_number(r, 2);
    return r->bad ? -1 : (int)status;
}

uint16_t entralogin_get_u16(struct entralogin_reader *r) {
    return (uint16_t)get_number(r, 2);
}

uint32_t entralogin_get_u32(struct entralogin_reader *r) {
    return get_number(r, 4);
}

const char *entralogin_get_string(struct entralogin_reader *r, size_t *ret_length) {
    struct entralogin_reader before = *r;
    size_t length = get_number(r, 2);
    const unsigned char *at = take(r, length);
    *ret_length = 0;
    if (at == NULL || memchr(at, 0, length) != NULL) {
        *r = before;
        r->bad = 1;
        return "";
    }
    *ret_length = length;
    return (const char *)at;
}

int entralogin_consumed(const struct entralogin_reader *r) {
    return !r->bad && r->used == r->size;
}

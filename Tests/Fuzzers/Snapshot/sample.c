/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "entralogin_snapshot.h"
#include "sample_snapshot.h"

static void person(uint32_t number, uint32_t version, char ret_texts[4][64]) {
    static const char people[][4][64] = {
        {"alice@contoso.com", "Alice", "/home/alice@contoso.com", "/bin/bash"},
        {"o'brien@mail.contoso.com", "", "/home/o'brien@mail.contoso.com", "/bin/sh"},
        {"0f8fad5b-d9cb-469f-a165-70867728950e", "Deployment", "/srv/deployment", "/bin/bash"},
    };
    (void)version;
    memcpy(ret_texts, people[number], sizeof people[number]);
}

size_t sample_accounts(unsigned char *bytes, size_t capacity) {
    const struct sample_accounts three = {
        .count = 3, .slots = 8, .version = 1, .flags = ENTRALOGIN_ENUMERATE, .person = person};
    if (capacity < sample_accounts_capacity(&three))
        abort();
    memset(bytes, 0, capacity);
    return lay_out_accounts(bytes, &three);
}

size_t sample_grants(unsigned char *bytes, size_t capacity) {
    static const unsigned char boot_id[16] = {
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    if (capacity < ENTRALOGIN_GRANTS_HEADER + 2 * ENTRALOGIN_GRANT_ENTRY)
        abort();
    memset(bytes, 0, capacity);
    return lay_out_grants(bytes, boot_id, 1, 1);
}

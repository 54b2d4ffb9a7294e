/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_client.h"

void entralogin_clean_line(char *line, const char *text, size_t length) {
    if (length > ENTRALOGIN_LINE_MAX)
        length = ENTRALOGIN_LINE_MAX;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        int long_control = c == 0xc2 && next >= 0x80 && next < 0xa0;
        line[i] = c < 0x20 || c == 0x7f || long_control ? ' ' : text[i];
        if (long_control)
            line[++i] = ' ';
    }
    line[length] = '\0';
}

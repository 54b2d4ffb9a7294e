/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "testbed.h"
#include "sample_snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void person(uint32_t number, uint32_t version, char ret_texts[4][64]) {
    snprintf(ret_texts[0], 64, "person%u@contoso.com", number);
    snprintf(ret_texts[1], 64, "Version %u", version);
    snprintf(ret_texts[2], 64, "/home/%u/person%u@contoso.com", version, number);
    snprintf(ret_texts[3], 64, "/bin/shell%u", version);
}

static void write_file(const char *path, const unsigned char *bytes, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, "cannot write %s", path);
    close(fd);
}

void write_accounts(const char *path, uint32_t version, uint32_t count) {
    struct sample_accounts accounts = {.count = count, .slots = 2, .version = version, .person = person};
    while (accounts.slots < 2 * count)
        accounts.slots *= 2;
    unsigned char *file = calloc(1, sample_accounts_capacity(&accounts));
    require(file != NULL, "no memory");
    write_file(path, file, lay_out_accounts(file, &accounts));
    free(file);
}

void publish(uint32_t version, uint32_t count) {
    write_accounts(ENTRALOGIN_ACCOUNTS_SNAPSHOT ".new", version, count);
    atomic_store(&shared->publishing, version);
    require(rename(ENTRALOGIN_ACCOUNTS_SNAPSHOT ".new", ENTRALOGIN_ACCOUNTS_SNAPSHOT) == 0, "cannot rename");
    atomic_store(&shared->published, version);
}

static void read_boot_id(unsigned char *ret) {
    char text[37] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    require(f != NULL && fread(text, 1, 36, f) == 36, "no boot id");
    fclose(f);
    for (size_t i = 0, n = 0; i < 36 && n < 32; i++) {
        const char *digit = strchr("0123456789abcdef", text[i]);
        if (digit == NULL)
            continue;
        ret[n / 2] = (unsigned char)(ret[n / 2] << 4 | (digit - "0123456789abcdef"));
        n++;
    }
}

void publish_grants(void) {
    enum { COUNT = 300 };
    unsigned char file[ENTRALOGIN_GRANTS_HEADER + COUNT * ENTRALOGIN_GRANT_ENTRY] = {0}, boot_id[16] = {0};
    read_boot_id(boot_id);
    lay_out_grants(file, boot_id, COUNT, 0);
    write_file(ENTRALOGIN_GRANTS_SNAPSHOT ".new", file, sizeof file);
    require(rename(ENTRALOGIN_GRANTS_SNAPSHOT ".new", ENTRALOGIN_GRANTS_SNAPSHOT) == 0, "cannot rename");
}

void remove_published(void) {
    unlink(ENTRALOGIN_ACCOUNTS_SNAPSHOT);
    unlink(ENTRALOGIN_GRANTS_SNAPSHOT);
}

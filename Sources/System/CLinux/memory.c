/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LARGE (128 * 1024)

void clinux_keep_heap_small(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    /* Setting the threshold also stops glibc from raising it to the largest block it has seen. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE);
}

/* Only segments that are executable and not writable: the linker's relocations do not change the file's pages there. */
static int forget_text(struct dl_phdr_info *object, size_t size, void *context) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)context;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_X | PF_W)) != PF_X)
            continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        /* The vDSO has no file behind it, and madvise(2) refuses it. */
        if (end > start)
            (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void clinux_give_back_memory(void) {
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(forget_text, NULL);
}

int clinux_keep_memory_private(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

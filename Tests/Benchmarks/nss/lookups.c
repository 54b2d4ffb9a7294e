/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `lookups ROUTE OPERATION THREADS CALLS MILLISECONDS RECORDS [COMMAND]`: looks names up, times each call by itself,
 * and checks each answer. It ends after CALLS lookups of each thread, or when the milliseconds are over.
 *
 *   ROUTE      glibc                  getpwnam_r and the like, as nsswitch.conf says
 *              LIBRARY:SERVICE        the module's own entry points (_nss_SERVICE_getpwnam_r ...), without glibc's part
 *              socket:PATH            no lookup: connect, send 64 bytes, receive the answer, close (the lower bound)
 *   OPERATION  name, uid, groups; missing: nothing may be found; present: any record of that name must be found
 *   RECORDS    a file, one record on each line: name, uid, gid, home, number of groups (with the primary one; 0: any)
 *   COMMAND    the command name of this process during the lookups
 *
 * Prints in nanoseconds, less what reading the clock costs: median, 99 %, 99.9 %, least; then the number of calls, the
 * number of wrong answers, and 1 if an answer was late, else 0. Prints "none" if the module has no such entry point.
 * Describes each thread's first wrong answer on standard error.
 *
 * Late: if the daemon does not answer by the deadline, for example because the machine does not run, the module of
 * entralogin gives up and does not ask the daemon for a while. That is no wrong answer. A thread ends with its first
 * late call, which counts neither as made nor as wrong. UNAVAIL before the deadline, NOTFOUND and another record are
 * wrong answers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define GROUPS_MAX 1024
#define WARM_UP 32
#define DEADLINE_MS 190 /* ENTRALOGIN_NSS_DEADLINE_MS, less what two clocks may differ by */

struct record {
    char *name, *home;
    unsigned uid, gid;
    int groups;
};

typedef enum nss_status by_name(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status by_uid(uid_t, struct passwd *, char *, size_t, int *);
typedef enum nss_status by_member(const char *, gid_t, long *, long *, gid_t **, long, int *);

static struct record *records;
static size_t record_count;
static by_name *module_by_name;
static by_uid *module_by_uid;
static by_member *module_by_member;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static enum { GLIBC, MODULE, SOCKET } route;
static enum { NAME, UID, GROUPS, MISSING, PRESENT } operation;
static long calls;
static double nanoseconds_a_tick = 1, limit_ms;
static uint64_t reading; /* the least number of ticks between two readings of the clock */
static pthread_barrier_t start;

struct worker {
    pthread_t thread;
    uint64_t seed;
    uint64_t *took;
    long done, wrong;
    int late;
};

/* --- The clock --- */

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The processor's own counter on x86-64: reading it costs some ten nanoseconds instead of thirty. */
static inline uint64_t ticks(void) {
#if defined __x86_64__
    unsigned low, high, processor;
    __asm__ volatile("lfence\n\trdtscp\n\tlfence" : "=a"(low), "=d"(high), "=c"(processor)::"memory");
    return (uint64_t)high << 32 | low;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static void measure_clock(void) {
    double began = milliseconds();
    uint64_t first = ticks(), last = first;
    reading = UINT64_MAX;
    while (milliseconds() - began < 50)
        for (int i = 0; i < 100; i++) {
            uint64_t before = ticks();
            last = ticks();
            reading = last - before < reading ? last - before : reading;
        }
    nanoseconds_a_tick = (milliseconds() - began) * 1e6 / (double)(last - first);
}

/* --- One lookup: its answer is checked after the clock has stopped --- */

struct answer {
    int found;
    enum nss_status status; /* the module's, if the route is the module */
    int error;
    struct passwd passwd;
    int group_count;
    char space[4096];
    gid_t groups[GROUPS_MAX];
};

static int exchange(void) {
    char frame[64] = "", reply[4096];
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int good = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
               send(fd, frame, sizeof frame, MSG_NOSIGNAL) > 0 &&
               (recv(fd, reply, sizeof reply, 0) > 0 || recv(fd, reply, sizeof reply, 0) > 0); /* see receive_by */
    close(fd);
    return good;
}

static void ask_glibc(const struct record *r, struct answer *a) {
    struct passwd *found = NULL;
    switch (operation) {
    case GROUPS:
        a->group_count = GROUPS_MAX;
        a->found = getgrouplist(r->name, r->gid, a->groups, &a->group_count) >= 0;
        break;
    case UID:
        a->found = getpwuid_r(r->uid, &a->passwd, a->space, sizeof a->space, &found) == 0 && found != NULL;
        break;
    default:
        a->found = getpwnam_r(r->name, &a->passwd, a->space, sizeof a->space, &found) == 0 && found != NULL;
    }
}

static void ask_module(const struct record *r, struct answer *a) {
    long used = 1, size = GROUPS_MAX;
    gid_t *groups;
    switch (operation) {
    case GROUPS:
        groups = malloc(GROUPS_MAX * sizeof *groups); /* as glibc does: the module may grow it */
        if (!groups)
            abort();
        groups[0] = r->gid;
        a->status = module_by_member(r->name, r->gid, &used, &size, &groups, -1, &a->error);
        a->group_count = (int)used;
        free(groups);
        break;
    case UID:
        a->status = module_by_uid(r->uid, &a->passwd, a->space, sizeof a->space, &a->error);
        break;
    default:
        a->status = module_by_name(r->name, &a->passwd, a->space, sizeof a->space, &a->error);
    }
    a->found = a->status == NSS_STATUS_SUCCESS;
}

static void ask(const struct record *r, struct answer *a) {
    if (route == SOCKET)
        a->found = exchange();
    else if (route == GLIBC)
        ask_glibc(r, a);
    else
        ask_module(r, a);
}

static int is_right(const struct record *r, const struct answer *a) {
    if (route == SOCKET)
        return a->found;
    if (operation == MISSING)
        return !a->found;
    if (!a->found)
        return 0;
    if (operation == GROUPS)
        return r->groups == 0 || a->group_count == r->groups;
    if (operation == PRESENT)
        return strcmp(a->passwd.pw_name, r->name) == 0;
    return strcmp(a->passwd.pw_name, r->name) == 0 && a->passwd.pw_uid == r->uid && a->passwd.pw_gid == r->gid &&
           strcmp(a->passwd.pw_dir, r->home) == 0 && strcmp(a->passwd.pw_shell, "/bin/bash") == 0;
}

/* The module asks the daemon only for a name that is not published. */
static int is_late(const struct answer *a, uint64_t took) {
    return route == MODULE && operation == PRESENT && a->status == NSS_STATUS_UNAVAIL &&
           (double)took * nanoseconds_a_tick >= DEADLINE_MS * 1e6;
}

static void tell(const struct record *r, const struct answer *a, long call, uint64_t took) {
    fprintf(stderr, "lookups: call %ld, %s: found %d, status %d, error %d, %d groups, after %.0f us\n", call, r->name,
        a->found, a->status, a->error, a->group_count, (double)took * nanoseconds_a_tick / 1000);
}

static void *work(void *argument) {
    struct worker *w = argument;
    struct answer *a = calloc(1, sizeof *a);
    pthread_barrier_wait(&start);
    double end = milliseconds() + limit_ms;
    for (long i = -WARM_UP; i < calls && a; i++) {
        w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
        const struct record *r = &records[(w->seed >> 33) % record_count];
        w->seed += strlen(r->name); /* reads the name, as a caller has just done before it looks the name up */
        uint64_t before = ticks();
        ask(r, a);
        uint64_t after = ticks();
        if ((w->late = is_late(a, after - before)))
            break;
        if (!is_right(r, a) && w->wrong++ == 0)
            tell(r, a, i, after - before);
        if (i >= 0)
            w->took[w->done++] = after - before > reading ? after - before - reading : 0;
        if ((i & 15) == 0 && w->done > 0 && milliseconds() > end)
            break;
    }
    free(a);
    return NULL;
}

/* --- Records, operation and route --- */

static int read_records(const char *path) {
    FILE *file = fopen(path, "re");
    size_t room = 0;
    struct record r;
    if (!file)
        return 0;
    while (fscanf(file, "%ms %u %u %ms %d", &r.name, &r.uid, &r.gid, &r.home, &r.groups) == 5) {
        if (record_count == room) {
            room = room ? 2 * room : 1024;
            records = realloc(records, room * sizeof *records);
            if (!records) {
                fclose(file);
                return 0;
            }
        }
        records[record_count++] = r;
    }
    fclose(file);
    return record_count > 0;
}

static void *entry_point(void *library, const char *service, const char *function) {
    char symbol[128];
    snprintf(symbol, sizeof symbol, "_nss_%s_%s", service, function);
    return dlsym(library, symbol);
}

/* False if the module has no such entry point. */
static int open_module(char *text) {
    char *service = strrchr(text, ':');
    *service++ = '\0';
    void *library = dlopen(text, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "lookups: %s\n", dlerror());
        exit(1);
    }
    *(void **)&module_by_name = entry_point(library, service, "getpwnam_r");
    *(void **)&module_by_uid = entry_point(library, service, "getpwuid_r");
    *(void **)&module_by_member = entry_point(library, service, "initgroups_dyn");
    if (operation == UID)
        return module_by_uid != NULL;
    return operation == GROUPS ? module_by_member != NULL : module_by_name != NULL;
}

static int choose(char *where, const char *what) {
    static const char *const names[] = {"name", "uid", "groups", "missing", "present"};
    int chosen = -1;
    for (int i = 0; i < 5; i++)
        if (strcmp(what, names[i]) == 0)
            chosen = i;
    if (chosen < 0)
        exit(2);
    operation = (unsigned)chosen;
    if (strcmp(where, "glibc") == 0)
        return 1;
    if (strncmp(where, "socket:", 7) == 0) {
        route = SOCKET;
        return snprintf(address.sun_path, sizeof address.sun_path, "%s", where + 7) < (int)sizeof address.sun_path;
    }
    route = MODULE;
    return strchr(where, ':') != NULL && open_module(where);
}

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void report(struct worker *workers, int threads) {
    size_t total = 0, at = 0;
    long wrong = 0;
    int late = 0;
    for (int i = 0; i < threads; i++)
        total += (size_t)workers[i].done;
    uint64_t *all = calloc(total + 1, sizeof *all);
    for (int i = 0; i < threads && all; i++) {
        memcpy(all + at, workers[i].took, (size_t)workers[i].done * sizeof *all);
        at += (size_t)workers[i].done;
        wrong += workers[i].wrong;
        late |= workers[i].late;
    }
    if (!all || (total == 0 && !late))
        exit(1);
    qsort(all, total, sizeof *all, compare);
    double n = nanoseconds_a_tick;
    printf("%.0f %.0f %.0f %.0f %zu %ld %d\n", (double)all[total / 2] * n,
        (double)all[(size_t)((double)total * .99)] * n, (double)all[(size_t)((double)total * .999)] * n,
        (double)all[0] * n, total, wrong, late);
}

int main(int argc, char **argv) {
    static struct worker workers[THREADS_MAX];
    if (argc < 7 || !read_records(argv[6]))
        return 2;
    int threads = atoi(argv[3]);
    calls = atol(argv[4]);
    limit_ms = atof(argv[5]);
    if (threads < 1 || threads > THREADS_MAX || calls < 1)
        return 2;
    if (argc > 7)
        prctl(PR_SET_NAME, argv[7], 0, 0, 0);
    if (!choose(argv[1], argv[2])) {
        puts("none");
        return 0;
    }
    if (operation == PRESENT && threads > 1) /* the first late answer would be late for every thread */
        return 2;
    measure_clock();
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        workers[i].seed = (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
        workers[i].took = calloc((size_t)calls, sizeof(uint64_t));
        if (!workers[i].took || pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    }
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    report(workers, threads);
    return 0;
}

/* Loaded into the gateway before the C library: syncs that take long, fail now and then, and disks that are full. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long syncs, written;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static int before_sync(void) {
    long slow = number("FAULT_SYNC_US"), fail = number("FAULT_SYNC_EVERY"), after = number("FAULT_SYNC_AFTER");
    long count = atomic_fetch_add(&syncs, 1);
    if (slow > 0) usleep(slow);
    if (fail > 0 && count >= after && count % fail == fail - 1) { errno = EIO; return -1; }
    return 0;
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return before_sync() ? -1 : real(file);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return before_sync() ? -1 : real(file);
}

static int is_full(size_t more) {
    long room = number("FAULT_ROOM");
    if (room > 0 && atomic_fetch_add(&written, (long)more) > room) { errno = ENOSPC; return 1; }
    return 0;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    return is_full(count) ? -1 : real(file, bytes, count, at);
}

/* What is said on a terminal or to a network needs no room. */
ssize_t write(int file, const void *bytes, size_t count) {
    ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    struct stat about;
    int is_file = file > 2 && fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    return is_file && is_full(count) ? -1 : real(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return pwrite64(file, bytes, count, at);
}

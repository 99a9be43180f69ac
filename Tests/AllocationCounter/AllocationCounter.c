#include "AllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(IS_SANITIZED)

static atomic_bool is_counting;
static atomic_size_t count, least;

static void note(size_t size) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed) &&
        size >= atomic_load_explicit(&least, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    }
}

// The names under which glibc serves whoever takes the place of its functions.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    note(size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    note(size);
    *block = __libc_memalign(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

bool allocation_counter_is_available(void) { return true; }

void allocation_counter_start(size_t least_bytes) {
    atomic_store(&count, 0);
    atomic_store(&least, least_bytes);
    atomic_store(&is_counting, true);
}

size_t allocation_counter_stop(void) {
    atomic_store(&is_counting, false);
    return atomic_load(&count);
}

#else

bool allocation_counter_is_available(void) { return false; }

void allocation_counter_start(size_t least_bytes) { (void)least_bytes; }

size_t allocation_counter_stop(void) { return 0; }

#endif

// How often memory is asked for: where the C library is glibc, `malloc` and its kin are counted before they are served.
//
// Counting is over all threads, so it says something about one piece of code only in a process that does nothing else.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Whether calls are counted on this system: not without glibc, and not under a sanitizer, which has a malloc of its own.
bool allocation_counter_is_available(void);
// Begins to count blocks of at least so many bytes, from 0.
void allocation_counter_start(size_t least_bytes);
// Ends counting, and gives how many blocks were asked for.
size_t allocation_counter_stop(void);

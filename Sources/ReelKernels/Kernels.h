// What the files of this target share with each other, and with nobody else.
#pragma once

#include "ReelKernels.h"

// One table for each instruction set; those of other processors are not compiled.
extern const reel_kernels reel_kernels_portable;
#if defined(__x86_64__)
extern const reel_kernels reel_kernels_avx2;
extern const reel_kernels reel_kernels_avx512;
#elif defined(__aarch64__)
extern const reel_kernels reel_kernels_neon;
#endif

// MARK: The scratch of elementwise programs

enum {
    // The least an inner loop may be given: no vector has more lanes.
    REEL_TILE_COLUMNS_MIN = 16,
    // The elements of a tile, half as many where some have eight bytes. Registers and operands of a program stay in the
    // first-level cache.
    REEL_TILE_ELEMENTS = 512,
    // Of a tile of whole rows: of few rows, what is done once for each row would be most of the work.
    REEL_ROW_TILE_ELEMENTS = REEL_ROW_COLUMNS_MAX,
    // The largest tile, and room for a short rest. Not a power of two, so that equal places of different registers do not
    // compete for the same lines of the cache.
    REEL_REGISTER_BYTES = REEL_ROW_TILE_ELEMENTS * 4 + REEL_TILE_COLUMNS_MIN * 8,
    // One for each operand of an instruction and one for its result.
    REEL_STAGING_AREAS = 4,
    // Behind them one vector for each slot that holds one value for all elements, if its number is below this.
    REEL_UNIFORM_SLOTS = 64,
    REEL_UNIFORM_BYTES = 64,
};

// MARK: Scalar algorithms for operands that the vector forms pass on, the same code for every instruction set

// An angle less a whole number of quarter turns: angle = quadrant * pi/2 + high + low, |high| <= pi/4 (and a rounding).
typedef struct reel_angle {
    double high, low;
    int64_t quadrant;  // modulo 4
} reel_angle;

// Reduces a finite |angle| >= 2^15 exactly, whatever its size.
reel_angle reel_reduce_angle(double angle);

// The exact remainder of a / b with the sign of a, for finite a and finite b != 0.
double reel_truncated_remainder(double a, double b);

// MARK: Movement, which needs no instruction set of its own

void reel_iota(reel_element type, double start, double step, size_t count, void *y);
void reel_fill(reel_element type, const void *value, size_t count, void *y);
void reel_copy(reel_element type, size_t rank, const size_t *extents, const void *source,
               const ptrdiff_t *source_strides, void *destination, const ptrdiff_t *destination_strides);
void reel_gather(reel_element type, const void *x, size_t outer, size_t count, size_t inner, const int32_t *indices,
                 size_t index_count, void *y);
void reel_scatter_add(reel_element type, const void *x, size_t outer, size_t index_count, size_t inner,
                      const int32_t *indices, size_t count, void *y);
void reel_overlap_add(reel_element type, const void *x, size_t outer, size_t windows, size_t size, size_t inner,
                      size_t stride, size_t dilation, size_t extent, void *y);

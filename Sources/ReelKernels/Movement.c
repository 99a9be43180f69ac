// Filling and moving elements. Nothing here computes more than a sum, so one instance serves every instruction set.
#include <assert.h>
#include <string.h>

#include "Kernels.h"

#pragma clang fp contract(off)

static size_t element_size(reel_element type) {
    static const size_t sizes[] = {sizeof(float), sizeof(double), sizeof(int32_t), sizeof(uint8_t)};
    assert(type <= REEL_BOOL);
    return sizes[type];
}

// MARK: Filling

// Truncated and saturated, 0 for NaN.
static int32_t int_of(double value) {
    if (value != value) return 0;
    if (value >= 2147483647.0) return INT32_MAX;
    return value <= -2147483648.0 ? INT32_MIN : (int32_t)value;
}

void reel_iota(reel_element type, double start, double step, size_t count, void *y) {
    assert(type != REEL_BOOL);
    if (type == REEL_FLOAT32) {
        for (size_t i = 0; i < count; i++) ((float *)y)[i] = (float)(start + (double)i * step);
    } else if (type == REEL_FLOAT64) {
        for (size_t i = 0; i < count; i++) ((double *)y)[i] = start + (double)i * step;
    } else {
        for (size_t i = 0; i < count; i++) ((int32_t *)y)[i] = int_of(start + (double)i * step);
    }
}

void reel_fill(reel_element type, const void *value, size_t count, void *y) {
    const size_t size = element_size(type);
    if (size == 4) {
        uint32_t bits;
        memcpy(&bits, value, sizeof bits);
        for (size_t i = 0; i < count; i++) ((uint32_t *)y)[i] = bits;
    } else if (size == 8) {
        uint64_t bits;
        memcpy(&bits, value, sizeof bits);
        for (size_t i = 0; i < count; i++) ((uint64_t *)y)[i] = bits;
    } else {
        memset(y, *(const uint8_t *)value, count);
    }
}

// MARK: Strided copies

enum { RANK_LIMIT = 8 };

// The extents of a copy and the strides of both sides, outermost first.
typedef struct strided_copy {
    size_t rank;
    size_t extents[RANK_LIMIT];
    ptrdiff_t source[RANK_LIMIT], destination[RANK_LIMIT];
} strided_copy;

// Leaves out axes of one element and joins neighbours that both sides walk through as one. Always leaves two axes.
static strided_copy simplified(size_t rank, const size_t *extents, const ptrdiff_t *source,
                               const ptrdiff_t *destination) {
    strided_copy copy = {.rank = 0};
    for (size_t axis = 0; axis < rank; axis++) {
        if (extents[axis] == 1) continue;
        const size_t last = copy.rank - 1;
        const ptrdiff_t extent = (ptrdiff_t)extents[axis];
        if (copy.rank > 0 && copy.source[last] == source[axis] * extent &&
            copy.destination[last] == destination[axis] * extent) {
            copy.extents[last] *= extents[axis];
            copy.source[last] = source[axis];
            copy.destination[last] = destination[axis];
        } else {
            copy.extents[copy.rank] = extents[axis];
            copy.source[copy.rank] = source[axis];
            copy.destination[copy.rank] = destination[axis];
            copy.rank += 1;
        }
    }
    while (copy.rank < 2) {
        memmove(copy.extents + 1, copy.extents, copy.rank * sizeof copy.extents[0]);
        memmove(copy.source + 1, copy.source, copy.rank * sizeof copy.source[0]);
        memmove(copy.destination + 1, copy.destination, copy.rank * sizeof copy.destination[0]);
        copy.extents[0] = 1;
        copy.source[0] = copy.destination[0] = 0;
        copy.rank += 1;
        if (copy.rank == 1) copy.source[0] = copy.destination[0] = 1;
    }
    return copy;
}

// Two axes, in squares: if one side runs along the rows and the other along the columns, the lines of the cache that a
// square touches on either side stay there until it is done.
#define COPY_PLANE(name, element)                                                                                     \
    static void name(const size_t *extents, const element *source, const ptrdiff_t *from, element *destination,       \
                     const ptrdiff_t *to) {                                                                           \
        enum { SQUARE = 16 };                                                                                         \
        const size_t rows = extents[0], columns = extents[1];                                                         \
        const size_t row_step = from[1] == 1 && to[1] == 1 ? rows : SQUARE;                                           \
        const size_t column_step = from[1] == 1 && to[1] == 1 ? columns : SQUARE;                                     \
        for (size_t row = 0; row < rows; row += row_step) {                                                           \
            const size_t row_end = rows - row < row_step ? rows : row + row_step;                                     \
            for (size_t column = 0; column < columns; column += column_step) {                                        \
                const size_t count = columns - column < column_step ? columns - column : column_step;                 \
                for (size_t i = row; i < row_end; i++) {                                                              \
                    const element *x = source + (ptrdiff_t)i * from[0] + (ptrdiff_t)column * from[1];                 \
                    element *y = destination + (ptrdiff_t)i * to[0] + (ptrdiff_t)column * to[1];                      \
                    if (from[1] == 1 && to[1] == 1) {                                                                 \
                        memcpy(y, x, count * sizeof *y);                                                              \
                        continue;                                                                                     \
                    }                                                                                                 \
                    for (size_t j = 0; j < count; j++) y[(ptrdiff_t)j * to[1]] = x[(ptrdiff_t)j * from[1]];           \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }
COPY_PLANE(copy_plane_1, uint8_t)
COPY_PLANE(copy_plane_4, uint32_t)
COPY_PLANE(copy_plane_8, uint64_t)

void reel_copy(reel_element type, size_t rank, const size_t *extents, const void *source,
               const ptrdiff_t *source_strides, void *destination, const ptrdiff_t *destination_strides) {
    assert(rank <= RANK_LIMIT);
    for (size_t axis = 0; axis < rank; axis++) {
        if (extents[axis] == 0) return;
    }
    const size_t size = element_size(type);
    const strided_copy copy = simplified(rank, extents, source_strides, destination_strides);
    const size_t outer = copy.rank - 2;
    size_t index[RANK_LIMIT] = {0};
    for (;;) {
        ptrdiff_t from = 0, to = 0;
        for (size_t axis = 0; axis < outer; axis++) {
            from += (ptrdiff_t)index[axis] * copy.source[axis];
            to += (ptrdiff_t)index[axis] * copy.destination[axis];
        }
        const size_t *plane = copy.extents + outer;
        const ptrdiff_t *source_plane = copy.source + outer, *destination_plane = copy.destination + outer;
        if (size == 4) {
            copy_plane_4(plane, (const uint32_t *)source + from, source_plane, (uint32_t *)destination + to,
                         destination_plane);
        } else if (size == 8) {
            copy_plane_8(plane, (const uint64_t *)source + from, source_plane, (uint64_t *)destination + to,
                         destination_plane);
        } else {
            copy_plane_1(plane, (const uint8_t *)source + from, source_plane, (uint8_t *)destination + to,
                         destination_plane);
        }
        size_t axis = outer;
        while (axis > 0 && index[axis - 1] + 1 == copy.extents[axis - 1]) {
            axis -= 1;
            index[axis] = 0;
        }
        if (axis == 0) return;
        index[axis - 1] += 1;
    }
}

// MARK: Rows by index

void reel_gather(reel_element type, const void *x, size_t outer, size_t count, size_t inner, const int32_t *indices,
                 size_t index_count, void *y) {
    assert((count > 0 || outer == 0 || index_count == 0 || inner == 0) && "nothing to gather from");
    if (count == 0) return;
    const size_t bytes = inner * element_size(type);
    char *to = y;
    for (size_t o = 0; o < outer; o++) {
        const char *from = (const char *)x + o * count * bytes;
        for (size_t j = 0; j < index_count; j++) {
            size_t index = indices[j] < 0 ? 0 : (size_t)indices[j];
            if (index >= count) index = count - 1;
            memcpy(to, from + index * bytes, bytes);
            to += bytes;
        }
    }
}

// Unsigned for int32: its sums wrap.
#define SCATTER_ADD(name, element)                                                                                    \
    static void name(const element *x, size_t outer, size_t index_count, size_t inner, const int32_t *indices,        \
                     size_t count, element *y) {                                                                      \
        for (size_t o = 0; o < outer; o++) {                                                                          \
            for (size_t j = 0; j < index_count; j++, x += inner) {                                                    \
                if (indices[j] < 0 || (size_t)indices[j] >= count) continue;                                          \
                element *to = y + (o * count + (size_t)indices[j]) * inner;                                           \
                for (size_t i = 0; i < inner; i++) to[i] += x[i];                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }
SCATTER_ADD(scatter_add_f32, float)
SCATTER_ADD(scatter_add_f64, double)
SCATTER_ADD(scatter_add_i32, uint32_t)

void reel_scatter_add(reel_element type, const void *x, size_t outer, size_t index_count, size_t inner,
                      const int32_t *indices, size_t count, void *y) {
    assert(type != REEL_BOOL);
    if (type == REEL_FLOAT32) {
        scatter_add_f32(x, outer, index_count, inner, indices, count, y);
    } else if (type == REEL_FLOAT64) {
        scatter_add_f64(x, outer, index_count, inner, indices, count, y);
    } else {
        scatter_add_i32(x, outer, index_count, inner, indices, count, y);
    }
}

// MARK: Windows

// A window without gaps is one run. Unsigned for int32: its sums wrap.
#define OVERLAP_ADD(name, element)                                                                                    \
    static void name(const element *restrict x, size_t outer, size_t windows, size_t runs, size_t length,             \
                     size_t stride, size_t gap, size_t extent, element *restrict y) {                                 \
        for (size_t o = 0; o < outer; o++, y += extent) {                                                             \
            for (size_t i = 0; i < windows; i++) {                                                                    \
                element *to = y + i * stride;                                                                         \
                for (size_t j = 0; j < runs; j++, x += length, to += gap) {                                           \
                    for (size_t k = 0; k < length; k++) to[k] += x[k];                                                \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }
OVERLAP_ADD(overlap_add_f32, float)
OVERLAP_ADD(overlap_add_f64, double)
OVERLAP_ADD(overlap_add_i32, uint32_t)

void reel_overlap_add(reel_element type, const void *x, size_t outer, size_t windows, size_t size, size_t inner,
                      size_t stride, size_t dilation, size_t extent, void *y) {
    assert(type != REEL_BOOL);
    assert(windows == 0 || size == 0 || (windows - 1) * stride + (size - 1) * dilation < extent);
    const size_t runs = dilation == 1 ? 1 : size, length = dilation == 1 ? size * inner : inner;
    stride *= inner;
    extent *= inner;
    const size_t gap = dilation * inner;
    if (type == REEL_FLOAT32) {
        overlap_add_f32(x, outer, windows, runs, length, stride, gap, extent, y);
    } else if (type == REEL_FLOAT64) {
        overlap_add_f64(x, outer, windows, runs, length, stride, gap, extent, y);
    } else {
        overlap_add_i32(x, outer, windows, runs, length, stride, gap, extent, y);
    }
}

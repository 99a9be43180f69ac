// The inner loops of Reel.
//
// Calling convention, for every function here:
//   * no allocation and no state: the caller owns every buffer, and a call reads nothing but its arguments;
//   * counts and strides are in elements, never bytes; strides may be zero (broadcast) or negative (reversed);
//   * operands may be unaligned; results do not overlap operands, except that an elementwise result may be
//     exactly one of its operands (same base, same strides);
//   * the same bits come out on every instruction set: a product accumulates over k in order with fused multiply-add,
//     a reduction follows one fixed tree, and the elementwise functions are the same polynomials everywhere.
//
// One template is compiled for each instruction set; `reel_kernels_for` hands out its table of functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum reel_element {
    REEL_FLOAT32 = 0,
    REEL_FLOAT64 = 1,
    REEL_INT32 = 2,
    REEL_BOOL = 3,  // one byte, 0 or 1
} reel_element;

typedef enum reel_isa {
    REEL_ISA_PORTABLE = 0,
    REEL_ISA_AVX2 = 1,    // with FMA
    REEL_ISA_AVX512 = 2,  // F, VL, DQ, BW
    REEL_ISA_NEON = 3,
} reel_isa;

// MARK: Elementwise programs

// What one instruction computes. `a`, `b`, `c` are its operands in order.
// Integer arithmetic wraps; integer division and remainder by zero give 0. Floating maximum and minimum return NaN if
// either operand is NaN, and the second operand where both compare equal.
typedef enum reel_opcode {
    // one operand, result of the same type
    REEL_OP_COPY = 0,  // any type
    REEL_OP_NEGATE,    // float32, float64, int32
    REEL_OP_ABS,       // float32, float64, int32
    REEL_OP_SIGN,      // float32, float64, int32: -1, 0 or 1; NaN for NaN, and a zero keeps its sign
    REEL_OP_EXP,       // from here to ROUND: float32, float64
    REEL_OP_EXPM1,
    REEL_OP_LOG,
    REEL_OP_LOG1P,
    REEL_OP_SQRT,
    REEL_OP_RSQRT,  // 1 / sqrt(a)
    REEL_OP_SIN,
    REEL_OP_COS,
    REEL_OP_TANH,
    REEL_OP_SIGMOID,
    REEL_OP_ERF,
    REEL_OP_FLOOR,
    REEL_OP_CEIL,
    REEL_OP_ROUND,  // half to even
    REEL_OP_NOT,    // bool
    // two operands, result of the same type
    REEL_OP_ADD,  // from here to REMAINDER: float32, float64, int32
    REEL_OP_SUBTRACT,
    REEL_OP_MULTIPLY,
    REEL_OP_DIVIDE,     // int32: truncated
    REEL_OP_POWER,      // int32: by repeated squaring; a negative exponent gives 0 unless the base is 1 or -1
    REEL_OP_MAXIMUM,
    REEL_OP_MINIMUM,
    REEL_OP_REMAINDER,  // floored: the result has the sign of b
    REEL_OP_AND,        // bool
    REEL_OP_OR,         // bool
    REEL_OP_XOR,        // bool
    // two operands of one type, bool result
    REEL_OP_EQUAL,      // any type
    REEL_OP_NOT_EQUAL,  // any type
    REEL_OP_LESS,       // from here: float32, float64, int32
    REEL_OP_LESS_EQUAL,
    REEL_OP_GREATER,
    REEL_OP_GREATER_EQUAL,
    // three operands
    REEL_OP_SELECT,  // a ? b : c, a bool, b and c of the instruction's type (any)
    // three operands of one type, result of the same type: two instructions at once, each rounded. float32, float64
    REEL_OP_ADD_ADD,            // (a + b) + c
    REEL_OP_ADD_SUBTRACT,       // (a + b) - c
    REEL_OP_ADD_SUBTRACT_FROM,  // c - (a + b)
    REEL_OP_ADD_MULTIPLY,       // (a + b) * c
    REEL_OP_SUBTRACT_ADD,       // (a - b) + c, and so on
    REEL_OP_SUBTRACT_SUBTRACT,
    REEL_OP_SUBTRACT_SUBTRACT_FROM,
    REEL_OP_SUBTRACT_MULTIPLY,
    REEL_OP_MULTIPLY_ADD,
    REEL_OP_MULTIPLY_SUBTRACT,
    REEL_OP_MULTIPLY_SUBTRACT_FROM,
    REEL_OP_MULTIPLY_MULTIPLY,
    // one operand of the instruction's type, result of type `to`
    REEL_OP_CONVERT,  // float to int truncates and saturates, NaN gives 0; anything to bool is != 0
    // one operand, folded along its columns: one value for each row, with the bits of `reduce`; only in programs by rows
    REEL_OP_ROW_SUM,  // float32, float64, int32
    REEL_OP_ROW_PRODUCT,
    REEL_OP_ROW_MAXIMUM,
    REEL_OP_ROW_MINIMUM,
    REEL_OP_COUNT,
} reel_opcode;

// Operands and result are numbers of slots. `type` is the type of the operands (of b and c for SELECT); `to` is the type
// of the result and differs from `type` for CONVERT and comparisons only.
typedef struct reel_instruction {
    uint8_t opcode;
    uint8_t type;
    uint8_t to;
    uint8_t result;
    uint8_t a, b, c;
} reel_instruction;

// A memory operand or result: element (row, column) lies at base + row * row_stride + column * column_stride.
typedef struct reel_slot {
    void *base;
    ptrdiff_t row_stride;
    ptrdiff_t column_stride;
} reel_slot;

// Slots `slot_count ..< REEL_SLOT_LIMIT` are registers: scratch values that live for one tile.
enum { REEL_SLOT_LIMIT = 255, REEL_REGISTER_LIMIT = 32, REEL_CODE_LIMIT = 96 };

// A program by rows has whole rows in a tile, so that it can fold them and go on with what comes out. Behind its registers
// it has row registers, which hold one value for each row. An instruction whose result is a row register, or a slot in
// memory with column stride 0, computes one value for each row; all its operands are of that kind (a fold's is not).
typedef struct reel_program {
    const reel_instruction *code;
    size_t code_count;  // at most REEL_CODE_LIMIT
    const reel_slot *slots;  // memory slots; an instruction naming a number >= slot_count names a register
    size_t slot_count;
    size_t rows, columns;
    void *scratch;  // reel_elementwise_scratch(register_count + row_register_count) bytes, aligned to 64
    size_t register_count;
    size_t row_register_count;
    bool by_rows;  // then there are REEL_ROW_COLUMNS_MIN to REEL_ROW_COLUMNS_MAX columns, half of that with float64
} reel_program;

enum { REEL_ROW_COLUMNS_MIN = 16, REEL_ROW_COLUMNS_MAX = 2048 };

// Bytes of scratch that a program with this many registers needs. Never 0: strided operands pass through it too.
size_t reel_elementwise_scratch(size_t register_count);

// MARK: Products

// C[m, n] = (addend[m, n] +) A[m, k] · B[k, n], every element acc = fma(a, b, acc) over k in order.
// Strides of A and B along k may be negative: then the order is from the end.
// With `accumulate` the chain starts from what C holds (the prologue); the addend is added once, after it (the epilogue).
typedef struct reel_product {
    size_t m, n, k;
    const void *a;
    ptrdiff_t a_row, a_k;  // strides of A
    const void *b;
    ptrdiff_t b_k, b_column;  // strides of B; unused if b_packed
    bool b_packed;            // b points to panels written by `pack`
    bool accumulate;
    void *c;
    ptrdiff_t c_row;  // columns of C are contiguous
    const void *addend;  // or null
    ptrdiff_t addend_row, addend_column;  // 0 broadcasts
    void *scratch;  // `product_scratch` bytes, aligned to 64
} reel_product;

// MARK: Reductions

typedef enum reel_reduction {
    REEL_REDUCE_SUM = 0,  // float32, float64, int32
    REEL_REDUCE_PRODUCT,  // float32, float64, int32
    REEL_REDUCE_MAXIMUM,  // float32, float64, int32; NaN wins
    REEL_REDUCE_MINIMUM,  // the same
    REEL_REDUCE_ANY,      // bool
    REEL_REDUCE_ALL,      // bool
    REEL_REDUCE_ARGMAX,   // float32, float64, int32 -> int32: the first of equal ones; the first NaN wins
    REEL_REDUCE_ARGMIN,   // the same
} reel_reduction;

// MARK: The table

typedef struct reel_kernels {
    reel_isa isa;

    void (*elementwise)(const reel_program *program);

    // Products exist for float32 and float64.
    size_t (*product_scratch)(reel_element type, const reel_product *product);
    void (*product)(reel_element type, const reel_product *product);
    // Bytes of, and writing of, the panels of B[k, n] that `product` reads with b_packed.
    size_t (*packed_size)(reel_element type, size_t k, size_t n);
    void (*pack)(reel_element type, size_t k, size_t n, const void *b, ptrdiff_t b_k, ptrdiff_t b_column, void *packed);

    // x[outer, count, inner] -> y[outer, inner], both dense. Element i of `count` goes to virtual lane i mod 16, each lane
    // folds in order, lanes fold 8, 4, 2, 1: the same tree for every layout. count may be 0 (gives the neutral element;
    // argmax and argmin give 0).
    void (*reduce)(reel_reduction reduction, reel_element type, const void *x, size_t outer, size_t count, size_t inner, void *y);
    // y[o, i, j] = x[o, 0, j] + ... + x[o, i, j] in order (from the end if reverse; without x[o, i, j] itself if exclusive).
    void (*cumulative_sum)(reel_element type, const void *x, size_t outer, size_t count, size_t inner, bool exclusive, bool reverse, void *y);

    // y[i] = start + i * step, computed for each element afresh.
    void (*iota)(reel_element type, double start, double step, size_t count, void *y);
    void (*fill)(reel_element type, const void *value, size_t count, void *y);
    // A strided copy: rank <= 8 extents, outermost first, a stride for each in source and destination.
    void (*copy)(reel_element type, size_t rank, const size_t *extents, const void *source, const ptrdiff_t *source_strides,
                 void *destination, const ptrdiff_t *destination_strides);
    // y[o, j, i] = x[o, indices[j], i]; x[outer, count, inner], y[outer, index_count, inner]. Indices are clamped to 0 ..< count.
    void (*gather)(reel_element type, const void *x, size_t outer, size_t count, size_t inner, const int32_t *indices,
                   size_t index_count, void *y);
    // y[o, indices[j], i] += x[o, j, i], in the order of j. Indices out of range are passed over. float32, float64, int32.
    void (*scatter_add)(reel_element type, const void *x, size_t outer, size_t index_count, size_t inner, const int32_t *indices,
                        size_t count, void *y);
    // y[o, i * stride + j * dilation, k] += x[o, i, j, k], in the order of i, then j; x[outer, windows, size, inner],
    // y[outer, extent, inner]. Every window fits the extent. float32, float64, int32.
    void (*overlap_add)(reel_element type, const void *x, size_t outer, size_t windows, size_t size, size_t inner, size_t stride,
                        size_t dilation, size_t extent, void *y);
    // Philox 4x32-10: block b (counter = {b low, b high, 0, 0}) gives y[4b ..< 4b + 4]; writes y[0 ..< count].
    void (*random_bits)(uint32_t key0, uint32_t key1, size_t count, uint32_t *y);
} reel_kernels;

// Tells the processor that the thread waits for another one in a loop.
static inline void reel_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __builtin_arm_yield();
#endif
}

// Whether this processor has the instruction set (and this build knows it).
bool reel_isa_is_supported(reel_isa isa);
// The best supported instruction set.
reel_isa reel_isa_best(void);
// The table for an instruction set, or null where it is not supported.
const reel_kernels *reel_kernels_for(reel_isa isa);
// Runs one instruction over memory slots, which needs no registers, with scratch on the stack.
void reel_run_instruction(const reel_kernels *kernels, reel_instruction instruction, const reel_slot *slots, size_t slot_count,
                          size_t rows, size_t columns);

// Prints a hash of the results of every kernel, one line a case, for the instruction set that its argument names.
//
//     kernel-hashes portable|avx2|avx512|neon
//
// Two processors that print the same lines compute the same bits. Every NaN counts as the same: which one comes out may
// differ. Numbers are made from integers by exact steps, so that the processors are given the same ones.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ReelKernels.h"

#pragma clang fp contract(off)

static const reel_kernels *kernels;

// MARK: Hashes

static uint64_t hash_state;

static void hash_start(void) { hash_state = 0xcbf29ce484222325; }

static void hash_word(uint64_t word) {
    for (int i = 0; i < 8; i++) hash_state = (hash_state ^ (word >> (8 * i) & 255)) * 0x100000001b3;
}

static const size_t sizes[] = {4, 8, 4, 1};

static void hash_elements(reel_element type, const void *elements, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (type == REEL_FLOAT32) {
            const float value = ((const float *)elements)[i];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            hash_word(value != value ? 1ull << 40 : bits);
        } else if (type == REEL_FLOAT64) {
            const double value = ((const double *)elements)[i];
            uint64_t bits;
            memcpy(&bits, &value, sizeof bits);
            hash_word(value != value ? 0x7ff8000000000000 : bits);
        } else {
            hash_word(type == REEL_INT32 ? ((const uint32_t *)elements)[i] : ((const uint8_t *)elements)[i]);
        }
    }
}

static const char *const type_names[] = {"float32", "float64", "int32", "bool"};

static void print_hash(const char *name, reel_element type, size_t number) {
    printf("%s %s %zu %016llx\n", name, type_names[type], number, (unsigned long long)hash_state);
}

// MARK: Samples

static uint64_t sample_state;

static uint64_t next_sample(void) {  // SplitMix64
    uint64_t mixed = sample_state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

// What the numbers of an operand look like.
typedef enum sample_kind {
    UNIT,      // -1 to 1
    MODERATE,  // -16 to 16: where functions bend
    PATTERNS,  // any bits: all sizes, infinities, NaN, subnormal numbers
} sample_kind;

static const double corners[] = {
    0.0, 0x1p-1074, 0x1p-149, 0x1p-126, 0x1p-1022, 0x1p-30, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 10, 87, 88.5, 89, 103.5, 104, 700,
    709.5, 710, 745, 746, 1000, 8388607.5, 16777216, 2147483648.0, 1e9, 1e20, 0x1.fffffep127, __builtin_inf(),
};
enum { CORNER_COUNT = sizeof corners / sizeof corners[0] };

static double number(sample_kind kind, uint64_t bits) {
    const double unit = (double)((int64_t)bits >> 40) * 0x1p-23;
    return kind == UNIT ? unit : unit * 16;
}

static void fill_samples(reel_element type, sample_kind kind, size_t count, void *elements) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = next_sample();
        // One in eight of the patterns is a corner.
        const bool is_corner = kind == PATTERNS && bits % 8 == 0;
        const double corner = corners[bits / 16 % CORNER_COUNT] * (bits / 8 % 2 ? -1 : 1);
        if (type == REEL_FLOAT32) {
            float value = (float)(is_corner ? corner : number(kind, bits));
            const uint32_t pattern = (uint32_t)(bits >> 32);
            if (kind == PATTERNS && !is_corner) memcpy(&value, &pattern, sizeof value);
            ((float *)elements)[i] = value;
        } else if (type == REEL_FLOAT64) {
            double value = is_corner ? corner : number(kind, bits);
            const uint64_t pattern = next_sample();
            if (kind == PATTERNS && !is_corner) memcpy(&value, &pattern, sizeof value);
            ((double *)elements)[i] = value;
        } else if (type == REEL_INT32) {
            ((int32_t *)elements)[i] = (int32_t)(bits >> 32) >> (kind == PATTERNS ? bits % 32 : 27);
        } else {
            ((uint8_t *)elements)[i] = bits >> 63;
        }
    }
}

static void *allocated(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (memory == NULL) exit(3);
    memset(memory, 0, bytes);
    return memory;
}

static void *samples(reel_element type, sample_kind kind, size_t count) {
    void *elements = allocated(count * sizes[type]);
    fill_samples(type, kind, count, elements);
    return elements;
}

// MARK: Elementwise programs

static void run_program(const reel_instruction *code, size_t code_count, const reel_slot *slots, size_t slot_count,
                        size_t rows, size_t columns, size_t registers) {
    void *scratch = allocated(reel_elementwise_scratch(registers));
    const reel_program program = {code, code_count, slots, slot_count, rows, columns, scratch, registers, 0, false};
    kernels->elementwise(&program);
    free(scratch);
}

static size_t operand_count(reel_opcode opcode) {
    if (opcode >= REEL_OP_SELECT && opcode < REEL_OP_CONVERT) return 3;
    return opcode >= REEL_OP_ADD && opcode < REEL_OP_SELECT ? 2 : 1;
}

static bool exists(reel_opcode opcode, reel_element type) {
    const bool is_logical = opcode == REEL_OP_NOT || (opcode >= REEL_OP_AND && opcode <= REEL_OP_XOR);
    const bool takes_any = opcode == REEL_OP_COPY || opcode == REEL_OP_EQUAL || opcode == REEL_OP_NOT_EQUAL ||
                           opcode == REEL_OP_SELECT || opcode == REEL_OP_CONVERT;
    const bool is_pair = opcode >= REEL_OP_ADD_ADD && opcode <= REEL_OP_MULTIPLY_MULTIPLY;
    if (type == REEL_BOOL) return is_logical || takes_any;
    if (type == REEL_INT32) return !is_logical && !is_pair && !(opcode >= REEL_OP_EXP && opcode <= REEL_OP_ROUND);
    return !is_logical;
}

// One instruction, with operands laid out in one of several ways.
static void run_layout(reel_instruction instruction, int layout, size_t rows, size_t columns, sample_kind kind) {
    const size_t count = operand_count(instruction.opcode), elements = rows * (columns + 3);
    reel_slot slots[4];
    for (size_t i = 0; i < count; i++) {
        const reel_element type = instruction.opcode == REEL_OP_SELECT && i == 0 ? REEL_BOOL : instruction.type;
        const ptrdiff_t strides[][2] = {
            {(ptrdiff_t)columns, 1},                                  // dense
            {(ptrdiff_t)columns + 3, 1},                              // rows apart
            {i == 0 ? (ptrdiff_t)columns : 0, 1},                     // one row for all
            {i == 0 ? (ptrdiff_t)columns : 1, i == 0 ? 1 : 0},        // one number for each row
            {1, (ptrdiff_t)rows},                                     // transposed
            {i == 0 ? (ptrdiff_t)columns : 0, i == 0 ? 1 : 0},        // one number
        };
        slots[i] = (reel_slot){samples(type, kind, elements), strides[layout][0], strides[layout][1]};
    }
    const ptrdiff_t result_row = layout == 1 ? (ptrdiff_t)columns + 3 : (ptrdiff_t)columns;
    slots[count] = (reel_slot){allocated(elements * sizes[instruction.to]), result_row, 1};
    run_program(&instruction, 1, slots, count + 1, rows, columns, 0);
    hash_elements(instruction.to, slots[count].base, elements);
    for (size_t i = 0; i <= count; i++) free(slots[i].base);
}

static void run_opcode(reel_opcode opcode, reel_element type, reel_element to) {
    static const size_t columns[] = {1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 100, 515};
    const reel_instruction instruction = {(uint8_t)opcode, (uint8_t)type, (uint8_t)to, (uint8_t)operand_count(opcode),
                                          0, 1, 2};
    for (sample_kind kind = UNIT; kind <= PATTERNS; kind++) {
        hash_start();
        sample_state = opcode * 64 + type * 8 + to;
        run_layout(instruction, 0, 1, 4099, kind);
        for (int layout = 0; layout < 6; layout++) {
            for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
                run_layout(instruction, layout, 1 + i % 5, columns[i], kind);
            }
        }
        char name[64];
        snprintf(name, sizeof name, "opcode %d to %s, samples", opcode, type_names[to]);
        print_hash(name, type, kind);
    }
}

static void run_opcodes(void) {
    for (reel_opcode opcode = REEL_OP_COPY; opcode <= REEL_OP_CONVERT; opcode++) {
        for (reel_element type = REEL_FLOAT32; type <= REEL_BOOL; type++) {
            if (!exists(opcode, type)) continue;
            if (opcode == REEL_OP_CONVERT) {
                for (reel_element to = REEL_FLOAT32; to <= REEL_BOOL; to++) run_opcode(opcode, type, to);
            } else {
                const bool compares = opcode >= REEL_OP_EQUAL && opcode <= REEL_OP_GREATER_EQUAL;
                run_opcode(opcode, type, compares ? REEL_BOOL : type);
            }
        }
    }
}

// Several instructions over registers: c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = tanh(c').
static void run_gates(void) {
    enum { F, I, G, C, NEXT_C, NEXT_H, SLOTS, R0 = SLOTS, R1, R2 };
    for (reel_element type = REEL_FLOAT32; type <= REEL_FLOAT64; type++) {
        const uint8_t t = (uint8_t)type;
        const reel_instruction code[] = {
            {REEL_OP_SIGMOID, t, t, R0, F, 0, 0},     {REEL_OP_MULTIPLY, t, t, R0, R0, C, 0},
            {REEL_OP_SIGMOID, t, t, R1, I, 0, 0},     {REEL_OP_TANH, t, t, R2, G, 0, 0},
            {REEL_OP_MULTIPLY, t, t, R1, R1, R2, 0},  {REEL_OP_ADD, t, t, NEXT_C, R0, R1, 0},
            {REEL_OP_TANH, t, t, NEXT_H, NEXT_C, 0, 0},
        };
        for (size_t columns = 1; columns < 90; columns += 4) {
            const size_t rows = 1 + columns % 11, gates = rows * 3 * columns, count = rows * columns;
            sample_state = columns;
            char *z = samples(type, MODERATE, gates);
            const ptrdiff_t apart = (ptrdiff_t)(3 * columns), dense = (ptrdiff_t)columns;
            reel_slot slots[SLOTS] = {
                {z, apart, 1}, {z + columns * sizes[type], apart, 1}, {z + 2 * columns * sizes[type], apart, 1},
                {samples(type, MODERATE, count), dense, 1}, {allocated(count * sizes[type]), dense, 1},
                {allocated(count * sizes[type]), dense, 1},
            };
            run_program(code, sizeof code / sizeof code[0], slots, SLOTS, rows, columns, 3);
            hash_start();
            for (int i = NEXT_C; i <= NEXT_H; i++) hash_elements(type, slots[i].base, count);
            print_hash("gates, columns", type, columns);
            for (int i = G + 1; i < SLOTS; i++) free(slots[i].base);
            free(z);
        }
    }
}

// A program by rows: y = (x - mean x) / sqrt(mean (x - mean x)² + 1), and the largest and the product of each row.
static void run_normalization(void) {
    enum { X, COUNT, ONE, Y, LARGEST, PRODUCT, SLOTS, CENTERED = SLOTS, SQUARE, MEAN, VARIANCE };
    for (reel_element type = REEL_FLOAT32; type <= REEL_FLOAT64; type++) {
        const uint8_t t = (uint8_t)type;
        const reel_instruction code[] = {
            {REEL_OP_ROW_SUM, t, t, MEAN, X, 0, 0},
            {REEL_OP_DIVIDE, t, t, MEAN, MEAN, COUNT, 0},
            {REEL_OP_SUBTRACT, t, t, CENTERED, X, MEAN, 0},
            {REEL_OP_MULTIPLY, t, t, SQUARE, CENTERED, CENTERED, 0},
            {REEL_OP_ROW_SUM, t, t, VARIANCE, SQUARE, 0, 0},
            {REEL_OP_DIVIDE, t, t, VARIANCE, VARIANCE, COUNT, 0},
            {REEL_OP_ADD, t, t, VARIANCE, VARIANCE, ONE, 0},
            {REEL_OP_SQRT, t, t, VARIANCE, VARIANCE, 0, 0},
            {REEL_OP_DIVIDE, t, t, Y, CENTERED, VARIANCE, 0},
            {REEL_OP_ROW_MAXIMUM, t, t, LARGEST, X, 0, 0},
            {REEL_OP_ROW_PRODUCT, t, t, PRODUCT, CENTERED, 0, 0},
        };
        for (size_t columns = REEL_ROW_COLUMNS_MIN; columns <= 256; columns += 15) {
            const size_t rows = 1 + columns % 37, apart = columns + 5, count = rows * columns;
            sample_state = columns;
            float narrow[] = {(float)columns, 1};
            double wide[] = {(double)columns, 1};
            char *numbers = type == REEL_FLOAT32 ? (char *)narrow : (char *)wide;
            const reel_slot slots[SLOTS] = {
                {samples(type, MODERATE, rows * apart), (ptrdiff_t)apart, 1}, {numbers, 0, 0},
                {numbers + sizes[type], 0, 0}, {allocated(count * sizes[type]), (ptrdiff_t)columns, 1},
                {allocated(rows * sizes[type]), 1, 0}, {allocated(rows * sizes[type]), 1, 0},
            };
            void *scratch = allocated(reel_elementwise_scratch(4));
            const reel_program program = {code, sizeof code / sizeof code[0], slots, SLOTS, rows, columns, scratch, 2, 2, true};
            kernels->elementwise(&program);
            hash_start();
            hash_elements(type, slots[Y].base, count);
            hash_elements(type, slots[LARGEST].base, rows);
            hash_elements(type, slots[PRODUCT].base, rows);
            print_hash("normalization, columns", type, columns);
            free(scratch), free(slots[X].base);
            for (int i = Y; i < SLOTS; i++) free(slots[i].base);
        }
    }
}

// MARK: Products

typedef struct product_case {
    bool a_transposed, b_transposed, packed, accumulate;
    int addend;  // 0: none, 1: a matrix, 2: a row, 3: a column
} product_case;

static void run_product(reel_element type, sample_kind kind, size_t m, size_t n, size_t k, product_case how) {
    const size_t size = sizes[type];
    void *a = samples(type, kind, m * k), *b = samples(type, kind, k * n);
    void *c = samples(type, kind, m * (n + 2)), *addend = samples(type, kind, m * n);
    reel_product product = {
        .m = m, .n = n, .k = k,
        .a = a, .a_row = how.a_transposed ? 1 : (ptrdiff_t)k, .a_k = how.a_transposed ? (ptrdiff_t)m : 1,
        .b = b, .b_k = how.b_transposed ? 1 : (ptrdiff_t)n, .b_column = how.b_transposed ? (ptrdiff_t)k : 1,
        .accumulate = how.accumulate, .c = c, .c_row = (ptrdiff_t)n + 2,
        .addend = how.addend ? addend : NULL,
        .addend_row = how.addend == 2 ? 0 : how.addend == 3 ? 1 : (ptrdiff_t)n, .addend_column = how.addend == 3 ? 0 : 1,
    };
    void *packed = NULL;
    if (how.packed) {
        packed = allocated(kernels->packed_size(type, k, n));
        kernels->pack(type, k, n, b, product.b_k, product.b_column, packed);
        product.b = packed;
        product.b_packed = true;
    }
    void *scratch = allocated(kernels->product_scratch(type, &product) + 64);
    product.scratch = scratch;
    kernels->product(type, &product);
    for (size_t row = 0; row < m; row++) hash_elements(type, (char *)c + row * (n + 2) * size, n + 2);
    free(a), free(b), free(c), free(addend), free(packed), free(scratch);
}

static void run_products(void) {
    static const size_t shapes[][3] = {
        {1, 1, 1},    {1, 1, 64},   {2, 1, 7},    {17, 1, 33},  {128, 1, 64},  {1, 7, 3},    {1, 64, 28},  {1, 256, 64},
        {3, 5, 0},    {0, 4, 3},    {4, 0, 3},    {5, 3, 2},    {6, 4, 9},     {7, 12, 13},  {8, 12, 16},  {9, 13, 17},
        {12, 32, 64}, {13, 33, 65}, {11, 31, 63}, {25, 40, 28}, {128, 10, 64}, {16, 100, 250}, {64, 256, 28},
        {10, 24, 300}, {24, 97, 129}, {31, 16, 513}, {2, 130, 1100},
    };
    for (reel_element type = REEL_FLOAT32; type <= REEL_FLOAT64; type++) {
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            hash_start();
            sample_state = i;
            for (int bits = 0; bits < 16; bits++) {
                for (int addend = 0; addend < 4; addend++) {
                    const product_case how = {bits & 1, bits & 2, bits & 4, bits & 8, addend};
                    run_product(type, UNIT, shapes[i][0], shapes[i][1], shapes[i][2], how);
                    if (shapes[i][2] < 40) run_product(type, PATTERNS, shapes[i][0], shapes[i][1], shapes[i][2], how);
                }
            }
            print_hash("product", type, i);
        }
    }
}

// MARK: Reductions and what moves

static void run_reductions(void) {
    static const size_t shapes[][3] = {
        {1, 0, 3},  {3, 0, 1},  {1, 1, 1},   {2, 5, 1},  {3, 16, 1},  {4, 17, 1},   {2, 100, 1}, {1, 4097, 1},
        {1, 3, 5},  {2, 16, 7}, {3, 33, 16}, {1, 50, 64}, {2, 7, 100}, {1, 513, 33}, {5, 64, 2},
    };
    for (reel_element type = REEL_FLOAT32; type <= REEL_BOOL; type++) {
        for (reel_reduction reduction = REEL_REDUCE_SUM; reduction <= REEL_REDUCE_ARGMIN; reduction++) {
            const bool is_logical = reduction == REEL_REDUCE_ANY || reduction == REEL_REDUCE_ALL;
            if (is_logical != (type == REEL_BOOL)) continue;
            hash_start();
            sample_state = reduction;
            for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
                for (sample_kind kind = UNIT; kind <= PATTERNS; kind++) {
                    const size_t outer = shapes[i][0], count = shapes[i][1], inner = shapes[i][2];
                    void *x = samples(type, kind, outer * count * inner), *y = allocated(outer * inner * 8);
                    kernels->reduce(reduction, type, x, outer, count, inner, y);
                    hash_elements(reduction >= REEL_REDUCE_ARGMAX ? REEL_INT32 : type, y, outer * inner);
                    free(x), free(y);
                }
            }
            print_hash("reduction", type, reduction);
        }
    }
}

static void run_cumulative_sums(void) {
    for (reel_element type = REEL_FLOAT32; type <= REEL_INT32; type++) {
        for (size_t bits = 0; bits < 4; bits++) {
            hash_start();
            sample_state = bits;
            for (size_t inner = 1; inner < 40; inner += 6) {
                const size_t count = 2 * 19 * inner;
                void *x = samples(type, UNIT, count), *y = allocated(count * 8);
                kernels->cumulative_sum(type, x, 2, 19, inner, bits & 1, bits & 2, y);
                hash_elements(type, y, count);
                free(x), free(y);
            }
            print_hash("cumulative sum", type, bits);
        }
    }
}

static void run_movement(void) {
    static const size_t extents[3] = {5, 19, 23};
    static const ptrdiff_t from[3] = {1, 5, 95}, to[3] = {437, 23, 1};
    static const int32_t indices[] = {3, 0, 7, -1, 2, 2, 99, 5};
    enum { COUNT = 5 * 19 * 23, INDICES = sizeof indices / sizeof indices[0] };
    for (reel_element type = REEL_FLOAT32; type <= REEL_BOOL; type++) {
        sample_state = type;
        void *x = samples(type, PATTERNS, COUNT), *y = allocated(COUNT * 8);
        hash_start();
        kernels->copy(type, 3, extents, x, from, y, to);
        hash_elements(type, y, COUNT);
        kernels->gather(type, x, 3, 8, 17, indices, INDICES, y);
        hash_elements(type, y, 3 * INDICES * 17);
        kernels->fill(type, x, COUNT, y);
        hash_elements(type, y, COUNT);
        if (type != REEL_BOOL) {
            kernels->iota(type, -3.25, 0.37, COUNT, y);
            hash_elements(type, y, COUNT);
            fill_samples(type, UNIT, COUNT, x);
            kernels->scatter_add(type, x, 3, INDICES, 17, indices, 8, y);
            hash_elements(type, y, COUNT);
        }
        print_hash("movement", type, 0);
        free(x), free(y);
    }
    uint32_t bits[1003];
    for (size_t count = 0; count <= 1003; count += 59) {
        hash_start();
        kernels->random_bits(123456789u + (uint32_t)count, 0xdeadbeef, count, bits);
        hash_elements(REEL_INT32, bits, count);
        print_hash("random bits", REEL_INT32, count);
    }
}

int main(int argc, char **argv) {
    static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
    for (reel_isa isa = REEL_ISA_PORTABLE; isa <= REEL_ISA_NEON; isa++) {
        if (argc == 2 && strcmp(argv[1], names[isa]) == 0) kernels = reel_kernels_for(isa);
    }
    if (kernels == NULL) {
        fprintf(stderr, "%s: the name of an instruction set of this processor is wanted\n", argv[0]);
        return 2;
    }
    run_opcodes();
    run_gates();
    run_normalization();
    run_products();
    run_reductions();
    run_cumulative_sums();
    run_movement();
    return 0;
}

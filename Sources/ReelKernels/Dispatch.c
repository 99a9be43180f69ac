// What does not depend on the instruction set: which ones there are, their tables, the size of scratch.
#include "Kernels.h"

bool reel_isa_is_supported(reel_isa isa) {
    switch (isa) {
    case REEL_ISA_PORTABLE:
        return true;
#if defined(__x86_64__)
    case REEL_ISA_AVX2:
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case REEL_ISA_AVX512:
        return reel_isa_is_supported(REEL_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw");
#elif defined(__aarch64__)
    case REEL_ISA_NEON:
        return true;
#endif
    default:
        return false;
    }
}

reel_isa reel_isa_best(void) {
    static const reel_isa best_first[] = {REEL_ISA_AVX512, REEL_ISA_NEON, REEL_ISA_AVX2};
    for (size_t i = 0; i < sizeof best_first / sizeof best_first[0]; i++) {
        if (reel_isa_is_supported(best_first[i])) return best_first[i];
    }
    return REEL_ISA_PORTABLE;
}

const reel_kernels *reel_kernels_for(reel_isa isa) {
    if (!reel_isa_is_supported(isa)) return NULL;
    switch (isa) {
    case REEL_ISA_PORTABLE:
        return &reel_kernels_portable;
#if defined(__x86_64__)
    case REEL_ISA_AVX2:
        return &reel_kernels_avx2;
    case REEL_ISA_AVX512:
        return &reel_kernels_avx512;
#elif defined(__aarch64__)
    case REEL_ISA_NEON:
        return &reel_kernels_neon;
#endif
    default:
        return NULL;
    }
}

size_t reel_elementwise_scratch(size_t register_count) {
    return (register_count + REEL_STAGING_AREAS) * REEL_REGISTER_BYTES + REEL_UNIFORM_SLOTS * REEL_UNIFORM_BYTES;
}

void reel_run_instruction(const reel_kernels *kernels, reel_instruction instruction, const reel_slot *slots,
                          size_t slot_count, size_t rows, size_t columns) {
    _Alignas(64) char scratch[REEL_STAGING_AREAS * REEL_REGISTER_BYTES + REEL_UNIFORM_SLOTS * REEL_UNIFORM_BYTES];
    const reel_program program = {
        .code = &instruction,
        .code_count = 1,
        .slots = slots,
        .slot_count = slot_count,
        .rows = rows,
        .columns = columns,
        .scratch = scratch,
    };
    kernels->elementwise(&program);
}

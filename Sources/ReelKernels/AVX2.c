// The kernels for x86-64 with AVX2 and FMA: 12 accumulators, two of B and one broadcast of A fill the 16 registers.
#if defined(__x86_64__)
#define TABLE reel_kernels_avx2
#define TABLE_ISA REEL_ISA_AVX2
#define TARGET_FEATURES "avx2,fma,bmi2"
#define VECTOR_BYTES 32
#define PRODUCT_ROWS 6
#define PRODUCT_VECTORS 2
#include "Template.inc"
#endif

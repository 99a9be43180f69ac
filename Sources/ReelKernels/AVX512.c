// The kernels for x86-64 with AVX-512: 24 accumulators, two of B and one broadcast of A fill 27 of the 32 registers.
// The features are listed one by one: naming an architecture level would also choose 32-byte vectors.
#if defined(__x86_64__)
#define TABLE reel_kernels_avx512
#define TABLE_ISA REEL_ISA_AVX512
#define TARGET_FEATURES "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,bmi2"
#define VECTOR_BYTES 64
#define PRODUCT_ROWS 12
#define PRODUCT_VECTORS 2
#include "Template.inc"
#endif

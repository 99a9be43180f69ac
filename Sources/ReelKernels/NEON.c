// The kernels for 64-bit ARM. NEON is its base instruction set, so this is the portable instance with a larger tile:
// 24 accumulators, three of B and one broadcast of A fill 28 of the 32 registers.
#if defined(__aarch64__)
#define TABLE reel_kernels_neon
#define TABLE_ISA REEL_ISA_NEON
#define VECTOR_BYTES 16
#define PRODUCT_ROWS 8
#define PRODUCT_VECTORS 3
#include "Template.inc"
#endif

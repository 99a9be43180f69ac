// The kernels for any processor: 16-byte vectors and nothing beyond the base instruction set.
// Where that has no fused multiply-add (x86-64), the compiler calls the one of libm: slow, but the same bits.
#define TABLE reel_kernels_portable
#define TABLE_ISA REEL_ISA_PORTABLE
#define VECTOR_BYTES 16
#define PRODUCT_ROWS 6
#define PRODUCT_VECTORS 1
#include "Template.inc"

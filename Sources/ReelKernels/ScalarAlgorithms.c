// Algorithms that go lane by lane: exact, rarely needed, and the same code for every instruction set.
#include <string.h>

#include "Kernels.h"

#pragma clang fp contract(off)

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// 2^exponent, for a normal result.
static double power_of_two(int exponent) {
    return double_of((uint64_t)(exponent + 1023) << 52);
}

// MARK: Angles

enum { WORD_BITS = 64, MANTISSA_BITS = 52 };

// The binary digits of 2/pi, after one word of zeros.
static const uint64_t two_over_pi[] = {
    0,
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c,
    0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
};

// Payne and Hanek: with angle = m * 2^e for an integer m, only a window of the digits of 2/pi matters. Those before it
// give multiples of four quarter turns, those after it less than the result can show.
reel_angle reel_reduce_angle(double angle) {
    const uint64_t bits = bits_of(angle);
    const int exponent = (int)(bits >> MANTISSA_BITS & 0x7ff) - 1023 - MANTISSA_BITS;
    const uint64_t mantissa = (bits & ((1ull << MANTISSA_BITS) - 1)) | 1ull << MANTISSA_BITS;

    // The window begins at the digit worth 2 after multiplying by 2^e; the word of zeros makes up for a negative start.
    const int first = exponent - 2 + WORD_BITS;
    const uint64_t *word = two_over_pi + first / WORD_BITS;
    const int shift = first % WORD_BITS;
    uint64_t window[3];
    for (int i = 0; i < 3; i++) {
        window[i] = shift == 0 ? word[i] : word[i] << shift | word[i + 1] >> (WORD_BITS - shift);
    }

    // mantissa * window modulo 2^192: two bits of quarter turns, then the fraction.
    const unsigned __int128 low = (unsigned __int128)mantissa * window[2];
    const unsigned __int128 middle = (unsigned __int128)mantissa * window[1] + (uint64_t)(low >> WORD_BITS);
    const uint64_t high = mantissa * window[0] + (uint64_t)(middle >> WORD_BITS);
    int64_t quadrant = (int64_t)(high >> 62);
    unsigned __int128 fraction = (unsigned __int128)high << WORD_BITS | (uint64_t)middle;
    fraction = fraction << 2 | (uint64_t)low >> 62;
    uint64_t rest = (uint64_t)low << 2;

    // To the nearest quarter turn: from a half on, the fraction counts from the next one, downwards.
    bool negative = fraction >> 127 != 0;
    if (negative) {
        quadrant += 1;
        rest = ~rest + 1;
        fraction = ~fraction + (rest == 0);
    }

    // The leading 128 bits as two doubles.
    int leading = 0;
    while (leading < 100 && fraction >> 127 == 0) {
        fraction = fraction << 1 | rest >> 63;
        rest <<= 1;
        leading += 1;
    }
    const double scale = power_of_two(-leading);
    const double turn_high = (double)(uint64_t)(fraction >> 75) * 0x1p-53 * scale;
    const double turn_low = (double)(uint64_t)(fraction >> 11 & UINT64_MAX) * 0x1p-117 * scale;

    const double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;
    double product = turn_high * half_pi;
    double error = __builtin_fma(turn_high, half_pi, -product);
    error += turn_high * half_pi_low + turn_low * half_pi;
    double sum = product + error;
    error = (product - sum) + error;

    if (negative != (bits >> 63 != 0)) {
        sum = -sum;
        error = -error;
    }
    if (bits >> 63 != 0) quadrant = -quadrant;
    return (reel_angle){.high = sum, .low = error, .quadrant = quadrant & 3};
}

// MARK: Remainders

// Long division in base two: the exponents differ by the number of steps.
double reel_truncated_remainder(double a, double b) {
    const uint64_t sign = bits_of(a) & 1ull << 63;
    const uint64_t magnitude_a = bits_of(a) & ~(1ull << 63), magnitude_b = bits_of(b) & ~(1ull << 63);
    if (magnitude_a < magnitude_b || magnitude_b >= 0x7ffull << MANTISSA_BITS) return a;

    // value = mantissa * 2^(exponent - 1075); a subnormal value has the exponent of the smallest normal ones.
    const int field_a = (int)(magnitude_a >> MANTISSA_BITS), field_b = (int)(magnitude_b >> MANTISSA_BITS);
    const int exponent_a = field_a == 0 ? 1 : field_a, exponent_b = field_b == 0 ? 1 : field_b;
    const uint64_t fraction_mask = (1ull << MANTISSA_BITS) - 1;
    uint64_t rest = (magnitude_a & fraction_mask) | (uint64_t)(field_a != 0) << MANTISSA_BITS;
    const uint64_t divisor = (magnitude_b & fraction_mask) | (uint64_t)(field_b != 0) << MANTISSA_BITS;

    // Eleven digits at a time: the rest is below 2^53.
    rest %= divisor;
    for (int steps = exponent_a - exponent_b; steps > 0 && rest != 0;) {
        const int digits = steps < 11 ? steps : 11;
        rest = (rest << digits) % divisor;
        steps -= digits;
    }
    if (rest == 0) return double_of(sign);

    int exponent = exponent_b;
    while (exponent > 1 && rest >> MANTISSA_BITS == 0) {
        rest <<= 1;
        exponent -= 1;
    }
    const bool normal = rest >> MANTISSA_BITS != 0;
    const uint64_t magnitude = normal ? (rest & fraction_mask) | (uint64_t)exponent << MANTISSA_BITS : rest;
    return double_of(sign | magnitude);
}

// The floor for one training step of an LSTM: a hand-written, fused program for two threads and AVX-512 that does just
// the arithmetic. Forward: the input product, then a recurrent product and the gates for each step. Backward: the gates
// and a product for each step, then the two products of the weight gradients. Weights are packed once a step. The dense
// layer, the cost and the update are left out: under 1 %.
//
// usage: limit [BATCH TIME INPUTS UNITS [ITERATIONS]]     BATCH a multiple of 2, UNITS of 32
// build: clang -O3 -march=native -ffp-contract=fast -pthread limit.c -o limit -lm
#include <immintrin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// MARK: Elementwise

typedef __m512 vector;

static inline vector all(float x) { return _mm512_set1_ps(x); }
static inline vector load(const float *p) { return _mm512_loadu_ps(p); }
static inline void store(float *p, vector x) { _mm512_storeu_ps(p, x); }
static inline vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
static inline vector multiply(vector a, vector b) { return _mm512_mul_ps(a, b); }

// e^x = 2^n · e^r with n = round(x / ln 2), and a polynomial for e^r.
static inline vector exponential(vector x) {
    x = _mm512_max_ps(_mm512_min_ps(x, all(88.f)), all(-87.f));
    vector n = _mm512_roundscale_ps(multiply(x, all(1.44269504f)), 0);
    vector r = _mm512_fnmadd_ps(n, all(0.693145752f), x);
    r = _mm512_fnmadd_ps(n, all(1.42860677e-6f), r);
    vector p = all(1.9875691e-4f);
    p = _mm512_fmadd_ps(p, r, all(1.3981999e-3f));
    p = _mm512_fmadd_ps(p, r, all(8.3334519e-3f));
    p = _mm512_fmadd_ps(p, r, all(4.1665796e-2f));
    p = _mm512_fmadd_ps(p, r, all(1.6666665e-1f));
    p = _mm512_fmadd_ps(p, r, all(5.0000001e-1f));
    p = _mm512_fmadd_ps(multiply(r, r), p, add(r, all(1.f)));
    return _mm512_scalef_ps(p, n);
}

static inline vector sigmoid(vector x) {
    return _mm512_div_ps(all(1.f), add(all(1.f), exponential(_mm512_sub_ps(all(0.f), x))));
}

static inline vector tangent(vector x) {
    vector e = exponential(multiply(x, all(-2.f)));
    return _mm512_div_ps(_mm512_sub_ps(all(1.f), e), add(all(1.f), e));
}

// 1 - x² and x·(1 - x): the derivatives of tanh and sigmoid by their results.
static inline vector tangent_slope(vector x) { return _mm512_fnmadd_ps(x, x, all(1.f)); }
static inline vector sigmoid_slope(vector x) { return multiply(x, _mm512_sub_ps(all(1.f), x)); }

// MARK: Products

enum { PANEL = 32 };

// C[ROWS, 32] = A[ROWS, k] · panel, or += if `adds`. A has a stride for its rows and one for k.
#define TILE(ROWS)                                                                                              \
    static void tile_##ROWS(long k, const float *a, long row, long step, const float *panel, float *c, long ldc, \
                            int adds) {                                                                         \
        vector sum[ROWS][2];                                                                                    \
        for (int i = 0; i < ROWS; i++) {                                                                        \
            sum[i][0] = adds ? load(c + i * ldc) : all(0.f);                                                    \
            sum[i][1] = adds ? load(c + i * ldc + 16) : all(0.f);                                               \
        }                                                                                                       \
        for (long j = 0; j < k; j++) {                                                                          \
            vector b0 = load(panel + j * PANEL), b1 = load(panel + j * PANEL + 16);                             \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                 \
                vector x = all(a[i * row + j * step]);                                                          \
                sum[i][0] = _mm512_fmadd_ps(x, b0, sum[i][0]);                                                  \
                sum[i][1] = _mm512_fmadd_ps(x, b1, sum[i][1]);                                                  \
            }                                                                                                   \
        }                                                                                                       \
        for (int i = 0; i < ROWS; i++) {                                                                        \
            store(c + i * ldc, sum[i][0]);                                                                      \
            store(c + i * ldc + 16, sum[i][1]);                                                                 \
        }                                                                                                       \
    }
TILE(12)
TILE(4)
TILE(1)

static void product(long m, long n, long k, const float *a, long row, long step, const float *packed, float *c,
                    long ldc, int adds) {
    for (long j = 0; j < n; j += PANEL) {
        const float *panel = packed + j * k;
        long i = 0;
        for (; i + 12 <= m; i += 12) tile_12(k, a + i * row, row, step, panel, c + i * ldc + j, ldc, adds);
        for (; i + 4 <= m; i += 4) tile_4(k, a + i * row, row, step, panel, c + i * ldc + j, ldc, adds);
        for (; i < m; i++) tile_1(k, a + i * row, row, step, panel, c + i * ldc + j, ldc, adds);
    }
}

static void pack(long k, long n, const float *b, long row, long column, float *packed) {
    for (long j = 0; j < n; j += PANEL)
        for (long i = 0; i < k; i++)
            for (int l = 0; l < PANEL; l++) packed[j * k + i * PANEL + l] = b[i * row + (j + l) * column];
}

// MARK: The network

// B sequences of T steps of I numbers; H units, G = 4·H. Tensors are [time, batch, features].
static long B = 128, T = 28, I = 28, H = 64, G;
static float *x, *W, *U, *bias, *W_packed, *U_packed, *U_transposed_packed;
static float *z, *h, *c, *tanh_c;             // z holds the gates once they are computed
static float *dz, *dh, *dc;
static float *dU[2], *dW[2], *dz_packed[2];  // one for each thread

static void gates_forward(long t, long first, long rows) {
    float *gates = z + (t * B + first) * G, *tanh_now = tanh_c + (t * B + first) * H;
    const float *c_before = c + (t * B + first) * H;
    float *h_next = h + ((t + 1) * B + first) * H, *c_next = c + ((t + 1) * B + first) * H;
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < H; j += 16) {
            float *q = gates + r * G + j;
            vector i = sigmoid(add(load(q), load(bias + j)));
            vector f = sigmoid(add(load(q + H), load(bias + H + j)));
            vector g = tangent(add(load(q + 2 * H), load(bias + 2 * H + j)));
            vector o = sigmoid(add(load(q + 3 * H), load(bias + 3 * H + j)));
            vector cell = _mm512_fmadd_ps(f, load(c_before + r * H + j), multiply(i, g));
            vector tanh_cell = tangent(cell);
            store(q, i);
            store(q + H, f);
            store(q + 2 * H, g);
            store(q + 3 * H, o);
            store(c_next + r * H + j, cell);
            store(tanh_now + r * H + j, tanh_cell);
            store(h_next + r * H + j, multiply(o, tanh_cell));
        }
}

static void gates_backward(long t, long first, long rows) {
    const float *gates = z + (t * B + first) * G, *tanh_now = tanh_c + (t * B + first) * H;
    const float *c_before = c + (t * B + first) * H;
    float *gates_gradient = dz + (t * B + first) * G;
    for (long r = 0; r < rows; r++)
        for (long j = 0; j < H; j += 16) {
            const float *q = gates + r * G + j;
            float *d = gates_gradient + r * G + j, *dc_now = dc + (first + r) * H + j;
            vector i = load(q), f = load(q + H), g = load(q + 2 * H), o = load(q + 3 * H);
            vector tanh_cell = load(tanh_now + r * H + j), d_hidden = load(dh + (first + r) * H + j);
            vector d_cell = add(load(dc_now), multiply(multiply(d_hidden, o), tangent_slope(tanh_cell)));
            store(d, multiply(multiply(d_cell, g), sigmoid_slope(i)));
            store(d + H, multiply(multiply(d_cell, load(c_before + r * H + j)), sigmoid_slope(f)));
            store(d + 2 * H, multiply(multiply(d_cell, i), tangent_slope(g)));
            store(d + 3 * H, multiply(multiply(d_hidden, tanh_cell), sigmoid_slope(o)));
            store(dc_now, multiply(d_cell, f));
        }
}

// Forward and backward for one half of the batch.
static void run_half(int half) {
    long first = half * B / 2, rows = (half + 1) * B / 2 - first;
    for (long t = 0; t < T; t++)
        product(rows, G, I, x + (t * B + first) * I, I, 1, W_packed, z + (t * B + first) * G, G, 0);
    for (long t = 0; t < T; t++) {
        product(rows, G, H, h + (t * B + first) * H, H, 1, U_packed, z + (t * B + first) * G, G, 1);
        gates_forward(t, first, rows);
    }
    memset(dc + first * H, 0, rows * H * 4);
    for (long i = first * H; i < (first + rows) * H; i++) dh[i] = 0.01f;
    for (long t = T - 1; t >= 0; t--) {
        gates_backward(t, first, rows);
        if (t) product(rows, H, G, dz + (t * B + first) * G, G, 1, U_transposed_packed, dh + first * H, H, 0);
    }
    // The weight gradients are sums over the rows of each step.
    memset(dU[half], 0, H * G * 4);
    memset(dW[half], 0, I * G * 4);
    for (long t = 0; t < T; t++) {
        pack(rows, G, dz + (t * B + first) * G, G, 1, dz_packed[half]);
        if (t) product(H, G, rows, h + (t * B + first) * H, 1, H, dz_packed[half], dU[half], G, 1);
        product(I, G, rows, x + (t * B + first) * I, 1, I, dz_packed[half], dW[half], G, 1);
    }
}

// MARK: Two threads

static atomic_int started, finished;

static void *worker(void *unused) {
    for (int seen = 0;; seen++) {
        while (atomic_load(&started) == seen) _mm_pause();
        run_half(1);
        atomic_fetch_add(&finished, 1);
    }
    return unused;
}

static void step(void) {
    pack(I, G, W, G, 1, W_packed);
    pack(H, G, U, G, 1, U_packed);
    pack(G, H, U, 1, G, U_transposed_packed);
    int before = atomic_load(&finished);
    atomic_fetch_add(&started, 1);
    run_half(0);
    while (atomic_load(&finished) == before) _mm_pause();
    for (long i = 0; i < H * G; i++) dU[0][i] += dU[1][i];
    for (long i = 0; i < I * G; i++) dW[0][i] += dW[1][i];
}

// MARK: Measuring

static float *allocate(long count) {
    float *p = aligned_alloc(64, (count * 4 + 4095) / 64 * 64);
    for (long i = 0; i < count; i++) p[i] = ((i * 2654435761u >> 8) % 1000) * 1e-3f - 0.5f;
    return p;
}

static void allocate_all(void) {
    x = allocate(T * B * I), W = allocate(I * G), U = allocate(H * G), bias = allocate(G);
    W_packed = allocate(I * G), U_packed = allocate(H * G), U_transposed_packed = allocate(H * G);
    z = allocate(T * B * G), h = allocate((T + 1) * B * H), c = allocate((T + 1) * B * H), tanh_c = allocate(T * B * H);
    dz = allocate(T * B * G), dh = allocate(B * H), dc = allocate(B * H);
    for (int i = 0; i < 2; i++) dU[i] = allocate(H * G), dW[i] = allocate(I * G), dz_packed[i] = allocate(B * G);
    memset(h, 0, B * H * 4);
    memset(c, 0, B * H * 4);
}

static double milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + 1e-6 * t.tv_nsec;
}

static int order(const void *a, const void *b) {
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

int main(int count, char **arguments) {
    long iterations = 200;
    long *options[] = {&B, &T, &I, &H, &iterations};
    for (int i = 1; i < count && i <= 5; i++) *options[i - 1] = atol(arguments[i]);
    if (B < 2 || B % 2 || T < 1 || I < 1 || H < 32 || H % 32 || iterations < 1) {
        fprintf(stderr, "limit: BATCH is a multiple of 2, UNITS of 32, and all are positive\n");
        return 1;
    }
    G = 4 * H;
    allocate_all();
    pthread_t thread;
    pthread_create(&thread, NULL, worker, NULL);
    double *times = malloc(iterations * sizeof *times);
    for (int i = 0; i < 5; i++) step();
    for (long i = 0; i < iterations; i++) {
        double start = milliseconds();
        step();
        times[i] = milliseconds() - start;
    }
    qsort(times, iterations, sizeof *times, order);
    double median = (times[(iterations - 1) / 2] + times[iterations / 2]) / 2;
    double work = 2.0 * T * B * G * (2.0 * I + 3.0 * H);
    printf("{\"peer\": \"limit\", \"median_ms\": %.4f, \"min_ms\": %.4f, \"gflops\": %.1f, \"cell\": \"lstm\", "
           "\"batch\": %ld, \"time\": %ld, \"input\": %ld, \"units\": %ld, \"iterations\": %ld, \"threads\": 2}\n",
           median, times[0], work / median / 1e6, B, T, I, H, iterations);
    free(times);
    return 0;
}

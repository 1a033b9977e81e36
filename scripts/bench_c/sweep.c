// The margin sweep by hand, with AVX2 intrinsics, and the limit that the machine sets to it.
// `scripts/bench_sweep.py` builds this with gcc -O3 -march=native and compares bit for bit.
//
// It works on the rows that the numba kernel works on: 32 losses of 32 bits, and behind all rows the
// other four of each, widened to 64. Eight neighbours are loaded as four 64-bit lanes: vpmuldq takes the low half of
// each lane as it is, and the high half after one shift. Rows of accounts are asked for ahead.

#include <immintrin.h>
#include <stdint.h>

#define ROWS 512
#define WHOLE 32
#define WIDENED 8
#define AHEAD 12
#define SLOT_BITS 8
#define EIGHTS 4

static inline __m256i larger(__m256i a, __m256i b) {
    return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
}

static inline int64_t largest_lane(__m256i v) {
    int64_t lane[4];
    _mm256_storeu_si256((__m256i *)lane, v);
    int64_t a = lane[0] > lane[1] ? lane[0] : lane[1];
    int64_t b = lane[2] > lane[3] ? lane[2] : lane[3];
    return a > b ? a : b;
}

typedef struct {
    int64_t balance, scan, gross;
} Bounds;

// Adds value, worst loss and gross of some positions to the bounds of their account.
static inline void add_positions(Bounds *bounds, const int32_t *ids, const int32_t *lots, int count,
                                 const int64_t *lot_values, const int64_t *gross_rates,
                                 const int32_t *packed) {
    __m256i even[EIGHTS], odd[EIGHTS], last = _mm256_setzero_si256();
    for (int k = 0; k < EIGHTS; k++) even[k] = odd[k] = last;
    for (int j = 0; j < count; j++) {
        const int32_t *row = packed + (int64_t)ids[j] * WHOLE;
        const int32_t *rest = packed + ROWS * WHOLE + (int64_t)ids[j] * WIDENED;
        int64_t n = lots[j];
        bounds->balance += n * lot_values[ids[j]];
        bounds->gross += (n < 0 ? -n : n) * gross_rates[ids[j]];
        __m256i factor = _mm256_set1_epi32(lots[j]);
        for (int k = 0; k < EIGHTS; k++) {
            __m256i both = _mm256_loadu_si256((const __m256i *)(row + 8 * k));
            __m256i high = _mm256_srli_epi64(both, 32);
            even[k] = _mm256_add_epi64(even[k], _mm256_mul_epi32(both, factor));
            odd[k] = _mm256_add_epi64(odd[k], _mm256_mul_epi32(high, factor));
        }
        __m256i tail = _mm256_loadu_si256((const __m256i *)rest);
        last = _mm256_add_epi64(last, _mm256_mul_epi32(tail, factor));
    }
    __m256i worst = larger(last, _mm256_setzero_si256());
    for (int k = 0; k < EIGHTS; k++) worst = larger(worst, larger(even[k], odd[k]));
    bounds->scan += largest_lane(worst);
}

// Positions of each account ascend by instrument, as in the account leaf.
void sweep_bounds_c(const int32_t *ids, const int32_t *lots, const int32_t *counts,
                    const int64_t *net_cash, const int64_t *credit, const int64_t *lot_values,
                    const int64_t *gross_rates, const int32_t *packed, int64_t accounts,
                    int64_t width, int64_t *balance_out, int64_t *scan_out, int64_t *gross_out) {
    for (int64_t a = 0; a < accounts; a++) {
        const int32_t *held = ids + a * width, *amount = lots + a * width;
        _mm_prefetch((const char *)(held + AHEAD * width), _MM_HINT_T0);
        _mm_prefetch((const char *)(amount + AHEAD * width), _MM_HINT_T0);
        int count = counts[a], split = 0;
        for (int j = 0; j < count; j++) split += held[j] < 1 << SLOT_BITS;
        Bounds bounds = {net_cash[a] + credit[a], 0, 0};
        add_positions(&bounds, held, amount, split, lot_values, gross_rates, packed);
        add_positions(&bounds, held + split, amount + split, count - split, lot_values,
                      gross_rates, packed);
        balance_out[a] = bounds.balance;
        scan_out[a] = bounds.scan;
        gross_out[a] = bounds.gross;
    }
}

// The machine's limit: `rounds` times nine independent vpmuldq + vpaddq on registers, four
// multiply-accumulates each. Nothing is loaded, so no kernel of this kind can be faster.
int64_t multiply_add_limit(int64_t rounds, int32_t seed) {
    __m256i sums[9], factor = _mm256_set1_epi32(seed), value = _mm256_set1_epi32(seed + 1);
    for (int k = 0; k < 9; k++) sums[k] = _mm256_set1_epi64x(k);
    for (int64_t r = 0; r < rounds; r++) {
        for (int k = 0; k < 9; k++) {
            __asm__ volatile("" : "+x"(value));  // a new value each time, as far as gcc knows
            sums[k] = _mm256_add_epi64(sums[k], _mm256_mul_epi32(value, factor));
        }
    }
    for (int k = 1; k < 9; k++) sums[0] = _mm256_add_epi64(sums[0], sums[k]);
    return largest_lane(sums[0]);
}

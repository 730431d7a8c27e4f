/* The hot loop of Logwright: find lines, run header programs, mask and hash tokens, code shapes.
 *
 * What each function computes is defined in Python: logs/shapes.py (tokens, masks, keys),
 * logs/program.py (header programs) and logs/kernel.py (arguments). logs/twin.py is the numpy twin;
 * tests hold both to identical results. Only the limited API (3.11) is used, so that one wheel
 * serves every later Python. Every buffer is checked for its size before it is used.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint64_t u64;
typedef int64_t i64;

enum { DELIM = 1, VAR = 2, UPPER = 4, LOWER = 8, NOT_HEX = 16 };
static u8 CLASS[256];
static uint16_t FORMS[256]; /* kinds of characters: see logs/kernel.py */

static void make_classes(void) {
    for (int c = 0; c < 256; c++) {
        int hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        CLASS[c] = (u8)(((c >= '0' && c <= '9') || c == 0 ? VAR : 0) | (hex ? 0 : NOT_HEX) |
                        (c >= 'A' && c <= 'Z' ? UPPER : 0) | (c >= 'a' && c <= 'z' ? LOWER : 0));
    }
    for (int c = 0; c < 256; c++)
        FORMS[c] = c >= '0' && c <= '9' ? 1 : c >= 'a' && c <= 'f' ? 2 : c >= 'g' && c <= 'z' ? 4
                 : c >= 'A' && c <= 'F' ? 8 : c >= 'G' && c <= 'Z' ? 16 : c >= 128 ? 32 : c < 32 || c == 127 ? 64 : 128;
    for (const char *d = "-._/@%", *at = d; *at; at++) FORMS[(u8)*at] = (uint16_t)(256 << (at - d));
    for (const char *d = " \t\r\n\x0b\x0c,;:=()[]{}<>\"'|?&`"; *d; d++) { CLASS[(u8)*d] = DELIM; FORMS[(u8)*d] = 0; }
}

static int looks_random(const u8 *t, i64 n) {
    i64 total = 0;
    int previous = 0;
    for (i64 i = 0; i < n; i++) {
        int upper = CLASS[t[i]] & UPPER, now = CLASS[t[i]] & (UPPER | LOWER);
        if (now) {
            total += strchr("jqxzkvwJQXZKVW", t[i]) ? 6 : -1;
            if (previous) total += previous != now ? 2 : upper ? 7 : -4;
        } else total += t[i] == '+' ? 8 : -2;
        previous = now;
    }
    return total > -24;
}

static inline int is_variable(const u8 *t, i64 n, int seen) {
    if (seen & VAR) return 1;
    if (n < 7) return 0;
    i64 i = n; /* a last word of seven or more letters that are hex digits */
    while (i > 0 && !(CLASS[t[i - 1]] & NOT_HEX)) i--;
    if (n - i >= 7 && (i == 0 || !(CLASS[t[i - 1]] & (UPPER | LOWER)))) return 1;
    return n >= 16 && (seen & UPPER) && (seen & LOWER) && looks_random(t, n);
}

/* ---- arguments -------------------------------------------------------------------------- */

/* Take the buffers of args[at..at+count): sizes are in bytes per line, 0 for "any". */
static int take(PyObject *const *args, int count, const int *per_line, i64 n, Py_buffer *out) {
    for (int i = 0; i < count; i++) {
        int writable = per_line[i] < 0;
        i64 need = n * (writable ? -per_line[i] : per_line[i]);
        if (PyObject_GetBuffer(args[i], &out[i], writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) < 0 ||
            (out[i].len < need && (PyBuffer_Release(&out[i]),
                                   PyErr_SetString(PyExc_ValueError, "array too short"), 1))) {
            while (i--) PyBuffer_Release(&out[i]);
            return -1;
        }
    }
    return 0;
}

static void release(Py_buffer *b, int count) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&b[i]);
}

static int bad_range(i64 s, i64 e, i64 size) {
    if (s >= 0 && s <= e && e <= size) return 0;
    PyErr_SetString(PyExc_ValueError, "line outside the block");
    return 1;
}

/* lines(buf, start, end) -> count; start and end hold at least one entry per line */
static PyObject *k_lines(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[3];
    static const int sizes[] = {0, -1, -1};
    if (nargs != 3) return PyErr_Format(PyExc_TypeError, "lines takes 3 arguments");
    if (take(args, 3, sizes, 0, b) < 0) return NULL;
    const u8 *base = b[0].buf, *p = base, *end = base + b[0].len;
    i64 *start = b[1].buf, *stop = b[2].buf, n = 0;
    i64 room = (b[1].len < b[2].len ? b[1].len : b[2].len) / 8;
    while (p < end && n < room) {
        const u8 *nl = memchr(p, '\n', (size_t)(end - p)), *e = nl ? nl : end;
        start[n] = p - base;
        stop[n++] = (nl && e > p && e[-1] == '\r' ? e - 1 : e) - base;
        p = e + 1;
    }
    release(b, 3);
    return PyLong_FromLongLong(n);
}

/* ---- header programs -------------------------------------------------------------------- */

enum { LIT, WS, FIELD, RAW, OPT, MARK, NUM, MONTH, ZONE, AMPM };
enum { YEAR, MON, DAY, HOUR, MINUTE, SECOND, FRACTION, EPOCH, YEAR2 };
typedef struct { i64 part[8], zone, unit; int have; i64 slot[8]; } Header;
#define HAVE(h, x) ((h)->have >> (x) & 1)
static const i64 NO_TIME = INT64_MIN, G = 1000000000;

static i64 put_together(const Header *h, i64 year, i64 day) {
    i64 sec, frac = HAVE(h, FRACTION) ? h->part[FRACTION] : 0;
    if (HAVE(h, EPOCH)) {
        i64 per = G / h->unit; /* ticks a second: the unit is in ns */
        sec = h->part[EPOCH] / per;
        frac += h->part[EPOCH] % per * h->unit;
    } else {
        if (HAVE(h, MON) && HAVE(h, DAY)) {
            static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
            i64 y = HAVE(h, YEAR) ? h->part[YEAR] : year, m = h->part[MON], d = h->part[DAY];
            int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            if (d > lengths[m - 1] + (m == 2 && leap)) return NO_TIME;
            y -= m <= 2; /* days from the civil calendar, years beginning in March */
            i64 era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
            i64 doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
            day = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
        } else if (!HAVE(h, HOUR)) return NO_TIME;
        sec = day * 86400 + (HAVE(h, HOUR) ? h->part[HOUR] * 3600 : 0) +
              (HAVE(h, MINUTE) ? h->part[MINUTE] * 60 : 0) + (HAVE(h, SECOND) ? h->part[SECOND] : 0) -
              h->zone;
    }
    return sec < -9223372035 || sec > 9223372034 ? NO_TIME : sec * G + frac;
}

static int number(Header *h, const u8 **at, const u8 *e, int part, int least, int most) {
    static const i64 low[] = {0, 1, 1, 0, 0, 0, 0, 0, 0}, high[] = {9999999, 12, 31, 23, 59, 60};
    const u8 *p = *at;
    i64 v = 0, digits = 0;
    for (; p < e && digits < most && *p >= '0' && *p <= '9'; p++, digits++)
        if (part != FRACTION || digits < 9) {
            if (v > (INT64_MAX - 9) / 10) return 0;
            v = v * 10 + (*p - '0');
        }
    *at = p;
    if (digits < least) return 0;
    if (part == FRACTION) for (; digits < 9; digits++) v *= 10;
    else if (part == EPOCH) h->unit = digits <= 11 ? G : digits <= 14 ? 1000000 : digits <= 17 ? 1000 : 1;
    else if (part == YEAR2) { if (v > 99) return 0; v += v >= 70 ? 1900 : 2000; part = YEAR; }
    else if (v < low[part] || v > high[part]) return 0;
    h->part[part] = v;
    h->have |= 1 << part;
    return 1;
}

static int month(Header *h, const u8 *p) {
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int m = 0; m < 12; m++)
        if ((p[0] | 32) == names[3 * m] && (p[1] | 32) == names[3 * m + 1] && (p[2] | 32) == names[3 * m + 2]) {
            h->part[MON] = m + 1;
            h->have |= 1 << MON;
            return 1;
        }
    return 0;
}

#define TWO(p) ((e - (p) >= 2 && (p)[0] >= '0' && (p)[0] <= '9' && (p)[1] >= '0' && (p)[1] <= '9') \
                    ? ((p)[0] - '0') * 10 + ((p)[1] - '0') : -1)

static int zone(Header *h, const u8 **at, const u8 *e) {
    const u8 *p = *at;
    if (p >= e) return 0;
    h->zone = 0;
    if (e - p >= 3 && (!memcmp(p, "UTC", 3) || !memcmp(p, "GMT", 3))) return *at = p + 3, 1;
    if (*p == 'Z') return *at = p + 1, 1;
    if (*p != '+' && *p != '-') return 0;
    int sign = *p == '-' ? -1 : 1, hours = TWO(p + 1), minutes = 0;
    if (hours < 0) return 0;
    p += 3;
    int colon = p < e && *p == ':';
    if (TWO(p + colon) >= 0) { minutes = TWO(p + colon); p += 2 + colon; }
    h->zone = sign * (hours * 3600 + minutes * 60);
    return *at = p, 1;
}

/* Run a program on [p, e): the message's start; *status as in logs/program.py. */
static const u8 *run(const u8 *base, const u8 *p, const u8 *e, const u8 *code, i64 ops, Header *h, int *status) {
    const u8 *line = p, *kept_at = NULL;
    Header kept;
    for (i64 i = 0; i < ops; i++) {
        const u8 *o = code + 4 * i, *from = p;
        int ok = 1, a = o[1], b = o[2], c = o[3];
        switch (o[0]) {
        case LIT: ok = p < e && *p == a; p++; break;
        case WS: while (p < e && (*p == ' ' || *p == '\t')) p++; ok = p - from >= a; break;
        case FIELD:
            while (p < e && *p != ' ' && *p != '\t' && !(b && *p == b) && !(c && *p == c)) p++;
            ok = p > from;
            break;
        case RAW: p = p < e ? memchr(p, b, (size_t)(e - p)) : NULL; ok = p != NULL; break;
        case OPT:
            if (!(p < e && (a ? *p == a || (b && *p == b) : *p >= '0' && *p <= '9'))) i += c;
            break;
        case MARK: kept = *h; kept_at = p; break;
        case NUM: ok = a <= YEAR2 && number(h, &p, e, a, b, c); break;
        case MONTH: ok = e - p >= 3 && month(h, p); p += 3; break;
        case ZONE: ok = zone(h, &p, e); break;
        case AMPM: {
            int pm = e - p >= 2 && (*p | 32) == 'p';
            ok = e - p >= 2 && (pm || (*p | 32) == 'a') && (p[1] | 32) == 'm';
            if (ok && pm && h->part[HOUR] < 12) h->part[HOUR] += 12;
            else if (ok && !pm && h->part[HOUR] == 12) h->part[HOUR] = 0;
            p += 2;
            break;
        }
        default: ok = 0;
        }
        if (!ok) {
            if (kept_at) { *h = kept; *status = 1; return kept_at; }
            *status = 0;
            return line;
        }
        if ((o[0] == FIELD || o[0] == RAW) && a < 4) { h->slot[2 * a] = from - base; h->slot[2 * a + 1] = p - base; }
        if (o[0] == RAW) ; /* the stop byte itself is left to the next operation */
    }
    *status = 2;
    return p;
}

/* headers(buf, start, end, content, ts, spans, status, program, year, day) */
static PyObject *k_headers(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[8];
    static const int sizes[] = {0, 8, 8, -8, -8, -64, -1, 0};
    if (nargs != 10) return PyErr_Format(PyExc_TypeError, "headers takes 10 arguments");
    i64 n = PyObject_Length(args[6]), year = PyLong_AsLongLong(args[8]), day = PyLong_AsLongLong(args[9]);
    if (PyErr_Occurred() || take(args, 8, sizes, n, b) < 0) return NULL;
    const u8 *base = b[0].buf;
    const i64 *start = b[1].buf, *end = b[2].buf;
    i64 *content = b[3].buf, *ts = b[4].buf, *spans = b[5].buf;
    for (i64 i = 0; i < n; i++) {
        int status;
        Header h;
        if (bad_range(start[i], end[i], b[0].len)) break;
        memset(&h, 0, sizeof h);
        for (int s = 0; s < 8; s++) h.slot[s] = -1;
        content[i] = run(base, base + start[i], base + end[i], b[7].buf, b[7].len / 4, &h, &status) - base;
        if (!status) { h.have = 0; for (int s = 0; s < 8; s++) h.slot[s] = -1; }
        ts[i] = h.have ? put_together(&h, year, day) : NO_TIME;
        memcpy(spans + 8 * i, h.slot, sizeof h.slot);
        ((int8_t *)b[6].buf)[i] = (int8_t)status;
    }
    release(b, 8);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

/* token_spans(buf, start, end, ordinal, begin, stop) */
static PyObject *k_token_spans(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[6];
    static const int sizes[] = {0, 8, 8, 4, -8, -8};
    if (nargs != 6) return PyErr_Format(PyExc_TypeError, "token_spans takes 6 arguments");
    i64 n = PyObject_Length(args[1]);
    if (PyErr_Occurred() || take(args, 6, sizes, n, b) < 0) return NULL;
    const u8 *base = b[0].buf;
    const i64 *start = b[1].buf, *end = b[2].buf;
    i64 *begin = b[4].buf, *stop = b[5].buf;
    for (i64 i = 0; i < n; i++) {
        begin[i] = stop[i] = -1;
        int32_t left = ((const int32_t *)b[3].buf)[i];
        if (left < 0) continue;
        if (bad_range(start[i], end[i], b[0].len)) break;
        const u8 *p = base + start[i], *e = base + end[i];
        for (;;) {
            while (p < e && CLASS[*p] == DELIM) p++;
            if (p == e) break;
            const u8 *from = p;
            while (p < e && CLASS[*p] != DELIM) p++;
            if (left-- == 0) { begin[i] = from - base; stop[i] = p - base; break; }
        }
    }
    release(b, 6);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

/* ---- the table of keys ------------------------------------------------------------------ */

typedef struct { u64 h1, h2; } Key;
typedef struct { uint32_t tag; int32_t code; } Slot; /* code -1: empty */
typedef struct {
    PyObject_HEAD
    Slot *slots; u64 mask;     /* open addressing, at most half full */
    u64 salt;                  /* unknown to who writes lines, so that they cannot make keys meet */
    Key *keys; i64 span, room; /* by code */
    int32_t *freed; i64 n_freed, held;
    u8 *live, *scratch; i64 scratch_size;
} Table;

static int grow(void **p, size_t size) {
    void *q = realloc(*p, size);
    if (!q) { PyErr_NoMemory(); return -1; }
    *p = q;
    return 0;
}

/* Where to look for a key first: each bit of it depends on all of the key and of the salt. */
static inline u64 slot_of(const Table *t, Key k) {
    u64 x = (k.h1 ^ t->salt) * 0xFF51AFD7ED558CCDu;
    x = (x ^ x >> 32 ^ k.h2) * 0x94D049BB133111EBu;
    x = (x ^ x >> 29) * 0xC4CEB9FE1A85EC53u;
    return (x ^ x >> 32) & t->mask;
}

static void place(Table *t, Key k, int32_t code) {
    u64 at = slot_of(t, k);
    while (t->slots[at].code >= 0) at = (at + 1) & t->mask;
    t->slots[at] = (Slot){(uint32_t)(k.h1 >> 32), code};
}

static int rebuild(Table *t, u64 size) {
    if (grow((void **)&t->slots, size * sizeof(Slot)) < 0) return -1;
    t->mask = size - 1;
    memset(t->slots, 0xff, size * sizeof(Slot));
    for (i64 c = 0; c < t->span; c++) if (t->live[c]) place(t, t->keys[c], (int32_t)c);
    return 0;
}

/* Take a code out of its slot, and move what stands behind it nearer to its own. */
static void displace(Table *t, int32_t code) {
    u64 hole = slot_of(t, t->keys[code]);
    while (t->slots[hole].code != code) hole = (hole + 1) & t->mask;
    for (u64 at = (hole + 1) & t->mask; t->slots[at].code >= 0; at = (at + 1) & t->mask) {
        u64 first = slot_of(t, t->keys[t->slots[at].code]);
        if (((at - first) & t->mask) < ((at - hole) & t->mask)) continue;
        t->slots[hole] = t->slots[at];
        hole = at;
    }
    t->slots[hole].code = -1;
}

/* The code of a key; *fresh is set when it is new. -1 with an exception when memory is out. */
static inline int32_t code_of(Table *t, Key k, int *fresh) {
    for (u64 at = slot_of(t, k); t->slots[at].code >= 0; at = (at + 1) & t->mask) {
        int32_t c = t->slots[at].code;
        if (t->slots[at].tag == (uint32_t)(k.h1 >> 32) && t->keys[c].h1 == k.h1 && t->keys[c].h2 == k.h2) return c;
    }
    if (!t->n_freed && t->span == t->room) {
        size_t room = (size_t)(t->room * 2);
        if (room > INT32_MAX) { PyErr_SetString(PyExc_OverflowError, "too many shapes"); return -1; }
        if (grow((void **)&t->keys, room * sizeof(Key)) < 0 || grow((void **)&t->live, room) < 0 ||
            grow((void **)&t->freed, room * sizeof(int32_t)) < 0) return -1;
        t->room = (i64)room;
    }
    if ((u64)(t->held + 1) * 2 > t->mask && rebuild(t, (t->mask + 1) * 2) < 0) return -1;
    int32_t code = t->n_freed ? t->freed[--t->n_freed] : (int32_t)t->span++;
    t->keys[code] = k;
    t->live[code] = 1;
    t->held++;
    place(t, k, code);
    *fresh = 1;
    return code;
}

static inline Key hash(const u8 *p, i64 n) {
    const u64 k1 = 0xFF51AFD7ED558CCDu, k2 = 0x94D049BB133111EBu;
    u64 h1 = 0x9E3779B97F4A7C15u, h2 = 0xC2B2AE3D27D4EB4Fu, w;
    i64 i = 0;
    for (; i < n; i += 8) {
        if (n - i >= 8) memcpy(&w, p + i, 8);
        else { w = 0; memcpy(&w, p + i, (size_t)(n - i)); }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        w = __builtin_bswap64(w);
#endif
        h1 = (h1 ^ w) * k1; h1 ^= h1 >> 32;
        h2 = (h2 + w) * k2; h2 ^= h2 >> 29;
    }
    h1 = (h1 ^ (u64)n) * k2;
    h2 = (h2 + (u64)n) * k1;
    return (Key){h1 ^ h1 >> 31, h2 ^ h2 >> 33};
}

/* ---- watched tokens --------------------------------------------------------------------- */

typedef struct { double low, high; i64 seen, stride; int32_t mode, shortest, longest, classes; } Watch;
enum { ALL = 1, NUMBER = 2, VALUE = 4, FORM = 8, SAMPLE = 16, KNOWN = 128 };

/* A plain number with at most 18 digits and a unit; NaN for anything else. */
static double number_of(const u8 *p, const u8 *e) {
    static const struct { char name[4]; double scale; } units[] = {
        {"%", 1}, {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"B", 1},
        {"k", 1024}, {"K", 1024}, {"kB", 1024}, {"KB", 1024}, {"KiB", 1024}, {"M", 1048576}, {"MB", 1048576},
        {"MiB", 1048576}, {"G", 1073741824}, {"GB", 1073741824}, {"GiB", 1073741824}};
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
                                  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const double nan = Py_HUGE_VAL - Py_HUGE_VAL;
    int minus = p < e && *p == '-', digits = 0, decimals = -1;
    i64 v = 0;
    if (p < e && (*p == '-' || *p == '+')) p++;
    for (; p < e; p++) {
        if (*p >= '0' && *p <= '9') {
            if (++digits > 18) return nan;
            v = v * 10 + (*p - '0');
            decimals += decimals >= 0;
        } else if (*p == '.' && decimals < 0) decimals = 0;
        else break;
    }
    if (!digits) return nan;
    double x = (double)(minus ? -v : v) / tens[decimals > 0 ? decimals : 0];
    if (p == e) return x;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (strlen(units[u].name) == (size_t)(e - p) && !memcmp(units[u].name, p, (size_t)(e - p)))
            return x * units[u].scale;
    return nan;
}

static int is_known(const u64 *table, u64 h) {
    for (int i = 0; i < KNOWN; i++) {
        u64 held = table[(h + (u64)i) % KNOWN];
        if (held == h || !held) return held == h;
    }
    return 0;
}

/* watch(buf, start, end, shape, plan, layout, slots, known, out, numbers) -> rows of out */
static PyObject *k_watch(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[10];
    static const int sizes[] = {0, 8, 8, 4, 0, 0, 0, 0, 0, 0};
    if (nargs != 10) return PyErr_Format(PyExc_TypeError, "watch takes 10 arguments");
    i64 n = PyObject_Length(args[1]);
    if (PyErr_Occurred() || take(args, 4, sizes, n, b) < 0) return NULL;
    static const int written[] = {-1, 0, -1, 0, -1, -1}; /* of length 0 at least: checked below */
    if (take(args + 4, 6, written, 0, b + 4) < 0) { release(b, 4); return NULL; }
    const u8 *base = b[0].buf;
    const i64 *start = b[1].buf, *end = b[2].buf;
    int32_t *plan = b[4].buf;
    const int32_t *layout = b[5].buf;
    Watch *slots = b[6].buf;
    const u64 *known = b[7].buf;
    i64 *out = b[8].buf, found = 0, plans = b[4].len / 4, steps = b[5].len / 4;
    double *numbers = b[9].buf;
    i64 held = b[6].len / (i64)sizeof(Watch), room = b[8].len / 48;
    if (held > b[7].len / (8 * KNOWN)) held = b[7].len / (8 * KNOWN);
    if (room > b[9].len / 8) room = b[9].len / 8;
    for (i64 i = 0; i < n; i++) {
        i64 code = ((const int32_t *)b[3].buf)[i];
        if (code < 0 || code >= plans || plan[code] == -1) continue;
        if (bad_range(start[i], end[i], b[0].len)) break;
        i64 step = plan[code];
        if (step < 0) {
            if (++plan[code] < -1) continue;
            if (found == room) { PyErr_SetString(PyExc_ValueError, "no room for what is found"); break; }
            memcpy(out + 6 * found, (i64[]){i, -1, start[i], end[i], 0, 0}, 48);
            numbers[found++] = 0;
            continue;
        }
        const u8 *p = base + start[i], *e = base + end[i];
        for (; step + 1 < steps && layout[step] >= 0 && layout[step] <= e - p; step += 2) {
            const u8 *from = p += layout[step];
            i64 s = layout[step + 1];
            if (s < 0 || s >= held) {
                while (p < e && CLASS[*p] != DELIM) p++;
                continue;
            }
            Watch *w = slots + s;
            int classes = 0;
            for (; p < e && FORMS[*p]; p++) classes |= FORMS[*p];
            i64 count = w->seen++, length = p - from;
            u64 h = w->mode & (ALL | VALUE) ? hash(from, length).h1 : 0;
            double x = w->mode & (ALL | NUMBER) ? number_of(from, p) : 0;
            if (!(w->mode & ALL || (w->mode & SAMPLE && w->stride > 0 && count % w->stride == 0) ||
                  (w->mode & NUMBER && !(x >= w->low && x <= w->high)) ||
                  (w->mode & VALUE && !is_known(known + s * KNOWN, h)) ||
                  (w->mode & FORM && (classes & ~w->classes || length < w->shortest || length > w->longest))))
                continue;
            if (found == room) { PyErr_SetString(PyExc_ValueError, "no room for what is found"); break; }
            memcpy(out + 6 * found, (i64[]){i, s, from - base, p - base, count, (i64)h}, 48);
            numbers[found++] = x;
        }
        if (PyErr_Occurred()) break;
    }
    release(b, 10);
    return PyErr_Occurred() ? NULL : PyLong_FromLongLong(found);
}

static inline i64 mask_tokens(const u8 *p, const u8 *e, u8 *out) {
    u8 *o = out;
    while (p < e) {
        u8 c = *p++;
        int seen = CLASS[c];
        u8 *from = o;
        *o++ = c;
        if (seen & DELIM) continue;
        for (; p < e; p++) {
            int now = CLASS[*p];
            if (now & DELIM) break;
            seen |= now;
            *o++ = *p;
        }
        if (is_variable(from, o - from, seen)) { *from = 0; o = from + 1; }
    }
    return o - out;
}

/* encode/intern(buf, start, end, codes, fresh) -> number of new codes */
static PyObject *code_lines(Table *t, PyObject *const *args, Py_ssize_t nargs, int masked) {
    Py_buffer b[5];
    static const int sizes[] = {0, 8, 8, -4, -8};
    if (nargs != 5) return PyErr_Format(PyExc_TypeError, "this takes 5 arguments");
    i64 n = PyObject_Length(args[1]), found = 0;
    if (PyErr_Occurred() || take(args, 5, sizes, n, b) < 0) return NULL;
    const u8 *base = b[0].buf;
    const i64 *start = b[1].buf, *end = b[2].buf;
    int32_t *codes = b[3].buf;
    for (i64 i = 0; i < n; i++) {
        const u8 *p = base + start[i];
        i64 length = end[i] - start[i];
        int fresh = 0;
        if (!masked && start[i] < 0) { codes[i] = -1; continue; }
        if (bad_range(start[i], end[i], b[0].len)) break;
        if (masked) {
            if (length > t->scratch_size) {
                if (grow((void **)&t->scratch, (size_t)length * 2) < 0) break;
                t->scratch_size = length * 2;
            }
            length = mask_tokens(p, p + length, t->scratch);
            p = t->scratch;
        }
        codes[i] = code_of(t, hash(p, length), &fresh);
        if (codes[i] < 0) break;
        if (fresh) ((i64 *)b[4].buf)[found++] = i;
    }
    release(b, 5);
    return PyErr_Occurred() ? NULL : PyLong_FromLongLong(found);
}

static PyObject *t_encode(Table *t, PyObject *const *args, Py_ssize_t nargs) { return code_lines(t, args, nargs, 1); }
static PyObject *t_intern(Table *t, PyObject *const *args, Py_ssize_t nargs) { return code_lines(t, args, nargs, 0); }

static int live_code(Table *t, int32_t c) {
    if (c >= 0 && c < t->span && t->live[c]) return 1;
    PyErr_Format(PyExc_KeyError, "no such code: %d", (int)c);
    return 0;
}

/* keys(codes, out) */
static PyObject *t_keys(Table *t, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[2];
    static const int sizes[] = {4, -16};
    if (nargs != 2) return PyErr_Format(PyExc_TypeError, "keys takes 2 arguments");
    i64 n = PyObject_Length(args[0]);
    if (PyErr_Occurred() || take(args, 2, sizes, n, b) < 0) return NULL;
    for (i64 i = 0; i < n; i++) {
        int32_t c = ((const int32_t *)b[0].buf)[i];
        if (!live_code(t, c)) break;
        ((Key *)b[1].buf)[i] = t->keys[c];
    }
    release(b, 2);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

/* evict(codes), which the caller has sorted */
static PyObject *t_evict(Table *t, PyObject *const *args, Py_ssize_t nargs) {
    Py_buffer b[1];
    static const int sizes[] = {4};
    if (nargs != 1) return PyErr_Format(PyExc_TypeError, "evict takes 1 argument");
    i64 n = PyObject_Length(args[0]);
    if (PyErr_Occurred() || take(args, 1, sizes, n, b) < 0) return NULL;
    for (i64 i = 0; i < n; i++) {
        int32_t c = ((const int32_t *)b[0].buf)[i];
        if (!live_code(t, c)) break;
        displace(t, c);
        t->live[c] = 0;
        t->held--;
        t->freed[t->n_freed++] = c;
    }
    release(b, 1);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *t_new(PyTypeObject *type, PyObject *args, PyObject *kw) {
    Table *t = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    unsigned long long salt;
    if (!t) return NULL;
    if (!PyArg_ParseTuple(args, "K", &salt)) { Py_DECREF(t); return NULL; }
    t->salt = salt;
    t->room = 1024;
    if (grow((void **)&t->keys, 1024 * sizeof(Key)) < 0 || grow((void **)&t->live, 1024) < 0 ||
        grow((void **)&t->freed, 1024 * sizeof(int32_t)) < 0 || rebuild(t, 4096) < 0) { Py_DECREF(t); return NULL; }
    return (PyObject *)t;
}

static void t_free(Table *t) {
    PyTypeObject *type = Py_TYPE(t);
    free(t->slots); free(t->keys); free(t->live); free(t->freed); free(t->scratch);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(t);
    Py_DECREF(type);
}

static Py_ssize_t t_len(Table *t) { return t->held; }
static PyObject *t_span(Table *t, void *closure) { return PyLong_FromLongLong(t->span); }

#define FAST(name, f) {name, (PyCFunction)(void (*)(void))(f), METH_FASTCALL, NULL}
static PyMethodDef table_methods[] = {FAST("encode", t_encode), FAST("intern", t_intern), FAST("keys", t_keys),
                                      FAST("evict", t_evict), {0}};
static PyGetSetDef table_getset[] = {{"span", (getter)t_span, NULL, NULL, NULL}, {0}};
static PyType_Slot table_slots[] = {{Py_tp_new, t_new}, {Py_tp_dealloc, t_free}, {Py_tp_methods, table_methods},
                                    {Py_tp_getset, table_getset}, {Py_sq_length, t_len}, {0, NULL}};
static PyType_Spec table_spec = {"logwright._kernel.Table", sizeof(Table), 0, Py_TPFLAGS_DEFAULT, table_slots};
static PyMethodDef functions[] = {FAST("lines", k_lines), FAST("headers", k_headers),
                                  FAST("token_spans", k_token_spans), FAST("watch", k_watch), {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    make_classes();
    PyObject *m = PyModule_Create(&module), *type = m ? PyType_FromSpec(&table_spec) : NULL;
    if (type && PyModule_AddObjectRef(m, "Table", type) == 0) { Py_DECREF(type); return m; }
    Py_XDECREF(type); Py_XDECREF(m);
    return NULL;
}

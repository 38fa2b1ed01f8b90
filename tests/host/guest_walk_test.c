/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/guest_walk.c: rows worked out by hand for each mode, then random tables against a second walk that
 * is written mode by mode, straight from the lists in SDM volume 3 ("Determination of Access Rights",
 * "Page-Fault Exceptions", and the tables of entry formats).
 */
#include "hv/core/guest_walk.h"

#include "arch/cpu/msr.h"
#include "tests/host/random.h"
#include "tests/host/test.h"

#define P  1UL
#define W  2UL
#define U  4UL
#define PS 0x80UL
#define XD BIT(63)

/* Guest memory: 64 pages from 0 on; what lies beyond cannot be read. */
enum { MEM_PAGES = 64 };
static uint64_t mem[MEM_PAGES][512];

static bool mem_read(void *ctx, uint64_t gpa, void *out, unsigned len)
{
    (void)ctx;
    if (gpa / PAGE_SIZE >= MEM_PAGES)
        return false;
    if (gpa % len != 0)
        abort();
    memcpy(out, (const char *)mem + gpa, len);
    return true;
}

static void put32(uint64_t gpa, uint64_t entry)
{
    uint32_t e = (uint32_t)entry;
    memcpy((char *)mem + gpa, &e, 4);
}

static void put64(uint64_t gpa, uint64_t entry)
{
    memcpy((char *)mem + gpa, &entry, 8);
}

/* ---- rows ---- */

enum { READ = GUEST_READ, WRITE = GUEST_WRITE, FETCH = GUEST_FETCH };
enum { OK = -1, UNREADABLE = -2 };

struct row {
    const char *name;
    uint64_t pde, pte; /* what the walk meets last; pte is ignored below a large page */
    int access;
    bool user;
    uint64_t set, clear; /* CR4 bits to change; bits WP, NXE, AC below */
    int want;            /* error code, or OK */
    uint64_t gpa;
};
/* Pseudo CR4 bits of the rows. */
#define R_NXE BIT(40)
#define R_AC  BIT(41)
#define R_WP  BIT(42)

static struct guest_walk base(const struct row *r)
{
    uint64_t bits = ((R_WP | CR4_PSE) & ~r->clear) | r->set;
    return (struct guest_walk){
        .cr0 = CR0_PE | CR0_PG | (bits & R_WP ? CR0_WP : 0),
        .cr3 = 0x1000,
        .cr4 = bits & MASK(31, 0),
        .efer = bits & R_NXE ? EFER_NXE : 0,
        .rflags = bits & R_AC ? RFLAGS_AC : 0,
        .user = r->user,
        .phys_bits = 46,
        .read = mem_read,
    };
}

static void check_row(const struct guest_walk *w, uint64_t linear, const struct row *r)
{
    struct guest_walk_result got = guest_walk(w, linear, (enum guest_access)r->access);
    test_row("%s", r->name);
    EXPECT_EQ(got.ok, r->want == OK);
    EXPECT_EQ(got.unreadable, r->want == UNREADABLE);
    if (r->want == OK)
        EXPECT_EQ(got.gpa, r->gpa);
    else if (r->want >= 0)
        EXPECT_EQ(got.error_code, r->want);
}

TEST(no_paging)
{
    struct guest_walk w = {.cr0 = CR0_PE, .read = mem_read, .phys_bits = 46};
    struct guest_walk_result r = guest_walk(&w, 0xdeadbeef, GUEST_WRITE);
    EXPECT_TRUE(r.ok);
    EXPECT_EQ(r.gpa, 0xdeadbeef);
    r = guest_walk(&w, 0x1234567890, GUEST_READ);
    EXPECT_EQ(r.gpa, 0x34567890);
}

TEST(mode_32bit)
{
    /* Linear 0x00c03456: directory entry 3, table entry 3. */
    static const struct row rows[] = {
        {"no directory entry", 0, 0, READ, false, 0, 0, 0, 0},
        {"no directory entry, user write", W | U, 0, WRITE, true, 0, 0, 6, 0},
        {"no table entry", 0x2007, W | U, READ, false, 0, 0, 0, 0},
        {"read", 0x2007, 0xabcde007, READ, true, 0, 0, OK, 0xabcde456},
        {"table not in memory", 0xf0000007, 0, READ, false, 0, 0, UNREADABLE, 0},
        {"user at a supervisor page", 0x2007, 0x5003, READ, true, 0, 0, 5, 0},
        {"user at a supervisor directory", 0x2003, 0x5007, READ, true, 0, 0, 5, 0},
        {"user write to read-only", 0x2007, 0x5005, WRITE, true, 0, 0, 7, 0},
        {"user write to a read-only directory", 0x2005, 0x5007, WRITE, true, 0, 0, 7, 0},
        {"user write without WP", 0x2007, 0x5005, WRITE, true, 0, R_WP, 7, 0},
        {"supervisor write, WP", 0x2007, 0x5001, WRITE, false, 0, 0, 3, 0},
        {"supervisor write, no WP", 0x2007, 0x5001, WRITE, false, 0, R_WP, OK, 0x5456},
        {"fetch faults without I/D", 0x2007, 0x5003, FETCH, true, R_NXE, 0, 5, 0},
        {"SMEP", 0x2007, 0x5007, FETCH, false, CR4_SMEP, 0, 0x11, 0},
        {"SMEP at a supervisor page", 0x2007, 0x5003, FETCH, false, CR4_SMEP, 0, OK, 0x5456},
        {"SMEP and a user fetch", 0x2007, 0x5007, FETCH, true, CR4_SMEP, 0, OK, 0x5456},
        {"I/D with SMEP, not present", 0x2007, 0, FETCH, true, CR4_SMEP, 0, 0x14, 0},
        {"SMAP read", 0x2007, 0x5007, READ, false, CR4_SMAP, 0, 1, 0},
        {"SMAP write", 0x2007, 0x5007, WRITE, false, CR4_SMAP, 0, 3, 0},
        {"SMAP with AC", 0x2007, 0x5007, WRITE, false, CR4_SMAP | R_AC, 0, OK, 0x5456},
        {"SMAP with AC, read-only", 0x2007, 0x5005, WRITE, false, CR4_SMAP | R_AC, 0, 3, 0},
        {"SMAP at a supervisor page", 0x2007, 0x5003, READ, false, CR4_SMAP, 0, OK, 0x5456},
        {"SMAP and a fetch", 0x2007, 0x5007, FETCH, false, CR4_SMAP, 0, OK, 0x5456},
        {"4 MiB page", 0xffc00087, 0, READ, false, 0, 0, OK, 0xffc03456},
        {"4 MiB page, PSE-36", 0x00401000 | 0x1fe087, 0, READ, false, 0, 0, OK, 0xff00403456},
        {"4 MiB page, PAT and G", 0x00401187, 0, READ, false, 0, 0, OK, 0x403456},
        {"4 MiB page, bit 21", 0x00600087, 0, READ, false, 0, 0, 9, 0},
        {"4 MiB page, bit 21, user write", 0x00600087, 0, WRITE, true, 0, 0, 0xf, 0},
        {"no PSE: a table", 0x2087, 0x5007, READ, false, 0, CR4_PSE, OK, 0x5456},
        {"PAT in a table entry", 0x2007, 0x5087, READ, false, 0, 0, OK, 0x5456},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(mem, 0, sizeof(mem));
        put32(0x1000 + 4 * 3, rows[i].pde);
        put32(0x2000 + 4 * 3, rows[i].pte);
        struct guest_walk w = base(&rows[i]);
        check_row(&w, 0xffffffff00c03456, &rows[i]);
    }
}

TEST(pse36_by_address_width)
{
    static const struct row fits = {"width 36", 0x1e087, 0, READ, false, 0, 0, OK, 0xf00003456},
                            not36 = {"width 36", 0x20087, 0, READ, false, 0, 0, 9, 0},
                            not32 = {"width 32", 0x2087, 0, READ, false, 0, 0, 9, 0};
    static const struct {
        const struct row *row;
        uint8_t width;
    } rows[] = {{&fits, 36}, {&not36, 36}, {&not32, 32}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(mem, 0, sizeof(mem));
        put32(0x1000, rows[i].row->pde);
        struct guest_walk w = base(rows[i].row);
        w.phys_bits = rows[i].width;
        check_row(&w, 0x3456, rows[i].row);
    }
}

TEST(mode_pae)
{
    /* Linear 0xc0603456: PDPTE 3, directory entry 3, table entry 3. */
    static const struct row rows[] = {
        {"read", 0x2007, 0x3ffffffff007, READ, true, 0, 0, OK, 0x3ffffffff456},
        {"2 MiB page", 0x3fffffe00087, 0, READ, true, 0, 0, OK, 0x3fffffe03456},
        {"2 MiB page, bit 13", 0x2087, 0, READ, true, 0, 0, 0xd, 0},
        {"2 MiB page, bit 20", 0x100087, 0, WRITE, false, 0, 0, 0xb, 0},
        {"2 MiB page, PAT", 0x1087, 0, READ, true, 0, 0, OK, 0x3456},
        {"2 MiB page, no PSE", 0x87, 0, READ, true, 0, CR4_PSE, OK, 0x3456},
        {"directory bit 46", 0x2007 | BIT(46), 0x5007, READ, false, 0, 0, 9, 0},
        {"table bit 46", 0x2007, 0x5007 | BIT(46), READ, false, 0, 0, 9, 0},
        {"table bit 62", 0x2007, 0x5007 | BIT(62), READ, false, 0, 0, 9, 0},
        {"XD without NXE", 0x2007, 0x5007 | XD, READ, false, 0, 0, 9, 0},
        {"XD without NXE, fetch", 0x2007, 0x5007 | XD, FETCH, true, 0, 0, 0xd, 0},
        {"XD, read", 0x2007, 0x5007 | XD, READ, false, R_NXE, 0, OK, 0x5456},
        {"XD, fetch", 0x2007, 0x5007 | XD, FETCH, true, R_NXE, 0, 0x15, 0},
        {"XD in the directory, fetch", 0x2007 | XD, 0x5007, FETCH, false, R_NXE, 0, 0x11, 0},
        {"not present, fetch, NXE", 0x2007, XD, FETCH, false, R_NXE, 0, 0x10, 0},
        {"not present, fetch, no NXE", 0x2007, 0, FETCH, false, 0, 0, 0, 0},
        {"reserved before the missing one", 0x2007 | BIT(50), 0, READ, false, 0, 0, 9, 0},
        {"keys do not count", 0x2007, 0x5007, READ, true, CR4_PKE, 0, OK, 0x5456},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const uint64_t pdpte[4] = {0, 0, 0, 0x4001};
        memset(mem, 0, sizeof(mem));
        put64(0x4000 + 8 * 3, rows[i].pde);
        put64(0x2000 + 8 * 3, rows[i].pte);
        struct guest_walk w = base(&rows[i]);
        w.cr4 |= CR4_PAE;
        w.pdpte = pdpte;
        w.pkru = UINT32_MAX;
        check_row(&w, 0xc0603456, &rows[i]);
        EXPECT_EQ(guest_walk(&w, 0x80603456, GUEST_WRITE).error_code, rows[i].user ? 6 : 2);
    }
}

TEST(mode_4level)
{
    /*
     * Linear 0xffffff8040603456: 511, 1, 3, 3. The entry under test stands in the row; above it all allow
     * all.
     */
    enum { TOP = 511, L3 = 1, L2 = 3, L1 = 3 };
#define K(n) ((uint64_t)(n) << 59)
    static const struct row rows[] = {
        {"read", 0x2007, 0x3ffffffff007, READ, true, 0, 0, OK, 0x3ffffffff456},
        {"ignored bits", 0x2007 | MASK(58, 52), 0x5007 | MASK(62, 52), READ, true, 0, 0, OK, 0x5456},
        {"bit 46", 0x2007, 0x5007 | BIT(46), READ, true, 0, 0, 0xd, 0},
        {"bit 51 of the directory", 0x2007 | BIT(51), 0x5007, READ, true, 0, 0, 0xd, 0},
        {"2 MiB page", 0xa00087, 0, READ, true, 0, 0, OK, 0xa03456},
        {"2 MiB page, bit 20", 0xb00087, 0, READ, true, 0, 0, 0xd, 0},
        {"XD, fetch", 0x2007, 0x5007 | XD, FETCH, false, R_NXE, 0, 0x11, 0},
        {"XD without NXE", 0x2007, 0x5007 | XD, READ, false, 0, 0, 9, 0},
        {"key, no access", 0x2007, 0x5007 | K(1), READ, true, CR4_PKE, 0, 0x25, 0},
        {"key, no access, supervisor", 0x2007, 0x5007 | K(1), READ, false, CR4_PKE, 0, 0x21, 0},
        {"key, supervisor page", 0x2007, 0x5003 | K(1), READ, false, CR4_PKE, 0, OK, 0x5456},
        {"key, fetch", 0x2007, 0x5007 | K(1), FETCH, true, CR4_PKE, 0, OK, 0x5456},
        {"key, no PKE", 0x2007, 0x5007 | K(1), READ, true, 0, 0, OK, 0x5456},
        {"key, read where no write", 0x2007, 0x5007 | K(15), READ, true, CR4_PKE, 0, OK, 0x5456},
        {"key, no write", 0x2007, 0x5007 | K(15), WRITE, true, CR4_PKE, 0, 0x27, 0},
        {"key, no write, supervisor", 0x2007, 0x5007 | K(15), WRITE, false, CR4_PKE, 0, 0x23, 0},
        {"key, no write, no WP", 0x2007, 0x5007 | K(15), WRITE, false, CR4_PKE, R_WP, OK, 0x5456},
        {"key and read-only", 0x2007, 0x5005 | K(15), WRITE, true, CR4_PKE, 0, 0x27, 0},
        {"another key", 0x2007, 0x5007 | K(2), WRITE, true, CR4_PKE, 0, OK, 0x5456},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(mem, 0, sizeof(mem));
        put64(0x1000 + 8 * TOP, 0x3007);
        put64(0x3000 + 8 * L3, 0x4007);
        put64(0x4000 + 8 * L2, rows[i].pde);
        put64(0x2000 + 8 * L1, rows[i].pte);
        struct guest_walk w = base(&rows[i]);
        w.cr3 |= 0xfff; /* PCID and flags */
        w.cr4 |= CR4_PAE;
        w.efer |= EFER_LMA;
        w.pkru = 1U << 2 | 2U << 30;
        check_row(&w, 0xffffff8040603456, &rows[i]);
    }
}

TEST(upper_levels_of_4level)
{
    struct row r = {"", 0, 0, READ, true, 0, 0, OK, 0};
    struct guest_walk w = base(&r);
    w.cr4 |= CR4_PAE;
    w.efer |= EFER_LMA;
    memset(mem, 0, sizeof(mem));
    put64(0x1000, 0x3007);
    put64(0x3000 + 8 * 2, 0x3fffc0001087); /* 1 GiB, PAT */
    struct guest_walk_result got = guest_walk(&w, 0xb2345678, GUEST_READ);
    EXPECT_TRUE(got.ok);
    EXPECT_EQ(got.gpa, 0x3ffff2345678);
    w.no_page_1g = true;
    EXPECT_EQ(guest_walk(&w, 0xb2345678, GUEST_READ).error_code, 0xd);
    w.no_page_1g = false;
    put64(0x3000 + 8 * 2, 0x3fffc0002087); /* bit 13 */
    EXPECT_EQ(guest_walk(&w, 0xb2345678, GUEST_READ).error_code, 0xd);
    put64(0x1000, 0x3087); /* PS in the root */
    EXPECT_EQ(guest_walk(&w, 0xb2345678, GUEST_READ).error_code, 0xd);
    put64(0x1000, 0x3003);
    put64(0x3000 + 8 * 2, 0x87);
    EXPECT_EQ(guest_walk(&w, 0xb2345678, GUEST_READ).error_code, 5);
}

/* ---- random tables against a second walk ---- */

struct facts {
    bool all_user, all_write, any_xd;
};

static uint64_t fetch_entry(uint64_t gpa, unsigned len, bool *readable)
{
    uint64_t e = 0;
    *readable = mem_read(NULL, gpa, &e, len);
    return e;
}

/* SDM: each bit of the error code has its own sentence. */
static struct guest_walk_result ref_fault(const struct guest_walk *w, enum guest_access a, bool present,
                                          bool reserved, bool key)
{
    uint32_t code = 0;
    if (present)
        code += 1;
    if (a == GUEST_WRITE)
        code += 2;
    if (w->user)
        code += 4;
    if (reserved)
        code += 8;
    bool pae_nxe = (w->cr4 & CR4_PAE) && (w->efer & EFER_NXE);
    if (a == GUEST_FETCH && (pae_nxe || (w->cr4 & CR4_SMEP)))
        code += 16;
    if (key)
        code += 32;
    return (struct guest_walk_result){.error_code = code};
}

static bool ref_allowed(const struct guest_walk *w, enum guest_access a, struct facts f)
{
    bool wp = w->cr0 & CR0_WP, ac = w->rflags & RFLAGS_AC;
    bool smap = w->cr4 & CR4_SMAP, smep = w->cr4 & CR4_SMEP;
    bool nxe = (w->cr4 & CR4_PAE) && (w->efer & EFER_NXE);
    if (!w->user && !f.all_user) { /* supervisor access, supervisor-mode address */
        if (a == GUEST_READ)
            return true;
        if (a == GUEST_WRITE)
            return !wp || f.all_write;
        return !nxe || !f.any_xd;
    }
    if (!w->user) { /* supervisor access, user-mode address */
        if (a == GUEST_READ)
            return !smap || ac;
        if (a == GUEST_WRITE)
            return (!smap || ac) && (!wp || f.all_write);
        return !smep && (!nxe || !f.any_xd);
    }
    if (!f.all_user)
        return false;
    if (a == GUEST_READ)
        return true;
    return a == GUEST_WRITE ? f.all_write : !nxe || !f.any_xd;
}

static struct guest_walk_result ref_end(const struct guest_walk *w, enum guest_access a, struct facts f,
                                        uint64_t leaf, uint64_t gpa)
{
    bool key = false;
    if ((w->efer & EFER_LMA) && (w->cr4 & CR4_PKE) && a != GUEST_FETCH && f.all_user) {
        unsigned k = leaf >> 59 & 15;
        bool ad = w->pkru >> (2 * k) & 1, wd = w->pkru >> (2 * k + 1) & 1;
        key = ad || (wd && a == GUEST_WRITE && (w->user || (w->cr0 & CR0_WP)));
    }
    if (key || !ref_allowed(w, a, f))
        return ref_fault(w, a, true, false, key);
    return (struct guest_walk_result){.ok = true, .gpa = gpa};
}

static struct guest_walk_result ref_32(const struct guest_walk *w, uint32_t lin, enum guest_access a)
{
    bool readable;
    uint64_t pde = fetch_entry((w->cr3 & 0xfffff000) + (lin >> 22) * 4, 4, &readable);
    if (!readable)
        return (struct guest_walk_result){.unreadable = true};
    if (!(pde & 1))
        return ref_fault(w, a, false, false, false);
    struct facts f = {pde & 4, pde & 2, false};
    if ((pde & 0x80) && (w->cr4 & CR4_PSE)) {
        uint64_t high = pde >> 13 & 0x1ff; /* bits 21:13: address bits 40:32, of which 40 is no address bit */
        if (high >> (w->phys_bits > 40 ? 8 : w->phys_bits - 32))
            return ref_fault(w, a, true, true, false);
        return ref_end(w, a, f, 0, high << 32 | (pde & 0xffc00000) | (lin & 0x3fffff));
    }
    uint64_t pte = fetch_entry((pde & 0xfffff000) + (lin >> 12 & 0x3ff) * 4, 4, &readable);
    if (!readable)
        return (struct guest_walk_result){.unreadable = true};
    if (!(pte & 1))
        return ref_fault(w, a, false, false, false);
    f.all_user &= (pte & 4) != 0;
    f.all_write &= (pte & 2) != 0;
    return ref_end(w, a, f, 0, (pte & 0xfffff000) | (lin & 0xfff));
}

/* Both modes with 64-bit entries, from a table whose entries cover 1 << shift bytes. */
static struct guest_walk_result ref_64(const struct guest_walk *w, uint64_t table, int shift, uint64_t lin,
                                       enum guest_access a)
{
    struct facts f = {true, true, false};
    bool lma = w->efer & EFER_LMA;
    for (; shift >= 12; shift -= 9) {
        bool readable, bad = false;
        uint64_t e = fetch_entry(table + (lin >> shift & 511) * 8, 8, &readable);
        if (!readable)
            return (struct guest_walk_result){.unreadable = true};
        if (!(e & 1))
            return ref_fault(w, a, false, false, false);
        bool page = shift == 12;
        if (shift > 12 && (e & 0x80)) {
            if (shift == 39 || (shift == 30 && w->no_page_1g))
                bad = true;
            page = true;
            for (int b = 13; b < shift; b++)
                bad |= e >> b & 1;
        }
        for (int b = w->phys_bits; b < (lma ? 52 : 63); b++)
            bad |= e >> b & 1;
        if (!(w->efer & EFER_NXE))
            bad |= e >> 63;
        if (bad)
            return ref_fault(w, a, true, true, false);
        f.all_user &= (e & 4) != 0;
        f.all_write &= (e & 2) != 0;
        f.any_xd |= e >> 63;
        if (page) {
            uint64_t offset = lin % (1UL << shift);
            return ref_end(w, a, f, e, ((e & 0xffffffffff000) >> shift << shift) + offset);
        }
        table = e & 0xffffffffff000;
    }
    abort();
}

static struct guest_walk_result reference(const struct guest_walk *w, uint64_t lin, enum guest_access a)
{
    if (!(w->cr0 & CR0_PG))
        return (struct guest_walk_result){.ok = true, .gpa = lin & 0xffffffff};
    if (w->efer & EFER_LMA)
        return ref_64(w, w->cr3 & 0xffffffffff000, 39, lin, a);
    lin &= 0xffffffff;
    if (!(w->cr4 & CR4_PAE))
        return ref_32(w, (uint32_t)lin, a);
    uint64_t pdpte = w->pdpte[lin >> 30];
    if (!(pdpte & 1))
        return ref_fault(w, a, false, false, false);
    return ref_64(w, pdpte & 0xffffffffff000, 21, lin, a);
}

/* Present and pointing into memory most of the time; each other bit set now and then. */
static uint64_t random_entry(struct random *r)
{
    uint64_t e = random_below(r, MEM_PAGES) << 12 | (random_next(r) >> 20 & 0x6);
    if (!random_one_in(r, 12))
        e |= P;
    if (!random_one_in(r, 3))
        e |= W | U;
    if (random_one_in(r, 5))
        e = (e & ~MASK(20, 13)) | PS;
    if (random_one_in(r, 6))
        e |= XD;
    if (random_one_in(r, 12))
        e |= BIT(random_below(r, 64));
    if (random_one_in(r, 4))
        e |= random_below(r, 16) << 59;
    return e;
}

static void random_memory(struct random *r)
{
    for (unsigned page = 0; page < MEM_PAGES; page++)
        for (unsigned i = 0; i < 512; i++) {
            uint64_t e = random_entry(r);
            mem[page][i] = random_one_in(r, 2) ? e : (e & MASK(31, 0)) | random_entry(r) << 32;
        }
}

static struct guest_walk random_state(struct random *r, uint64_t pdpte[4])
{
    static const uint8_t widths[] = {32, 36, 39, 46, 52};
    uint64_t bits = random_next(r);
    struct guest_walk w = {
        .cr0 = CR0_PE | (random_one_in(r, 20) ? 0 : CR0_PG) | (bits & CR0_WP),
        .cr3 = random_below(r, MEM_PAGES) << 12 | (bits & 0xfff),
        .cr4 = bits >> 8 & (CR4_PSE | CR4_PAE | CR4_SMEP | CR4_SMAP | CR4_PKE),
        .efer = random_one_in(r, 3) ? 0 : EFER_NXE,
        .rflags = bits >> 3 & RFLAGS_AC,
        .user = bits >> 40 & 1,
        .pdpte = pdpte,
        .pkru = (uint32_t)(random_next(r) & random_next(r) & random_next(r)),
        .phys_bits = widths[random_below(r, COUNT(widths))],
        .no_page_1g = random_one_in(r, 4),
        .read = mem_read,
    };
    if ((w.cr0 & CR0_PG) && random_one_in(r, 2)) {
        w.efer |= EFER_LMA;
        w.cr4 |= CR4_PAE;
    }
    for (unsigned i = 0; i < 4; i++)
        pdpte[i] = random_below(r, MEM_PAGES) << 12 | (random_one_in(r, 6) ? 0 : P);
    return w;
}

TEST(random_against_the_second_walk)
{
    struct random r = {2024};
    unsigned long ok = 0, faults = 0, reserved = 0, keys = 0, unreadable = 0;
    for (unsigned round = 0; round < 2000000 && test_state.failures == 0; round++) {
        uint64_t pdpte[4];
        if (round % 20000 == 0)
            random_memory(&r);
        struct guest_walk w = random_state(&r, pdpte);
        uint64_t linear = random_next(&r);
        enum guest_access access = (enum guest_access)random_below(&r, 3);
        struct guest_walk_result got = guest_walk(&w, linear, access);
        struct guest_walk_result want = reference(&w, linear, access);
        test_row("round %u", round);
        EXPECT_TRUE(got.ok == want.ok && got.unreadable == want.unreadable && got.gpa == want.gpa &&
                    got.error_code == want.error_code);
        ok += got.ok;
        unreadable += got.unreadable;
        faults += !got.ok && !got.unreadable;
        reserved += (got.error_code & PF_RSVD) != 0;
        keys += (got.error_code & PF_PK) != 0;
    }
    EXPECT_TRUE(ok > 100000 && faults > 100000 && reserved > 10000 && keys > 1000 && unreadable > 1000);
}

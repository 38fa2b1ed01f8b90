/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows for hv/core/insn_exec.c worked out from the manual: what insn_exec_test cannot ask the
 * processor, which is 16-bit and 32-bit mode, segment bases, INS and OUTS, and counts of zero.
 */
#include "hv/core/insn_exec.h"

#include <stdio.h>

#define RFLAGS_DF (1u << 10)

/*
 * Registers start as 0x1111111111111111 * number, segment bases
 * as 0x100000 * (number + 1), next RIP is 0x1000. One register may be set first. Address is of the
 * memory operand (of the destination for INS and STOS); `value` is the store or what is written
 * back when `mem` was read; `reg` must then hold `reg_after`.
 */
struct row {
    const char *name;
    const char *bytes;
    uint8_t len;
    enum insn_mode mode;
    uint8_t set_reg;
    uint64_t set_to;
    uint64_t address;
    uint64_t mem;
    uint64_t value;
    uint8_t reg;
    uint64_t reg_after;
};

static const struct row rows[] = {
    {"16: mov ax,[bx+si], offset wraps", "\x8b\x00", 2, INSN_MODE_16, 3, 0xfff0, 0x406656, 0xbeef, 0, 0,
     0xbeef},
    {"16: mov [bp+di-2],ax uses ss", "\x89\x43\xfe", 3, INSN_MODE_16, 0, 0xaabbccdd, 0x30cccA, 0, 0xccdd, 5,
     0x5555555555555555},
    {"16: mov [0x1234],ax", "\x89\x06\x34\x12", 4, INSN_MODE_16, 0, 7, 0x401234, 0, 7, 0, 7},
    {"16: mov es:[bp+0],al", "\x26\x88\x46\x00", 4, INSN_MODE_16, 0, 0x77, 0x105555, 0, 0x77, 0, 0x77},
    {"16: mov eax,[eax+ecx*4] by 66 67", "\x66\x67\x8b\x04\x88", 5, INSN_MODE_16, 0, 0x10, 0x44844454,
     0x89abcdef, 0, 0, 0x89abcdef},
    {"16: mov ax,[moffs16]", "\xa1\xf0\xff", 3, INSN_MODE_16, 0, 0x12345678, 0x40fff0, 0xcafe, 0, 0,
     0x1234cafe},
    {"16: bt [bx],ax goes back", "\x0f\xa3\x07", 3, INSN_MODE_16, 0, 0xffff, 0x403331, 0x8000, 0x8000, 0,
     0xffff},
    {"16: bts [bx],ax, offset is 16 bits wide", "\x0f\xab\x07", 3, INSN_MODE_16, 0, 0x7fff, 0x404331, 0,
     0x8000, 0, 0x7fff},
    {"16: movnti [bx],eax is four bytes", "\x0f\xc3\x07", 3, INSN_MODE_16, 0, 0x89abcdef, 0x403333, 0,
     0x89abcdef, 0, 0x89abcdef},
    {"32: mov eax,[ebp+8] uses ss", "\x8b\x45\x08", 3, INSN_MODE_32, 0, 0, 0x5585555d, 0xffffffff, 0, 0,
     0xffffffff},
    {"32: linear address wraps at 4 GiB", "\x8b\x00", 2, INSN_MODE_32, 0, 0xfff00000, 0x300000, 5, 0, 0, 5},
    {"32: mov [disp32],ax is absolute", "\x66\x89\x05\x00\x00\x10\x00", 7, INSN_MODE_32, 0, 0x9abcdef0,
     0x500000, 0, 0xdef0, 0, 0x9abcdef0},
    {"32: add byte [bx+di],0x80 by 67 82", "\x67\x82\x01\x80", 4, INSN_MODE_32, 3, 1, 0x407778, 0x81, 0x01, 3,
     1},
    {"32: gs override", "\x65\x89\x08", 3, INSN_MODE_32, 0, 4, 0x600004, 0, 0x11111111, 0, 4},
    {"32: xchg ah,[ecx]", "\x86\x21", 2, INSN_MODE_32, 0, 0xab00, 0x11511111, 0x5c, 0xab, 0, 0x5c00},
    {"32: cmpxchg [ecx],dl fails", "\x0f\xb0\x11", 3, INSN_MODE_32, 0, 0x1ff, 0x11511111, 0x10, 0x10, 0,
     0x110},
    {"64: mov eax,[rip+0x10]", "\x8b\x05\x10\x00\x00\x00", 6, INSN_MODE_64, 0, ~0ull, 0x1010, 1, 0, 0, 1},
    {"64: mov eax,[eip-0x2000] truncates", "\x67\x8b\x05\x00\xe0\xff\xff", 7, INSN_MODE_64, 0, 0, 0xfffff000,
     1, 0, 0, 1},
    {"64: ds base is not used, fs base is", "\x3e\x64\x8b\x00", 4, INSN_MODE_64, 0, 1, 0x500001, 2, 0, 0, 2},
    {"64: movsx r8,byte [rax]", "\x4c\x0f\xbe\x00", 4, INSN_MODE_64, 0, 3, 3, 0x80, 0, 8, 0xffffffffffffff80},
};

static bool row_holds(const struct row *row)
{
    uint64_t gpr[16];
    uint64_t seg_base[INSN_SEG_COUNT];
    uint64_t rflags = 0;
    uint64_t value = 0;
    struct insn insn;

    for (unsigned i = 0; i < 16; i++)
        gpr[i] = 0x1111111111111111ull * i;
    for (unsigned i = 0; i < INSN_SEG_COUNT; i++)
        seg_base[i] = 0x100000ull * (i + 1);
    gpr[row->set_reg] = row->set_to;
    if (insn_decode((const uint8_t *)row->bytes, row->len, row->mode, &insn) != INSN_OK ||
        insn.len != row->len || insn_exec_address(&insn, gpr, seg_base, 0x1000) != row->address) {
        return false;
    }
    if (insn.is_read) {
        value = insn_exec_read(&insn, row->mem, gpr, &rflags);
    } else {
        value = insn_exec_store(&insn, gpr);
    }
    return (insn.is_write || insn.op == INSN_BT ? value == row->value : true) &&
           gpr[row->reg] == row->reg_after;
}

/* String rows: registers and bases as above, but rcx, rsi and rdi given. One step. */
struct string_row {
    const char *name;
    const char *bytes;
    uint8_t len;
    enum insn_mode mode;
    uint64_t rflags;
    uint64_t rcx, rsi, rdi;
    uint64_t src, dst; /* zero: not accessed; both: the count was zero */
    uint64_t src_value, dst_value;
    uint64_t rcx_after, rsi_after, rdi_after;
    bool more;
};

static const struct string_row string_rows[] = {
    {"16: rep movsw wraps si and di", "\xf3\xa5", 2, INSN_MODE_16, 0, 0x10002, 0x4fffe, 0x5fffe, 0x40fffe,
     0x10fffe, 1, 0, 0x10001, 0x40000, 0x50000, true},
    {"16: rep outsb from fs", "\x64\xf3\x6e", 3, INSN_MODE_16, 0, 1, 0x10, 0x20, 0x500010, 0, 1, 0, 0, 0x11,
     0x20, false},
    {"16: insd by 66", "\x66\x6d", 2, INSN_MODE_16, 0, 9, 0x10, 0xfffe, 0, 0x10fffe, 0, 0, 9, 0x10, 2, false},
    {"32: rep insb, backwards", "\xf3\x6c", 2, INSN_MODE_32, RFLAGS_DF, 2, 0x10, 0, 0, 0x100000, 0, 0, 1,
     0x10, 0xffffffff, true},
    {"32: repne rep insw is rep", "\xf2\x66\x6d", 3, INSN_MODE_32, 0, 2, 0x10, 0x20, 0, 0x100020, 0, 0, 1,
     0x10, 0x22, true},
    {"32: outsd, seg override last one counts", "\x65\x36\x6f", 3, INSN_MODE_32, 0, 0, 0x30, 0x20, 0x300030,
     0, 0, 0, 0, 0x34, 0x20, false},
    {"32: rep stosb in 16-bit addresses", "\x67\xf3\xaa", 3, INSN_MODE_32, 0, 0x10001, 1, 0x3ffff, 0,
     0x10ffff, 0, 0, 0x10000, 1, 0x30000, false},
    {"32: repe cmpsb stops at a difference", "\xf3\xa6", 2, INSN_MODE_32, 0, 5, 0x10, 0x20, 0x400010,
     0x100020, 1, 2, 4, 0x11, 0x21, false},
    {"32: repne cmpsb goes on", "\xf2\xa6", 2, INSN_MODE_32, 0, 5, 0x10, 0x20, 0x400010, 0x100020, 1, 2, 4,
     0x11, 0x21, true},
    {"64: rep insd with REX.W is four bytes", "\xf3\x48\x6d", 3, INSN_MODE_64, 0, 3, 1, 0x10, 0, 0x10, 0, 0,
     2, 1, 0x14, true},
    {"16: rep stosb, cx is zero", "\xf3\xaa", 2, INSN_MODE_16, 0, 0x10000, 1, 2, 0, 0, 0, 0, 0, 0, 0, false},
    {"64: rep movsb, ecx is zero", "\x67\xf3\xa4", 3, INSN_MODE_64, 0, 0x100000000, 1, 2, 0, 0, 0, 0, 0, 0, 0,
     false},
    {"64: outsb from gs", "\x65\x6e", 2, INSN_MODE_64, 0, 3, 0x10, 0x20, 0x600010, 0, 0, 0, 3, 0x11, 0x20,
     false},
};

static bool string_row_holds(const struct string_row *row)
{
    uint64_t gpr[16] = {0};
    uint64_t seg_base[INSN_SEG_COUNT];
    uint64_t rflags = row->rflags;
    struct insn insn;

    for (unsigned i = 0; i < INSN_SEG_COUNT; i++)
        seg_base[i] = 0x100000ull * (i + 1);
    gpr[1] = row->rcx;
    gpr[6] = row->rsi;
    gpr[7] = row->rdi;
    if (insn_decode((const uint8_t *)row->bytes, row->len, row->mode, &insn) != INSN_OK)
        return false;
    const struct insn_step step = insn_exec_step(&insn, gpr, seg_base);
    if (step.done != (row->src == 0 && row->dst == 0) || step.read_src != (row->src != 0) ||
        (step.read_dst || step.write_dst) != (row->dst != 0) || (row->src != 0 && step.src != row->src) ||
        (row->dst != 0 && step.dst != row->dst)) {
        return false;
    }
    if (step.done)
        return true;
    const bool more = insn_exec_step_end(&insn, row->src_value, row->dst_value, gpr, &rflags);
    return more == row->more && gpr[1] == row->rcx_after && gpr[6] == row->rsi_after &&
           gpr[7] == row->rdi_after;
}

static unsigned fixed_rows(void)
{
    unsigned failures = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!row_holds(&rows[i])) {
            printf("row does not hold: %s\n", rows[i].name);
            failures++;
        }
    }
    for (size_t i = 0; i < sizeof string_rows / sizeof *string_rows; i++) {
        if (!string_row_holds(&string_rows[i])) {
            printf("row does not hold: %s\n", string_rows[i].name);
            failures++;
        }
    }
    return failures;
}

int main(void)
{
    const unsigned failures = fixed_rows();
    const size_t total = sizeof rows / sizeof *rows + sizeof string_rows / sizeof *string_rows;

    printf("%s insn_rows_test: %zu rows, %u failures\n", failures == 0 ? "PASS" : "FAIL", total, failures);
    printf("%zu passed, %u failed\n", total - failures, failures);
    return failures != 0;
}

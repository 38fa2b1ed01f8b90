/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment checks of INS and OUTS outside of 64-bit mode: SDM volume 3, "Limit Checking", "Type Checking". The
 * hypervisor makes them, since the exit comes first.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/ports/ports.h"

#define DATA_4K     0x0000930000000fffUL /* limit 0xfff */
#define READ_ONLY   0x0000910000000fffUL
#define EXPAND_DOWN 0x0040970000000fffUL /* from 0x1000 up, 32-bit */

#define CODE(name) extern const uint8_t name[]
CODE(limit_insl_in);
CODE(limit_insl_over);
CODE(limit_insb_last);
CODE(limit_insb_over);
CODE(limit_insw_wrap);
CODE(limit_outs_gs_in);
CODE(limit_outs_gs_over);
CODE(limit_outs_ss_over);
CODE(limit_outs_null);
CODE(limit_ins_cs);

extern uint32_t ports_selector;
uint32_t ports_selector;
static uint8_t memory[8192] __attribute__((aligned(4096)));

static const struct {
    const char *name;
    const uint8_t *code;
    uint64_t segment;
    unsigned vector;
} rows[] = {
    {"INSD at the end of a segment", limit_insl_in, DATA_4K, TRAP_END},
    {"INSD over the end", limit_insl_over, DATA_4K, V_GP},
    {"INSB of the last byte", limit_insb_last, DATA_4K, TRAP_END},
    {"INSB behind the last byte", limit_insb_over, DATA_4K, V_GP},
    {"INSW around the end of 4 GiB", limit_insw_wrap, DATA_4K, V_GP},
    {"INSD, read-only", limit_insl_in, READ_ONLY, V_GP},
    {"INSD below an expand-down segment", limit_insl_in, EXPAND_DOWN, V_GP},
    {"INSB in an expand-down segment", limit_insb_over, EXPAND_DOWN, TRAP_END},
    {"OUTSD from GS", limit_outs_gs_in, DATA_4K, TRAP_END},
    {"OUTSD from GS, read-only", limit_outs_gs_in, READ_ONLY, TRAP_END},
    {"OUTSD from GS over the end", limit_outs_gs_over, DATA_4K, V_GP},
    {"OUTSD from SS over the end", limit_outs_ss_over, DATA_4K, V_SS},
    {"OUTSB from a null segment", limit_outs_null, DATA_4K, V_GP},
    {"OUTSB from CS", limit_ins_cs, DATA_4K, TRAP_END},
};

void ports_limits(void)
{
    uint64_t base = (uint64_t)(uintptr_t)memory;
    ports_selector = SEL_FREE;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gdt_free[0] = rows[i].segment | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
        trap_run(rows[i].code, SEL_CODE32);
        report(trap.vector == rows[i].vector && trap.error == 0, "%s: vector %lu instead of %u, error %#lx",
               rows[i].name, trap.vector, rows[i].vector, trap.error);
    }
}

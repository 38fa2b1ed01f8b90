/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Meaning of a decoded instruction: addresses, the value of a store, the end of a read. Pure: the
 * caller does the memory and port accesses.
 *
 * Order for all but string instructions: insn_exec_address(); then for a plain store (is_write
 * without is_read) insn_exec_store(), otherwise read insn->opsize bytes and call insn_exec_read().
 * Order for string instructions, per iteration: insn_exec_step(); the accesses it asks for;
 * insn_exec_step_end(). The caller moves RIP over the instruction when there is nothing more to do.
 *
 * gpr[] is in hardware numbering (rax, rcx, rdx, rbx, rsp, ...), seg_base[] in that of enum
 * insn_seg; bases that 64-bit mode does not use are not looked at. Values are zero-extended to 64
 * bits; bits above the operand are ignored on input. RFLAGS: CF PF AF ZF SF OF exactly as defined;
 * undefined ones are cleared (AF of logical operations) or kept (all but CF of bit tests), as
 * processors do.
 *
 * Intel SDM volume 1, 3.7.5 "Specifying an Offset"; volume 2, the instructions' own pages. No lock.
 */
#ifndef HV_CORE_INSN_EXEC_H
#define HV_CORE_INSN_EXEC_H

#include "hv/core/insn_decode.h"

/* Linear address of the memory operand; next_rip is used by RIP-relative forms only. */
uint64_t insn_exec_address(const struct insn *insn, const uint64_t gpr[16],
                           const uint64_t seg_base[INSN_SEG_COUNT], uint64_t next_rip);

/* What an instruction that writes memory without reading it writes there. */
uint64_t insn_exec_store(const struct insn *insn, const uint64_t gpr[16]);

/* Completes an instruction that read `mem`. Where insn->is_write, the value to write back is
 * returned. */
uint64_t insn_exec_read(const struct insn *insn, uint64_t mem, uint64_t gpr[16], uint64_t *rflags);

/* One iteration of a string instruction; each access is insn->opsize bytes at a linear address. */
struct insn_step {
    bool done;      /* REP with a count of zero: nothing is accessed, the instruction has ended */
    bool read_src;  /* MOVS CMPS LODS OUTS */
    bool read_dst;  /* CMPS SCAS */
    bool write_dst; /* MOVS STOS INS: value read from src, `value`, value read from the port */
    uint64_t src;
    uint64_t dst;
    uint64_t value;
};

struct insn_step insn_exec_step(const struct insn *insn, const uint64_t gpr[16],
                                const uint64_t seg_base[INSN_SEG_COUNT]);

/*
 * Takes what was read (zero where nothing was), moves the pointers and counts. Returns whether
 * another iteration follows; if so RIP stays, and events may be taken in between.
 */
bool insn_exec_step_end(const struct insn *insn, uint64_t src_value, uint64_t dst_value, uint64_t gpr[16],
                        uint64_t *rflags);

#endif

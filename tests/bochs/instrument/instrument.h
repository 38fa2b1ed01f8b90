/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting module for the Bochs variant "bench": which of the emulator's callbacks it takes.
 *
 * The full set of hooks is declared by the emulator's own stub module; every hook that we do not
 * count is emptied here, because a call per memory access or branch would make the emulator several
 * times slower.
 */
#ifndef SBX_INSTRUMENT_H
#define SBX_INSTRUMENT_H

#include "instrument/stubs/instrument.h"

#undef BX_INSTR_EXIT
#define BX_INSTR_EXIT(cpu)
#undef BX_INSTR_RESET
#define BX_INSTR_RESET(cpu, type)
#undef BX_INSTR_HLT
#define BX_INSTR_HLT(cpu)
#undef BX_INSTR_MWAIT
#define BX_INSTR_MWAIT(cpu, addr, len, flags)
#undef BX_INSTR_CNEAR_BRANCH_TAKEN
#define BX_INSTR_CNEAR_BRANCH_TAKEN(cpu, from, to)
#undef BX_INSTR_CNEAR_BRANCH_NOT_TAKEN
#define BX_INSTR_CNEAR_BRANCH_NOT_TAKEN(cpu, from)
#undef BX_INSTR_UCNEAR_BRANCH
#define BX_INSTR_UCNEAR_BRANCH(cpu, what, from, to)
#undef BX_INSTR_FAR_BRANCH
#define BX_INSTR_FAR_BRANCH(cpu, what, from_cs, from, to_cs, to)
#undef BX_INSTR_OPCODE
#define BX_INSTR_OPCODE(cpu, i, opcode, len, is32, is64)
#undef BX_INSTR_EXCEPTION
#define BX_INSTR_EXCEPTION(cpu, vector, error)
#undef BX_INSTR_INTERRUPT
#define BX_INSTR_INTERRUPT(cpu, vector)
#undef BX_INSTR_HWINTERRUPT
#define BX_INSTR_HWINTERRUPT(cpu, vector, cs, ip)
#undef BX_INSTR_CLFLUSH
#define BX_INSTR_CLFLUSH(cpu, laddr, paddr)
#undef BX_INSTR_CACHE_CNTRL
#define BX_INSTR_CACHE_CNTRL(cpu, what)
#undef BX_INSTR_TLB_CNTRL
#define BX_INSTR_TLB_CNTRL(cpu, what, cr3)
#undef BX_INSTR_AFTER_EXECUTION
#define BX_INSTR_AFTER_EXECUTION(cpu, i)
#undef BX_INSTR_REPEAT_ITERATION
#define BX_INSTR_REPEAT_ITERATION(cpu, i)
#undef BX_INSTR_LIN_ACCESS
#define BX_INSTR_LIN_ACCESS(cpu, lin, phy, len, memtype, rw)
#undef BX_INSTR_PHY_ACCESS
#define BX_INSTR_PHY_ACCESS(cpu, phy, len, memtype, rw)
#undef BX_INSTR_INP
#define BX_INSTR_INP(addr, len)
#undef BX_INSTR_INP2
#define BX_INSTR_INP2(addr, len, value)
#undef BX_INSTR_OUTP
#define BX_INSTR_OUTP(addr, len, value)
#undef BX_INSTR_WRMSR
#define BX_INSTR_WRMSR(cpu, addr, value)

#endif

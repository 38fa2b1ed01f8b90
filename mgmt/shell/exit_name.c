/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_name: see exit_name.h. */
#include "mgmt/shell/exit_name.h"

#include <stddef.h>

static const char *const names[] = {
    [0] = "exception_nmi", [1] = "interrupt",  [2] = "triple_fault",   [3] = "init",
    [4] = "sipi",          [7] = "irq_window", [8] = "nmi_window",     [9] = "task_switch",
    [10] = "cpuid",        [11] = "getsec",    [12] = "hlt",           [13] = "invd",
    [14] = "invlpg",       [15] = "rdpmc",     [16] = "rdtsc",         [18] = "vmcall",
    [19] = "vmclear",      [20] = "vmlaunch",  [21] = "vmptrld",       [22] = "vmptrst",
    [23] = "vmread",       [24] = "vmresume",  [25] = "vmwrite",       [26] = "vmxoff",
    [27] = "vmxon",        [28] = "cr_access", [29] = "mov_dr",        [30] = "io",
    [31] = "rdmsr",        [32] = "wrmsr",     [36] = "mwait",         [39] = "monitor",
    [40] = "pause",        [43] = "tpr",       [44] = "apic_access",   [45] = "eoi",
    [46] = "gdtr_idtr",    [47] = "ldtr_tr",   [48] = "ept_violation", [49] = "ept_misconfig",
    [50] = "invept",       [51] = "rdtscp",    [52] = "preemption",    [53] = "invvpid",
    [54] = "wbinvd",       [55] = "xsetbv",    [56] = "apic_write",    [57] = "rdrand",
    [58] = "invpcid",      [59] = "vmfunc",    [60] = "encls",         [61] = "rdseed",
    [63] = "xsaves",       [64] = "xrstors",   [67] = "umwait",        [68] = "tpause",
};

const char *exit_name(uint32_t reason)
{
    return reason < sizeof(names) / sizeof(names[0]) && names[reason] ? names[reason] : "?";
}

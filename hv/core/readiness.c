/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX readiness. Every CPU looks at its own MSRs and keeps the result; the boot CPU prints all
 * results in one go, so that lines of several CPUs do not mix and equal CPUs are said once.
 */
#include "hv/core/readiness.h"

#include <string.h>

#include "arch/vmx/vmx.h"
#include "hv/core/log.h"
#include "hv/core/page.h"

static struct vmx_caps common; /* written by readiness_report, constant afterwards */

static const char *const word_name[VMX_WORD_COUNT] = {"pin-based control",
                                                      "primary processor-based control",
                                                      "secondary processor-based control",
                                                      "tertiary processor-based control",
                                                      "VM-exit control",
                                                      "VM-entry control",
                                                      "EPT/VPID capability"};

static bool lacks_required(const struct vmx_caps *caps)
{
    const struct vmx_feature *row;
    unsigned count = vmx_caps_table(&row);
    for (unsigned i = 0; i < count; i++)
        if (row[i].required && !vmx_caps_has(caps, row[i].word, row[i].bit))
            return true;
    return false;
}

void readiness_check_self(struct pcpu *p)
{
    p->vmx_presence = vmx_caps_presence();
    if (p->vmx_presence != VMX_PRESENT)
        return;
    vmx_caps_read(&p->caps);
    if (vmx_caps_fault(&p->caps) || lacks_required(&p->caps))
        return;
    p->vmxon_region = page_alloc();
    if (p->vmxon_region)
        p->vmx_active = vmx_on(&p->caps, p->vmxon_region, page_pa(p->vmxon_region));
}

/* The reasons why one CPU cannot run guests, a line each. */
static void report_missing(const struct pcpu *p)
{
    uint32_t cpu = p->arch.index;
    if (p->vmx_presence == VMX_ABSENT) {
        log_error("CPU %u: no VT-x: CPUID.1:ECX.VMX is 0. Use an Intel processor with VT-x; in a virtual "
                  "machine, let its host pass VMX on (QEMU with KVM: -cpu host,+vmx).",
                  cpu);
        return;
    }
    if (p->vmx_presence == VMX_LOCKED_OFF) {
        log_error("CPU %u: VT-x is locked off by the firmware. Enable \"Intel Virtualization "
                  "Technology\" "
                  "(VT-x, VMX) in the firmware set-up, then power the machine off and on.",
                  cpu);
        return;
    }
    const char *fault = vmx_caps_fault(&p->caps);
    if (fault)
        log_error("CPU %u: missing: %s.", cpu, fault);
    const struct vmx_feature *row;
    unsigned count = vmx_caps_table(&row);
    for (unsigned i = 0; i < count; i++)
        if (row[i].required && !vmx_caps_has(&p->caps, row[i].word, row[i].bit))
            log_error("CPU %u: missing: %s \"%s\" (%s).", cpu, word_name[row[i].word], row[i].name,
                      row[i].why);
    if (!fault && !lacks_required(&p->caps))
        log_error("CPU %u: VMXON failed%s.", cpu, p->vmxon_region ? "" : ": no memory left (hvmem=)");
}

static void report_optional(const struct vmx_caps *caps)
{
    const struct vmx_feature *row;
    unsigned count = vmx_caps_table(&row), required = 0;
    for (unsigned i = 0; i < count; i++)
        required += row[i].required;
    log_info("VMX: all %u required features present; optional ones:", required);
    for (unsigned i = 0; i < count; i++) {
        if (row[i].required)
            continue;
        if (vmx_caps_has(caps, row[i].word, row[i].bit))
            log_info("  present: %s", row[i].name);
        else
            log_info("  absent:  %s (%s)", row[i].name, row[i].why);
    }
}

bool readiness_report(void)
{
    const struct pcpu *first = pcpu_table[0];
    uint32_t unable = 0;
    common = first->caps;
    for (uint32_t i = 0; i < pcpu_count; i++) {
        const struct pcpu *p = pcpu_table[i];
        if (!p->vmx_active) {
            report_missing(p);
            unable++;
        } else if (first->vmx_active && memcmp(&p->caps, &first->caps, sizeof(p->caps)) != 0) {
            log_warning("CPU %u: its VMX capabilities differ from those of CPU 0; only what both have "
                        "is used.",
                        i);
            if (!vmx_caps_merge(&common, &p->caps)) {
                log_error("CPU %u: its VMCS format differs from that of CPU 0.", i);
                unable++;
            }
        }
    }
    if (unable) {
        log_error("%u of %u CPUs cannot run guests.", unable, pcpu_count);
        return false;
    }
    report_optional(&common);
    return true;
}

const struct vmx_caps *readiness_caps(void)
{
    return &common;
}

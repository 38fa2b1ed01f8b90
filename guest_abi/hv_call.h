/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall instruction as C functions, for guests. The hypervisor itself does not use it.
 *
 * hv_call0 to hv_call6 make any call by its number; the typed ones below them take the arguments of
 * hv_abi.h in their order, structures by guest-physical address. Results are those of the call:
 * zero or positive, or a negative HV_E*. All registers but RAX are kept by the hypervisor; the
 * memory clobber is there because the hypervisor reads and writes the caller's structures.
 * 64-bit mode, CPL 0.
 */
#pragma once

#include <stdint.h>

#include "guest_abi/hv_abi.h"

static inline int64_t hv_call6(enum hv_call number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                               uint64_t e, uint64_t f)
{
    uint64_t rax = (uint64_t)HV_CALL_MAGIC << 32 | (uint32_t)number;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("vmcall"
                     : "+a"(rax)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "memory", "cc");
    return (int64_t)rax;
}

static inline int64_t hv_call5(enum hv_call number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                               uint64_t e)
{
    return hv_call6(number, a, b, c, d, e, 0);
}

static inline int64_t hv_call4(enum hv_call number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return hv_call6(number, a, b, c, d, 0, 0);
}

static inline int64_t hv_call3(enum hv_call number, uint64_t a, uint64_t b, uint64_t c)
{
    return hv_call6(number, a, b, c, 0, 0, 0);
}

static inline int64_t hv_call2(enum hv_call number, uint64_t a, uint64_t b)
{
    return hv_call6(number, a, b, 0, 0, 0, 0);
}

static inline int64_t hv_call1(enum hv_call number, uint64_t a)
{
    return hv_call6(number, a, 0, 0, 0, 0, 0);
}

static inline int64_t hv_call0(enum hv_call number)
{
    return hv_call6(number, 0, 0, 0, 0, 0, 0);
}

/* ---- everybody */

static inline int64_t hv_version(void)
{
    return hv_call0(HV_CALL_VERSION);
}

static inline int64_t hv_capability(enum hv_capability which)
{
    return hv_call1(HV_CALL_CAPABILITY, (uint64_t)which);
}

static inline int64_t hv_notify_page(gpa_t page, uint8_t vector)
{
    return hv_call2(HV_CALL_NOTIFY_PAGE, page, vector);
}

static inline int64_t hv_notify_wait(uint64_t tsc_deadline)
{
    return hv_call1(HV_CALL_NOTIFY_WAIT, tsc_deadline);
}

/* ---- HV_MAY_SYSTEM */

static inline int64_t hv_system_info(gpa_t out)
{
    return hv_call1(HV_CALL_SYSTEM_INFO, out);
}

static inline int64_t hv_module_info(uint32_t index, gpa_t out)
{
    return hv_call2(HV_CALL_MODULE_INFO, index, out);
}

static inline int64_t hv_log_read(gpa_t inout)
{
    return hv_call1(HV_CALL_LOG_READ, inout);
}

static inline int64_t hv_console_write(gpa_t text, uint64_t length)
{
    return hv_call2(HV_CALL_CONSOLE_WRITE, text, length);
}

static inline int64_t hv_console_read(gpa_t buffer, uint64_t length)
{
    return hv_call2(HV_CALL_CONSOLE_READ, buffer, length);
}

static inline int64_t hv_shutdown(enum hv_shutdown how)
{
    return hv_call1(HV_CALL_SHUTDOWN, (uint64_t)how);
}

static inline int64_t hv_cpu_info(uint32_t cpu, gpa_t out)
{
    return hv_call2(HV_CALL_CPU_INFO, cpu, out);
}

/* ---- HV_MAY_DOMAINS: domains */

static inline int64_t hv_domain_create(gpa_t in)
{
    return hv_call1(HV_CALL_DOMAIN_CREATE, in);
}

static inline int64_t hv_domain_destroy(uint32_t domain)
{
    return hv_call1(HV_CALL_DOMAIN_DESTROY, domain);
}

static inline int64_t hv_domain_pause(uint32_t domain)
{
    return hv_call1(HV_CALL_DOMAIN_PAUSE, domain);
}

static inline int64_t hv_domain_resume(uint32_t domain)
{
    return hv_call1(HV_CALL_DOMAIN_RESUME, domain);
}

static inline int64_t hv_domain_info(uint32_t domain, gpa_t out)
{
    return hv_call2(HV_CALL_DOMAIN_INFO, domain, out);
}

static inline int64_t hv_domain_list(uint32_t first, gpa_t out, uint32_t count)
{
    return hv_call3(HV_CALL_DOMAIN_LIST, first, out, count);
}

static inline int64_t hv_domain_claim(uint32_t domain, gpa_t in)
{
    return hv_call2(HV_CALL_DOMAIN_CLAIM, domain, in);
}

static inline int64_t hv_domain_unclaim(uint32_t domain, gpa_t in)
{
    return hv_call2(HV_CALL_DOMAIN_UNCLAIM, domain, in);
}

/* ---- HV_MAY_DOMAINS: vCPUs */

static inline int64_t hv_vcpu_create(uint32_t domain, uint32_t vcpu, gpa_t service_page)
{
    return hv_call3(HV_CALL_VCPU_CREATE, domain, vcpu, service_page);
}

static inline int64_t hv_vcpu_start(uint32_t domain, uint32_t vcpu)
{
    return hv_call2(HV_CALL_VCPU_START, domain, vcpu);
}

static inline int64_t hv_vcpu_stop(uint32_t domain, uint32_t vcpu)
{
    return hv_call2(HV_CALL_VCPU_STOP, domain, vcpu);
}

/* kind: enum hv_state_kind */
static inline int64_t hv_vcpu_get(uint32_t domain, uint32_t vcpu, uint32_t kind, gpa_t out, uint64_t size)
{
    return hv_call5(HV_CALL_VCPU_GET, domain, vcpu, kind, out, size);
}

static inline int64_t hv_vcpu_set(uint32_t domain, uint32_t vcpu, uint32_t kind, gpa_t in, uint64_t size)
{
    return hv_call5(HV_CALL_VCPU_SET, domain, vcpu, kind, in, size);
}

static inline int64_t hv_vcpu_affinity(uint32_t domain, uint32_t vcpu, uint64_t cpus)
{
    return hv_call3(HV_CALL_VCPU_AFFINITY, domain, vcpu, cpus);
}

static inline int64_t hv_vcpu_priority(uint32_t domain, uint32_t vcpu, uint32_t priority, uint64_t slice_us)
{
    return hv_call4(HV_CALL_VCPU_PRIORITY, domain, vcpu, priority, slice_us);
}

/* kind: enum hv_inject */
static inline int64_t hv_vcpu_inject(uint32_t domain, uint32_t vcpu, uint32_t kind, uint32_t vector,
                                     uint32_t error_code)
{
    return hv_call5(HV_CALL_VCPU_INJECT, domain, vcpu, kind, vector, error_code);
}

static inline int64_t hv_vcpu_kick(uint32_t domain, uint32_t vcpu)
{
    return hv_call2(HV_CALL_VCPU_KICK, domain, vcpu);
}

static inline int64_t hv_vcpu_info(uint32_t domain, uint32_t vcpu, gpa_t out)
{
    return hv_call3(HV_CALL_VCPU_INFO, domain, vcpu, out);
}

static inline int64_t hv_vcpu_complete(uint32_t domain, uint32_t vcpu)
{
    return hv_call2(HV_CALL_VCPU_COMPLETE, domain, vcpu);
}

static inline int64_t hv_vcpu_apic(uint32_t domain, uint32_t vcpu, gpa_t out)
{
    return hv_call3(HV_CALL_VCPU_APIC, domain, vcpu, out);
}

/* ---- HV_MAY_DOMAINS: memory */

static inline int64_t hv_mem_donate(uint32_t domain, gpa_t in)
{
    return hv_call2(HV_CALL_MEM_DONATE, domain, in);
}

static inline int64_t hv_mem_share(uint32_t domain, gpa_t in)
{
    return hv_call2(HV_CALL_MEM_SHARE, domain, in);
}

static inline int64_t hv_mem_unmap(uint32_t domain, gpa_t gpa, uint64_t pages)
{
    return hv_call3(HV_CALL_MEM_UNMAP, domain, gpa, pages);
}

static inline int64_t hv_mem_query(uint32_t domain, gpa_t inout)
{
    return hv_call2(HV_CALL_MEM_QUERY, domain, inout);
}

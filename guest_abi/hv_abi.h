/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall interface of Signalbox: entry, errors, call numbers, and what all calls share.
 * guest_abi/README.md is the reference, with every call, who may make it, and every error.
 *
 * A call is VMCALL from 64-bit mode at CPL 0: RAX = HV_CALL_MAGIC << 32 | number, arguments in RDI,
 * RSI, RDX, R10, R8, R9, result in RAX: zero or positive on success, a negative HV_E* otherwise.
 * All other registers are kept. From another mode, or with another upper half, VMCALL is #UD unless
 * a personality of the domain takes it; from CPL 1 to 3 the result is -HV_EPERM.
 *
 * Structures are named by guest-physical address, lie inside one 4 KiB page, are 8-byte aligned and
 * begin with their own size in bytes, which must be exact. Reserved fields and undefined flag bits
 * must be zero, else -HV_EINVAL. They are read once, before anything is checked.
 */
#pragma once

#include <stdint.h>

#define HV_ABI_VERSION 2U

#define HV_CALL_MAGIC 0x53425831U /* "SBX1" */

/* CPUID leaf 0x40000000: EAX = highest leaf, EBX:ECX:EDX = this signature; leaf 0x40000001: EAX =
 * HV_ABI_VERSION. */
#define HV_CPUID_BASE      0x40000000U
#define HV_CPUID_SIGNATURE "SignalboxVMM"

typedef uint64_t gpa_t; /* a guest-physical address, in bytes */

/* Errors: the numbers of errno.h on Linux. */
enum hv_error {
    HV_EPERM = 1,   /* the caller lacks the right, or is not at CPL 0 */
    HV_ENOENT = 2,  /* no such object: module, page, claim */
    HV_ESRCH = 3,   /* no such domain or vCPU, or it is being destroyed */
    HV_ENXIO = 6,   /* nobody takes the interrupt: masked, or no route */
    HV_E2BIG = 7,   /* a count above the documented limit */
    HV_EAGAIN = 11, /* could not be done now; make the call again */
    HV_ENOMEM = 12, /* the pool or the domain's limit is used up; nothing was changed */
    HV_EFAULT = 14, /* not the caller's memory, or across a page */
    HV_EBUSY = 16,  /* the object is in use: pinned, shared, running */
    HV_EEXIST = 17, /* it is there already */
    HV_ENODEV = 19, /* the machine or this build lacks the feature */
    HV_EINVAL = 22, /* an argument, size, flag or reserved field has no meaning */
    HV_ENOSPC = 28, /* a fixed table is full */
    HV_ENOSYS = 38, /* no such call */
    HV_ETIME = 62,  /* the deadline passed first */
};

enum hv_call {
    /* Everybody. */
    HV_CALL_VERSION = 0x00,    /* () -> HV_ABI_VERSION */
    HV_CALL_CAPABILITY = 0x01, /* (enum hv_capability) -> value, 0 when unknown or absent */

    /* HV_MAY_SYSTEM. */
    HV_CALL_SYSTEM_INFO = 0x08,   /* (struct hv_system_info *out) */
    HV_CALL_MODULE_INFO = 0x09,   /* (index, struct hv_module_info *out) */
    HV_CALL_LOG_READ = 0x0a,      /* (struct hv_log_read *inout) -> bytes copied */
    HV_CALL_CONSOLE_WRITE = 0x0b, /* (gpa, length) -> bytes taken */
    HV_CALL_CONSOLE_READ = 0x0c,  /* (gpa, length) -> bytes copied */
    HV_CALL_SHUTDOWN = 0x0d,      /* (enum hv_shutdown) does not return */
    HV_CALL_CPU_INFO = 0x0e,      /* (cpu, struct hv_cpu_info *out) */

    /* HV_MAY_DOMAINS, on any domain but the caller; INFO and LIST on all. */
    HV_CALL_DOMAIN_CREATE = 0x10,  /* (struct hv_domain_create *in) -> domain */
    HV_CALL_DOMAIN_DESTROY = 0x11, /* (domain) */
    HV_CALL_DOMAIN_PAUSE = 0x12,   /* (domain) counted; returns when no vCPU of it runs */
    HV_CALL_DOMAIN_RESUME = 0x13,  /* (domain) */
    HV_CALL_DOMAIN_INFO = 0x14,    /* (domain, struct hv_domain_info *out) */
    HV_CALL_DOMAIN_LIST = 0x15,    /* (first domain, uint32_t *out, count <= 1024) -> how many */
    HV_CALL_DOMAIN_CLAIM = 0x16,   /* (domain, struct hv_claim *in) accesses there come to the manager */
    HV_CALL_DOMAIN_UNCLAIM = 0x17, /* (domain, struct hv_claim *in) */

    /* HV_MAY_DOMAINS, on vCPUs of any domain but the caller. */
    HV_CALL_VCPU_CREATE = 0x20,   /* (domain, vcpu, service page gpa) */
    HV_CALL_VCPU_START = 0x21,    /* (domain, vcpu) from stopped to running */
    HV_CALL_VCPU_STOP = 0x22,     /* (domain, vcpu) returns when it does not run */
    HV_CALL_VCPU_GET = 0x23,      /* (domain, vcpu, enum hv_state_kind, gpa, size) */
    HV_CALL_VCPU_SET = 0x24,      /* (domain, vcpu, enum hv_state_kind, gpa, size) */
    HV_CALL_VCPU_AFFINITY = 0x25, /* (domain, vcpu, mask of CPUs 0 to 63) */
    HV_CALL_VCPU_PRIORITY = 0x26, /* (domain, vcpu, 0 to 255, slice in microseconds or 0 for the default) */
    HV_CALL_VCPU_INJECT = 0x27,   /* (domain, vcpu, enum hv_inject, vector, error code) */
    HV_CALL_VCPU_KICK = 0x28,     /* (domain, vcpu) leave the guest, report HV_EXIT_KICK */
    HV_CALL_VCPU_INFO = 0x29,     /* (domain, vcpu, struct hv_vcpu_info *out) */
    HV_CALL_VCPU_COMPLETE = 0x2a, /* (domain, vcpu) the service page is answered; go on */
    HV_CALL_VCPU_APIC = 0x2b,     /* (domain, vcpu, struct hv_vcpu_apic *out) */

    /* HV_MAY_DOMAINS; memory moves between the caller and a domain. */
    HV_CALL_MEM_DONATE = 0x30, /* (domain, struct hv_mem *in) -> pages done; domain 0 only */
    HV_CALL_MEM_SHARE = 0x31,  /* (domain, struct hv_mem *in) -> pages done */
    HV_CALL_MEM_UNMAP =
        0x32, /* (domain, gpa, pages) -> pages done; donated pages are cleared and come back */
    HV_CALL_MEM_QUERY = 0x33, /* (domain, struct hv_mem_query *inout) */

    /* Every domain, for itself. */
    HV_CALL_NOTIFY_PAGE = 0x38, /* (gpa or HV_NO_PAGE, vector or 0) registers this vCPU's notification page */
    HV_CALL_NOTIFY_WAIT = 0x39, /* (absolute TSC deadline, 0: none) sleeps until a notification is pending */

    /*
     * HV_MAY_DOMAINS, on any domain but the caller; the calls on a notifier are its owner's, SIGNAL and READ
     * also of those who may signal it. Structures: hv_route.h, irqchip.h.
     */
    HV_CALL_IRQ_LINE = 0x3a,   /* (domain, gsi, enum hv_line) -> vCPUs that newly have it, 0: coalesced */
    HV_CALL_SIGNAL_MSI = 0x3b, /* (domain, address, data) -> the same */
    HV_CALL_NOTIFIER_SIGNAL = 0x3c, /* (notifier) -> the same */
    HV_CALL_NOTIFIER_READ = 0x3d,   /* (notifier) -> signals since the last READ */
    HV_CALL_ROUTE_MSI = 0x3e,       /* (domain, gsi, address, data) ROUTE_SET of one message */

    HV_CALL_IRQCHIP_CONFIG = 0x40, /* (domain, struct hv_irqchip_config *in) before its first vCPU */
    HV_CALL_IRQCHIP_GET = 0x41,    /* (domain, enum hv_irqchip_state, gpa, size) */
    HV_CALL_IRQCHIP_SET = 0x42,    /* (domain, enum hv_irqchip_state, gpa, size) */
    HV_CALL_EOI_VECTORS = 0x43, /* (domain, vectors 63:0, 127:64, 191:128, 255:192) whose EOI is a service */

    HV_CALL_ROUTE_SET = 0x48,     /* (domain, struct hv_routes *in, size) the route of one GSI */
    HV_CALL_ROUTE_REPLACE = 0x49, /* (domain, struct hv_routes *in, size, HV_REPLACE_*) the whole table */
    HV_CALL_ROUTE_GET = 0x4a,     /* (domain, struct hv_routes *inout, size) -> routes, of whole GSIs */
    HV_CALL_ROUTE_LOOKUP = 0x4b,  /* (domain, struct hv_route_lookup *inout) -> 0 found, 1: go on */
    HV_CALL_ROUTE_STATS = 0x4c,   /* (domain, struct hv_route_stats *inout) */
    HV_CALL_ROUTE_LATENCY = 0x4d, /* (domain, struct hv_route_latency *inout) */

    HV_CALL_NOTIFIER_CREATE = 0x50, /* (struct hv_notifier *in) -> notifier */
    HV_CALL_NOTIFIER_CLOSE = 0x51,  /* (notifier) returns when it fires no more */
    HV_CALL_NOTIFIER_BIND = 0x52,   /* (notifier, struct hv_notifier *in) from and to HV_NOTIFIER_COUNT */
    HV_CALL_NOTIFIER_GRANT = 0x53,  /* (notifier, domain, 1 or 0) who else may signal it */
    HV_CALL_NOTIFIER_INFO = 0x54,   /* (notifier, struct hv_notifier_info *out) */
    HV_CALL_NOTIFIER_LIST = 0x55,   /* (after: notifier or 0, uint64_t *out, count <= 512) -> how many */

    HV_CALL_DOORBELL_ADD = 0x58,    /* (domain, struct hv_doorbell *in) */
    HV_CALL_DOORBELL_REMOVE = 0x59, /* (domain, struct hv_doorbell *in) returns when it rings no more */

    /* HV_MAY_DOMAINS, on a line of the machine that the caller owns: hv_pirq.h. */
    HV_CALL_PIRQ_BIND = 0x60,   /* (gsi, struct hv_pirq *in) -> gsi */
    HV_CALL_PIRQ_UNBIND = 0x61, /* (gsi) returns when it fires no more */
    HV_CALL_PIRQ_ACK = 0x62,    /* (gsi) -> 1: the level may come again, 0: it was not waiting */
    HV_CALL_PIRQ_GIVE = 0x63,   /* (gsi, domain) to another owner, unbound */
    HV_CALL_PIRQ_INFO = 0x64,   /* (gsi, struct hv_pirq_info *out) */

    /* HV_MAY_SYSTEM: hv_trace.h. */
    HV_CALL_TRACE_CONTROL = 0x70, /* (enum hv_trace_op, pages, mask of CPUs, mask of kinds) domain 0 only */
    HV_CALL_TRACE_READ = 0x71,    /* (struct hv_trace_read *inout) -> records copied */

    HV_CALL_COUNT = 0x80, /* numbers from here on are -HV_ENOSYS */
};

/* What a domain may do: hv_domain_create.may; a domain can only pass on what it has. */
#define HV_MAY_SYSTEM  (1ULL << 0)
#define HV_MAY_DOMAINS (1ULL << 1)
#define HV_MAY_ALL     (HV_MAY_SYSTEM | HV_MAY_DOMAINS)

enum hv_capability {
    HV_CAP_MAX_DOMAINS = 0,
    HV_CAP_MAX_VCPUS = 1, /* of one domain */
    HV_CAP_CPUS = 2,
    HV_CAP_TSC_KHZ = 3,
    HV_CAP_TSC_SCALING = 4,
    HV_CAP_LAPIC = 5,        /* 0: domains have no local APIC yet */
    HV_CAP_ROUTES = 6,       /* GSIs that a domain can have; 0: no routing interface yet */
    HV_CAP_HYPERV = 7,       /* 0: no Hyper-V personality yet */
    HV_CAP_XEN = 8,          /* 0: no Xen personality yet */
    HV_CAP_IRQCHIP = 9,      /* bit per HV_DOMAIN_IRQCHIP_* */
    HV_CAP_ROUTE_KINDS = 10, /* bit per enum hv_route_kind */
    HV_CAP_NOTIFIERS = 11,   /* of one owner */
    HV_CAP_RESAMPLE = 12,    /* GSIs of one domain with resample notifiers */
    HV_CAP_DOORBELLS = 13,   /* of one domain */
    HV_CAP_SIGNAL_MSI = 14,
    HV_CAP_DEVICE_IRQ = 15,  /* version of the list HV_IRQ_*; 0: nothing is published */
    HV_CAP_EOI_VECTORS = 16, /* 1: HV_CALL_EOI_VECTORS */
    HV_CAP_PIRQS = 17,       /* GSIs of the machine are below this; 0: it has no I/O APIC */
    HV_CAP_TRACE = 18,       /* version of the records of hv_trace.h; 0: none */
};

#define HV_NO_PAGE UINT64_MAX

/* Domain 0 is the management domain that the hypervisor starts. */
#define HV_DOMAIN_SELF 0xffffffffU

enum hv_shutdown {
    HV_SHUTDOWN_POWEROFF = 0,
    HV_SHUTDOWN_REBOOT = 1,
    HV_SHUTDOWN_FAILED =
        2, /* as POWEROFF, with the verdict "failed" where the machine's exit can carry one */
    HV_SHUTDOWN_RESTART = 3, /* domain 0 starts again from its boot module; other domains go on */
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port accesses that the I/O bitmap does not let through: claimed ports go to the manager, the others are an
 * empty bus. String forms are emulated one element at a time (emulate.c). SDM volume 3, "I/O Instructions"
 * exit qualification.
 */
#include "hv/core/claims.h"
#include "hv/core/service.h"
#include "hv/exit/emulate.h"
#include "hv/exit/exit.h"
#include "hv/irqchip/irqchip.h"
#include "hv/route/doorbell.h"

/*
 * IN writes AL, AX or EAX; a 32-bit write clears the upper half. SDM volume 1, "General-Purpose Registers in
 * 64-Bit Mode".
 */
static void set_result(struct vcpu *v, uint8_t width, uint64_t data)
{
    uint64_t mask = width == 4 ? ~0UL : BIT(8 * width) - 1;
    uint64_t value = width == 4 ? (uint32_t)data : data & mask;
    v->vmx.gprs.rax = (v->vmx.gprs.rax & ~mask) | value;
}

bool exit_io_device(struct vcpu *v, uint16_t port, uint8_t width, bool write, uint64_t *data)
{
    struct domain *d = v->domain;
    return (write && doorbell_hit(d, HV_CLAIM_PIO, port, width, *data)) ||
           (d->chips && irqchip_pio(d, port, width, write, data));
}

/* No doorbell. Returns hv_fast_io's answer, so that it needs no frame. */
static __attribute__((noinline)) int32_t ordinary(struct vcpu *v, uint64_t q)
{
    struct domain *d = v->domain;
    uint16_t port = (uint16_t)(q >> 16);
    uint8_t width = (uint8_t)((q & 7) + 1);
    bool in = q & VM_EXIT_IO_IN;
    uint64_t data = in ? ~0UL : v->vmx.gprs.rax;
    if (!(d->chips && irqchip_pio(d, port, width, !in, &data)) &&
        claims_has(d->claims, HV_CLAIM_PIO, port, width)) {
        v->emulation.count = 0; /* the answer is for this access, not for an emulated instruction */
        service_pio(v, port, width, !in, in ? 0 : data & (BIT(8 * width) - 1));
    } else {
        if (in)
            set_result(v, width, data);
        vm_exit_advance();
    }
    return (int32_t)atomic_load_relaxed(&v->requests);
}

static inline int32_t single(struct vcpu *v, uint64_t q)
{
    const struct doorbell *b = NULL;
    if (!(q & VM_EXIT_IO_IN))
        b = doorbell_begin(v->domain, HV_CLAIM_PIO, q >> 16, (uint32_t)(q & 7) + 1, v->vmx.gprs.rax);
    if (!b)
        return ordinary(v, q);
    vm_exit_advance();
    doorbell_end(b);
    return (int32_t)atomic_load_relaxed(&v->requests);
}

void exit_io(struct vcpu *v)
{
    uint64_t q = vm_exit_io_word();
    if (q & VM_EXIT_IO_STRING)
        emulate_string_io(v, (uint16_t)(q >> 16));
    else
        (void)single(v, q);
}

/* The short way (vmentry.S), for all but string forms. */
int32_t hv_fast_io(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    uint64_t q = vm_exit_io_word();
    if (q & VM_EXIT_IO_STRING)
        return VMX_FAST_NOT;
    percpu_count_exit();
    v->exits[EXIT_IO]++;
    return single(v, q);
}

void exit_io_answer(struct vcpu *v)
{
    uint64_t data = atomic_load_relaxed(&v->service->pio.data);
    if (v->emulation.count) {
        emulate_answer(v, data);
        return;
    }
    uint64_t q =
        vm_exit_io_word(); /* still the exit that was serviced: the vCPU has not been entered since */
    if (q & VM_EXIT_IO_IN)
        set_result(v, (uint8_t)((q & 7) + 1), data);
    vm_exit_advance();
}

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
    if (write && d->routing && doorbell_hit(d, HV_CLAIM_PIO, port, width, *data))
        return true;
    return d->chips && irqchip_pio(d, port, width, write, data);
}

void exit_io(struct vcpu *v)
{
    struct vm_exit_io io = vm_exit_io();
    uint64_t data = v->vmx.gprs.rax;
    if (io.string) {
        emulate_string_io(v, io.port);
        return;
    }
    if (exit_io_device(v, io.port, io.width, !io.in, &data)) {
        if (io.in)
            set_result(v, io.width, data);
        vm_exit_advance();
        return;
    }
    if (claims_has(v->domain->claims, HV_CLAIM_PIO, io.port, io.width)) {
        v->emulation.insn.op = INSN_NONE; /* the answer is for this access, not for an emulated instruction */
        service_pio(v, io.port, io.width, !io.in, io.in ? 0 : v->vmx.gprs.rax & (BIT(8 * io.width) - 1));
        return;
    }
    if (io.in)
        set_result(v, io.width, ~0UL);
    vm_exit_advance();
}

/* The short way (vmentry.S): a doorbell; everything else is declined. */
int32_t hv_fast_io(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    const struct routing *r = v->domain->routing;
    const struct doorbells *all = r ? atomic_load_acquire(&r->doorbells) : NULL;
    if (!all)
        return VMX_FAST_NOT;
    uint64_t q = vm_exit_io_word();
    if ((q & (VM_EXIT_IO_IN | VM_EXIT_IO_STRING)) ||
        !doorbell_ring(all, HV_CLAIM_PIO, q >> 16, (uint32_t)(q & 7) + 1, c->gprs.rax))
        return VMX_FAST_NOT;
    percpu_count_exit();
    v->exits[EXIT_IO]++;
    vm_exit_advance();
    return (int32_t)atomic_load_relaxed(&v->requests);
}

void exit_io_answer(struct vcpu *v)
{
    uint64_t data = atomic_load_relaxed(&v->service->pio.data);
    if (v->emulation.insn.op != INSN_NONE) {
        emulate_answer(v, data);
        return;
    }
    struct vm_exit_io io =
        vm_exit_io(); /* still the exit that was serviced: the vCPU has not been entered since */
    if (io.in)
        set_result(v, io.width, data);
    vm_exit_advance();
}

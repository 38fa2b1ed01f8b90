/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCALL with garbage: guest_abi/hv_abi.h says what each number and each mode gets. The domain has no HV_MAY
 * bits, so a number is either for everybody, or -HV_EPERM, or -HV_ENOSYS; another upper half is #UD. No call
 * may change a register but RAX.
 */
#include "guest_abi/hv_abi.h"
#include "tests/guest/insns/insns.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

enum { NUMBERS = 0x200, WILD = 400 };
#define DIRTY(n) (0xfeedface00000000UL | (n) << 8 | 0x5aUL)

struct regs {
    uint64_t rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};
enum { REGS = sizeof(struct regs) / 8 };

/*
 * RDI: RAX of the call, RSI: registers in, RDX: out. INT 0x40 style is not wanted here: it is an ordinary
 * call.
 */
__asm__("\n\
vmcall_with:\n\
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\
	push %rdx\n\
	mov %rdi, %rax\n\
	mov %rsi, %r15\n\
	mov 0(%r15), %rbx; mov 8(%r15), %rcx; mov 16(%r15), %rdx; mov 24(%r15), %rsi; mov 32(%r15), %rdi\n\
	mov 40(%r15), %rbp; mov 48(%r15), %r8; mov 56(%r15), %r9; mov 64(%r15), %r10; mov 72(%r15), %r11\n\
	mov 80(%r15), %r12; mov 88(%r15), %r13; mov 96(%r15), %r14; mov 104(%r15), %r15\n\
	.globl vmcall_at\n\
vmcall_at: vmcall\n\
	.globl vmcall_behind\n\
vmcall_behind: push %rax; mov 8(%rsp), %rax\n\
	mov %rbx, 0(%rax); mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rsi, 24(%rax); mov %rdi, 32(%rax)\n\
	mov %rbp, 40(%rax); mov %r8, 48(%rax); mov %r9, 56(%rax); mov %r10, 64(%rax); mov %r11, 72(%rax)\n\
	mov %r12, 80(%rax); mov %r13, 88(%rax); mov %r14, 96(%rax); mov %r15, 104(%rax)\n\
	pop %rax; pop %rdx\n\
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\
	ret\n");
uint64_t vmcall_with(uint64_t rax, const struct regs *in, struct regs *out);
extern const uint8_t vmcall_at[], vmcall_behind[];

__asm__("vmcall_user: vmcall\n int $0x40\n vmcall_user32: .code32\n vmcall\n int $0x40\n .code64\n");
extern const uint8_t vmcall_user[], vmcall_user32[];

/* One call; false: #UD. */
static bool call(uint64_t rax, int64_t *result, unsigned *changed)
{
    struct regs in, out;
    for (uint64_t i = 0; i < REGS; i++)
        ((uint64_t *)&in)[i] = DIRTY(i);
    trap_clear();
    trap_resume = (uint64_t)(uintptr_t)vmcall_behind;
    *result = (int64_t)vmcall_with(rax, &in, &out);
    trap_resume = 0;
    *changed = 0;
    for (unsigned i = 0; i < REGS; i++)
        *changed |= (unsigned)(((uint64_t *)&in)[i] != ((uint64_t *)&out)[i]) << i;
    return trap.vector == TRAP_NONE;
}

/* What a domain without rights gets for dirty arguments. */
static int64_t expected(uint64_t number)
{
    switch (number) {
    case HV_CALL_VERSION:
        return HV_ABI_VERSION;
    case HV_CALL_CAPABILITY:
        return 0; /* an unknown one */
    case HV_CALL_NOTIFY_PAGE:
        return -HV_EINVAL; /* the page is not aligned */
    case HV_CALL_NOTIFY_WAIT:
        return -HV_EINVAL; /* no page has been registered */
    case HV_CALL_NOTIFIER_SIGNAL:
    case HV_CALL_NOTIFIER_READ:
        return -HV_ENOENT; /* no notifier that it may use */
    default:
        break;
    }
    bool system = (number >= HV_CALL_SYSTEM_INFO && number <= HV_CALL_CPU_INFO) ||
                  number == HV_CALL_TRACE_CONTROL || number == HV_CALL_TRACE_READ;
    bool domains = number >= HV_CALL_DOMAIN_CREATE && number <= HV_CALL_DOMAIN_UNCLAIM;
    bool vcpus = number >= HV_CALL_VCPU_CREATE && number <= HV_CALL_VCPU_APIC;
    bool memory = number >= HV_CALL_MEM_DONATE && number <= HV_CALL_MEM_QUERY;
    bool chips = number >= HV_CALL_IRQCHIP_CONFIG && number <= HV_CALL_EOI_VECTORS;
    bool routes = (number >= HV_CALL_ROUTE_SET && number <= HV_CALL_ROUTE_LATENCY) ||
                  number == HV_CALL_IRQ_LINE || number == HV_CALL_SIGNAL_MSI || number == HV_CALL_ROUTE_MSI;
    bool notifiers = number >= HV_CALL_NOTIFIER_CREATE && number <= HV_CALL_NOTIFIER_LIST;
    bool doorbells = number >= HV_CALL_DOORBELL_ADD && number <= HV_CALL_DOORBELL_REMOVE;
    bool lines = number >= HV_CALL_PIRQ_BIND && number <= HV_CALL_PIRQ_INFO;
    bool managers =
        system || domains || vcpus || memory || chips || routes || notifiers || doorbells || lines;
    return managers ? -HV_EPERM : -HV_ENOSYS;
}

static void numbers(void)
{
    for (uint64_t n = 0; n < NUMBERS; n++) {
        int64_t result;
        unsigned changed;
        bool done = call((uint64_t)HV_CALL_MAGIC << 32 | n, &result, &changed);
        report(done && result == expected(n), "call %#lx with garbage: %ld instead of %ld, vector %lu", n,
               result, expected(n), trap.vector);
        report(!changed, "call %#lx changes registers, mask %#x", n, changed);
    }
}

static void wild(void)
{
    uint64_t x = 88172645463325252UL;
    for (unsigned i = 0; i < WILD; i++) {
        int64_t result;
        unsigned changed;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint64_t rax = i < 64 ? ((uint64_t)HV_CALL_MAGIC << 32) ^ 1UL << i : x;
        bool ours = rax >> 32 == HV_CALL_MAGIC;
        bool done = call(rax, &result, &changed);
        if (ours)
            report(done && result == expected((uint32_t)rax), "call %#lx: %ld", rax, result);
        else
            report(!done && trap.vector == V_UD && trap.rip == (uint64_t)(uintptr_t)vmcall_at &&
                       (uint64_t)result == rax,
                   "VMCALL with RAX %#lx: vector %lu, RAX behind it %#lx", rax, trap.vector,
                   (uint64_t)result);
        report(!changed, "VMCALL with RAX %#lx changes registers, mask %#x", rax, changed);
    }
}

static void modes(void)
{
    for (uint64_t n = 0; n < HV_CALL_COUNT; n += 9) {
        uint64_t rax = (uint64_t)HV_CALL_MAGIC << 32 | n;
        trap_clear();
        trap_user_enter((uint64_t)(uintptr_t)vmcall_user, (uint64_t)(uintptr_t)stack_top, SEL_USER_CODE64,
                        SEL_USER_DATA, 2, rax);
        report(trap.vector == TRAP_END && trap.regs.rax == (uint64_t)-HV_EPERM,
               "call %#lx at CPL 3: %ld, vector %lu", n, (int64_t)trap.regs.rax, trap.vector);
    }
    trap_user(vmcall_user32, SEL_USER_CODE32, 0);
    report(trap.vector == V_UD, "VMCALL in compatibility mode at CPL 3: vector %lu", trap.vector);
    trap_run(vmcall_user32, SEL_CODE32);
    report(trap.vector == V_UD, "VMCALL in compatibility mode at CPL 0: vector %lu", trap.vector);
}

void insns_vmcall(void)
{
    numbers();
    wild();
    modes();
}

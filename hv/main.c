/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start-up order, readable as a list.
 *
 *   boot_main         on the boot stack and the loader's world (identity map of the first 4 GiB):
 *                     IDT, boot information, command line, console, memory, our own page tables
 *   start_machine     on CPU 0's own stack: ACPI, time, the other CPUs, VMX
 *
 * Each step prints what it found. What cannot be mended stops the machine with a line that says
 * what to do.
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/upcall.h"
#include "arch/cpu/vectors.h"
#include "boot/boot_asm.h"
#include "boot/boot_info.h"
#include "drivers/acpi.h"
#include "drivers/ioapic.h"
#include "drivers/pic8259.h"
#include "drivers/tsc.h"
#include "drivers/uart16550.h"
#include "hv/core/config.h"
#include "hv/core/cpus.h"
#include "hv/core/domain0.h"
#include "hv/core/irq.h"
#include "hv/core/log.h"
#include "hv/core/machine.h"
#include "hv/core/memory.h"
#include "hv/core/options.h"
#include "hv/core/page.h"
#include "hv/core/panic.h"
#include "hv/core/readiness.h"
#include "hv/core/symtab.h"
#include "hv/core/system.h"
#include "hv/route/pirq.h"
#include "hv/vapic/vapic.h"
#include "hv/exit/run.h"

struct system system_info;

static struct boot_info boot;
static struct acpi_info acpi;
static struct pcpu early_cpu; /* until the pool exists; only its tables and self pointer are used */
static uint8_t early_ist[3][4096] __attribute__((aligned(16)));

/* Exceptions print a dump from here on; NMIs, shut out by header.S, may come. */
static void early_tables(void)
{
    uint64_t ist_top[DESC_IST_END] = {0};
    for (unsigned slot = DESC_IST_NMI; slot < DESC_IST_END; slot++)
        ist_top[slot] = (uint64_t)(uintptr_t)early_ist[slot];
    early_cpu.arch.self = &early_cpu.arch;
    desc_init_idt();
    desc_fill(&early_cpu.desc, ist_top);
    desc_load(&early_cpu.desc, &early_cpu);
    outb(0x70, 0x0f);
    (void)inb(0x71);
}

static const void *identity_map(void *ctx, uint64_t pa, uint64_t len)
{
    (void)ctx;
    return len <= 4 * GIB && pa <= 4 * GIB - len ? (const void *)(uintptr_t)pa : NULL;
}

static enum boot_error read_boot_info(uint32_t protocol, uint64_t info_pa)
{
    struct boot_env env = {.map = identity_map};
    memory_image_range(&env.image_start, &env.image_end);
    switch (protocol) {
    case BOOT_MAGIC_MB1:
        return boot_info_from_multiboot1(&boot, &env, info_pa);
    case BOOT_MAGIC_MB2:
        return boot_info_from_multiboot2(&boot, &env, info_pa);
    case BOOT_MAGIC_PVH:
        return boot_info_from_pvh(&boot, &env, info_pa);
    default:
        return BOOT_ERROR_MAGIC;
    }
}

static void start_console(void)
{
    const struct uart_config *uart = &options.com1;
    /* Until our tables exist an MMIO port below 4 GiB is reached at its own address. */
    volatile void *registers = (volatile void *)(uintptr_t)uart->base;
    if (uart->kind == UART_NONE || (uart->kind == UART_MMIO && uart->base >= 4 * GIB))
        return;
    if (uart16550_init(uart, registers))
        log_set_console(uart16550_putc, uart16550_flush, options.log_level);
}

static void move_console(void)
{
    const struct uart_config *uart = &options.com1;
    if (uart->kind != UART_MMIO)
        return;
    volatile void *registers = paging_map_mmio(uart->base, 8ULL << uart->reg_shift);
    if (uart->base < 4 * GIB)
        uart16550_move(registers);
    else if (registers && uart16550_init(uart, registers))
        log_set_console(uart16550_putc, uart16550_flush, options.log_level);
}

static void report_boot(enum boot_error error, uint32_t protocol)
{
    static const char *const protocol_name[] = {"?", "Multiboot", "Multiboot2", "PVH"};
    log_info("Signalbox, build-id %s", symtab_build_id());
    if (error != BOOT_OK) {
        log_error("The boot loader's information cannot be used (protocol magic %#x): %s.", protocol,
                  boot_error_text(error));
        log_error("Start Signalbox by GRUB (multiboot2 or multiboot) or by a PVH loader.");
        machine_stop(MACHINE_CODE_FAILED);
    }
    log_info("started by %s, protocol %s", boot.loader_name[0] ? boot.loader_name : "a loader without a name",
             protocol_name[boot.loader]);
    log_info("command line: %s%s", boot.cmdline, boot.cmdline_truncated ? " (cut off)" : "");
    for (uint32_t i = 0; i < boot.problem_count; i++)
        log_warning("boot information: %s (number %u); ignored", boot_problem_text(boot.problem[i].kind),
                    boot.problem[i].index);
    for (uint32_t i = 0; i < boot.module_count; i++)
        log_info("module %u: %#lx-%#lx %s", i, boot.module[i].start, boot.module[i].end - 1,
                 boot.module[i].string);
}

static const void *firmware_view(void *ctx, uint64_t pa, uint64_t len)
{
    (void)ctx;
    return paging_boot_view(pa, len);
}

static void read_acpi(void)
{
    struct acpi_env env = {.map = firmware_view};
    enum acpi_status status = ACPI_RSDP_UNREADABLE;
    uint64_t rsdp = boot.rsdp_pa ? boot.rsdp_pa : acpi_find_rsdp(&env);
    if (boot.rsdp_len)
        status = acpi_parse_rsdp(&acpi, &env, boot.rsdp, boot.rsdp_len);
    else if (rsdp)
        status = acpi_parse(&acpi, &env, rsdp);
    paging_boot_views_end();
    for (uint32_t i = 0; i < acpi.problem_count; i++)
        log_warning("ACPI table %.4s: %s (%u); ignored", acpi.problem[i].signature,
                    acpi_reason_text(acpi.problem[i].reason), acpi.problem[i].detail);
    if (status != ACPI_OK)
        log_warning("no usable ACPI tables (%s): only the boot CPU is known. Enable ACPI in the firmware "
                    "set-up to use the others.",
                    rsdp || boot.rsdp_len ? acpi_status_text(status) : "no RSDP");
    else
        log_info("ACPI: %u tables, %u CPUs, %u IOAPICs, HPET %s, MCFG %s, DMAR %s", acpi.table_count,
                 acpi.madt.cpu_count, acpi.madt.ioapic_count, acpi.hpet_count ? "yes" : "no",
                 acpi.mcfg_count ? "yes" : "no", acpi.dmar.present ? "yes" : "no");
    machine_set_reset(&acpi.fadt);
}

/* Every line of the machine is masked from here on until it is bound. */
static void start_interrupts(void)
{
    uint32_t pins = ioapic_init(&acpi.madt);
    pic8259_silence(VECTOR_DEVICE_FIRST);
    irq_set_device(pirq_interrupt);
    system_info.console_irq = pins ? uart_config_isa_irq(&options.com1) : -1;
    if (system_info.console_irq >= 0)
        uart16550_listen();
    if (pins)
        log_info("I/O APICs: %u lines of devices", pins);
    else
        log_warning("no I/O APIC: interrupts of the machine's devices cannot be had");
}

static uint64_t start_clock(void)
{
    struct tsc_references refs = {0};
    const struct acpi_register *pm = &acpi.fadt.pm_timer;
    enum tsc_source source;
    if (acpi.hpet_count)
        refs.hpet = paging_map_mmio(acpi.hpet[0].pa, 0x400);
    if (acpi.fadt.present && pm->width && pm->space == ACPI_SPACE_IO) {
        refs.pm_timer_port = (uint16_t)pm->address;
        refs.pm_timer_32bit = acpi.fadt.pm_timer_32bit;
    }
    uint64_t khz = tsc_calibrate(&refs, &source);
    if (!khz) {
        log_error("The time-stamp counter cannot be calibrated: neither HPET, PM timer nor PIT counts. "
                  "Enable one of them in the firmware set-up.");
        machine_stop(MACHINE_CODE_FAILED);
    }
    log_set_clock(khz);
    log_info("TSC: %lu.%03lu MHz by %s%s", khz / 1000, khz % 1000, tsc_source_text(source),
             tsc_invariant() ? "" : "; NOT invariant: time may drift when the CPU changes speed");
    lapic_timer_calibrate(khz);
    log_info("local APIC: %s mode, %s timer", lapic_x2apic() ? "x2APIC" : "xAPIC",
             lapic_mode_deadline ? "TSC-deadline" : "count-down");
    return khz;
}

_Static_assert(UART16550_ESCAPE == HV_CONSOLE_ESCAPE, "the driver's escapes are those of the interface");

static void describe_system(void)
{
    uint32_t *brand = (uint32_t *)(void *)system_info.cpu_brand;
    system_info.boot = &boot;
    system_info.memory_total = ram_usable(&boot.memmap);
    system_info.console_getc = uart16550_getc;
    if (cpuid(0x80000000, 0).eax < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_regs r = cpuid(0x80000002 + i, 0);
        brand[4 * i] = r.eax;
        brand[4 * i + 1] = r.ebx;
        brand[4 * i + 2] = r.ecx;
        brand[4 * i + 3] = r.edx;
    }
}

__attribute__((noreturn)) static void start_machine(void)
{
    read_acpi();
    start_interrupts();
    uint64_t tsc_khz = start_clock();
    cpus_start_others(&acpi.madt, (uint32_t)options.max_cpus, memory_ap_page(), tsc_khz);
    if (!readiness_report())
        machine_stop(MACHINE_CODE_FAILED);
    vapic_choose_level(options.vapic);
    if (irq_stray_nmis())
        log_warning("%u NMIs arrived during start; ignored", irq_stray_nmis());
    log_info("ready: %u CPUs, %lu of %lu KiB of hypervisor memory free", pcpu_count, page_free_count() * 4,
             page_total() * 4);
    bench_mark(BENCH_MARK_READY);
    pcpu_tsc_khz = tsc_khz;
    describe_system();
    if (!boot.module_count) {
        log_warning("nothing to run: the first boot module is to be the management domain");
        machine_stop(MACHINE_CODE_OK);
    }
    if (!domain0_create(&boot) || !cpus_release(run_enter))
        machine_stop(MACHINE_CODE_FAILED);
    domain0_start();
    run_enter();
}

/* Leaves the boot stack for good: nothing of its frames is needed again. */
__attribute__((noreturn)) static void continue_on(uint64_t stack_top, void (*next)(void))
{
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "push %%rbp\n\t"
                     "jmp *%1" ::"r"(stack_top),
                     "r"(next)
                     : "memory");
    __builtin_unreachable();
}

void boot_main(uint32_t protocol, uint64_t info_pa)
{
    early_tables();
    enum boot_error error = read_boot_info(protocol, info_pa);
    options_parse(boot.cmdline, boot.loader == BOOT_MULTIBOOT1);
    start_console();
    report_boot(error, protocol);
    options_report();
    if (!memory_init(&boot, options.pool_size))
        machine_stop(MACHINE_CODE_FAILED);
    move_console();
    if (!lapic_init_machine()) {
        log_error("The processor has no local APIC, or it cannot be mapped.");
        machine_stop(MACHINE_CODE_FAILED);
    }
    struct pcpu *p = cpus_init_boot_cpu();
    if (!p) {
        log_error("The hypervisor's memory is too small to start (raise hvmem=).");
        machine_stop(MACHINE_CODE_FAILED);
    }
    continue_on(p->arch.stack_top, start_machine);
}

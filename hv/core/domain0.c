/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management domain at start. It gets all RAM that is not ours, at its physical addresses, and one vCPU
 * that enters boot module 0 at its first byte as the PVH protocol says: 32-bit protected mode, flat segments,
 * paging off, EBX = start information (guest_abi/pvh.h). Module pages are read-only for it, so that it can be
 * started again from them. The start information is put into its own RAM below 1 MiB; it has no firmware
 * tables and no devices.
 */
#include "hv/core/domain0.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/paging.h"
#include "arch/vmx/guest_state.h"
#include "guest_abi/pvh.h"
#include "hv/core/domain.h"
#include "hv/core/frame.h"
#include "hv/core/gmem.h"
#include "hv/core/machine.h"
#include "hv/core/memory.h"
#include "hv/core/page.h"
#include "hv/core/panic.h"
#include "hv/core/readiness.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/core/system.h"

#define INFO_PAGES 8UL /* start information: 192 map entries, 32 modules with their strings */
#define MEMMAP_MAX 192U
#define LOW_END    MIB
#define FLAT_CODE  0xc09bU /* 32-bit, 4 GiB, present, execute-read, accessed */
#define FLAT_DATA  0xc093U
#define TSS_BUSY   0x008bU
#define UNUSABLE   0x10000U

struct start_block {
    struct hvm_start_info info;
    struct hvm_modlist_entry module[BOOT_MODULE_MAX];
    struct hvm_memmap_table_entry memmap[MEMMAP_MAX];
    char string[BOOT_MODULE_MAX][BOOT_MODULE_STRING_SIZE];
};
_Static_assert(sizeof(struct start_block) <= INFO_PAGES * PAGE_SIZE, "the block fits its pages");

#define RESTARTS_MAX     3U   /* deaths in a row that are answered by a new start */
#define RESTART_WINDOW_S 10UL /* "in a row": within so many seconds of the last one */

static struct domain *domain0;
static uint32_t restarts; /* written by domain 0's own CPU only, and the next too */
static uint64_t last_restart;
static struct start_block block; /* built here, then copied into the domain */

static bool map_range(uint64_t start, uint64_t end, uint64_t access, uint16_t flags)
{
    frame_set_owner(start, end - start, domain0->id, flags);
    domain0->memory_pages += (end - start) / PAGE_SIZE;
    return ept_map(&domain0->ept, start, start, end - start, access, EPT_WB) == EPT_OK;
}

static void add_memmap(uint64_t start, uint64_t end, uint32_t type)
{
    if (start < end && block.info.memmap_entries < MEMMAP_MAX)
        block.memmap[block.info.memmap_entries++] =
            (struct hvm_memmap_table_entry){.addr = start, .size = end - start, .type = type};
}

/*
 * What lies between `start` and `end` and is not taken belongs to domain 0; taken ranges are reserved in its
 * map.
 */
static bool give_range(const struct ram *ram, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i <= ram->taken_count && start < end; i++) {
        bool last = i == ram->taken_count;
        uint64_t taken_start = last ? end : ram->taken[i].start;
        uint64_t taken_end = last ? end : ram->taken[i].end;
        if (taken_end <= start)
            continue;
        uint64_t stop = taken_start < end ? taken_start : end;
        if (start < stop) {
            if (!map_range(start, stop, EPT_R | EPT_W | EPT_X, 0))
                return false;
            add_memmap(start, stop, 1);
        }
        if (!last && taken_start < end)
            add_memmap(taken_start > start ? taken_start : start, taken_end < end ? taken_end : end, 2);
        start = taken_end;
    }
    return true;
}

static bool give_memory(const struct boot_info *boot)
{
    const struct ram *ram = memory_ram();
    for (uint32_t i = 0; i < boot->memmap.count; i++) {
        const struct boot_mem *e = &boot->memmap.entry[i];
        uint64_t start = align_up(e->base, PAGE_SIZE), end = align_down(e->base + e->len, PAGE_SIZE);
        if (e->type == BOOT_MEM_USABLE && start < end && !give_range(ram, start, end))
            return false;
    }
    for (uint32_t i = 0; i < boot->module_count; i++)
        if (!map_range(align_down(boot->module[i].start, PAGE_SIZE), align_up(boot->module[i].end, PAGE_SIZE),
                       EPT_R | EPT_X, FRAME_MODULE))
            return false;
    return true;
}

static bool write_start_block(const struct boot_info *boot, uint64_t pa)
{
    uint64_t strings = pa + offsetof(struct start_block, string);
    for (uint32_t i = 0; i < boot->module_count; i++) {
        memcpy(block.string[i], boot->module[i].string, sizeof(block.string[i]));
        block.module[i] = (struct hvm_modlist_entry){.paddr = boot->module[i].start,
                                                     .size = boot->module[i].end - boot->module[i].start,
                                                     .cmdline_paddr = strings + i * sizeof(block.string[0])};
    }
    block.info.magic = XEN_HVM_START_MAGIC_VALUE;
    block.info.version = 1;
    block.info.nr_modules = boot->module_count;
    block.info.modlist_paddr = pa + offsetof(struct start_block, module);
    block.info.cmdline_paddr = strings; /* its own module's */
    block.info.memmap_paddr = pa + offsetof(struct start_block, memmap);
    for (uint64_t at = 0; at < sizeof(block); at += PAGE_SIZE) {
        uint64_t n = sizeof(block) - at < PAGE_SIZE ? sizeof(block) - at : PAGE_SIZE;
        if (gmem_write(domain0, pa + at, (const uint8_t *)&block + at, n))
            return false;
    }
    return true;
}

/* With the VMCS current. */
static void set_entry_state(struct vcpu *v, uint64_t entry, uint64_t info)
{
    const struct hv_segment code = {.limit = ~0U, .selector = 8, .access = FLAT_CODE};
    const struct hv_segment data = {.limit = ~0U, .selector = 16, .access = FLAT_DATA};
    const struct hv_segment none = {.access = UNUSABLE};
    struct hv_sregs s = {.cs = code, .ds = data, .es = data, .ss = data, .fs = data, .gs = data};
    s.ldtr = none;
    s.tr = (struct hv_segment){.limit = 0x67, .access = TSS_BUSY};
    s.cr0 = CR0_PE | CR0_ET;
    hv_assert(guest_set_sregs(&s, readiness_caps(), 0, 0));
    guest_set_rip(entry);
    guest_set_rflags(RFLAGS_ONE);
    memset(&v->vmx.gprs, 0, sizeof(v->vmx.gprs));
    v->vmx.gprs.rbx = info;
}

bool domain0_create(const struct boot_info *boot)
{
    const struct hv_domain_create c = {.max_vcpus = 1, .may = HV_MAY_ALL, .name = "manager"};
    struct vcpu *v = NULL;
    if (domain_create(&c, 0, &domain0) || !give_memory(boot) || vcpu_create(domain0, 0, NULL, &v)) {
        log_error("The hypervisor's memory is too small for the management domain (raise hvmem=).");
        return false;
    }
    uint64_t info = ram_find(memory_ram(), INFO_PAGES * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, LOW_END);
    if (!info || !write_start_block(boot, info)) {
        log_error("No memory below 1 MiB for the management domain's start information.");
        return false;
    }
    vcpu_access_begin(v);
    set_entry_state(v, boot->module[0].start, info);
    vcpu_access_end(v);
    vcpu_publish(v);
    log_info("domain 0: %lu MiB, entry %#lx, \"%s\"", domain0->memory_pages * PAGE_SIZE / MIB,
             boot->module[0].start, boot->module[0].string);
    return true;
}

void domain0_start(void)
{
    domain0->started = true;
    sched_release(domain0->vcpu[0], HOLD_STOPPED);
}

/*
 * RAM that the domain still has for itself alone: what it has given away, shared, or registered for a guest
 * stays out of the new instance's hands.
 */
static bool free_for_restart(const struct frame *f)
{
    return f->owner == 0 && !f->shares && !f->pins && !f->flags;
}

/*
 * The memory map of a restart, from the frame table; pieces that find no room in it are left out. Also finds
 * a place for the start information.
 */
static uint64_t memmap_from_frames(void)
{
    uint64_t top = ram_top(memory_ram()->map), info = 0;
    block.info.memmap_entries = 0;
    spin_lock(&frame_lock);
    for (uint64_t pa = 0, end; pa < top; pa = end) {
        bool usable = free_for_restart(frame_at(pa));
        for (end = pa + PAGE_SIZE; end < top && free_for_restart(frame_at(end)) == usable; end += PAGE_SIZE)
            ;
        if (!usable)
            continue;
        if (!info && end - pa >= INFO_PAGES * PAGE_SIZE)
            info = pa;
        add_memmap(pa, end, 1);
    }
    spin_unlock(&frame_lock);
    return info;
}

void domain0_died(void)
{
    uint64_t now = rdtsc();
    if (now - last_restart > RESTART_WINDOW_S * 1000 * pcpu_tsc_khz)
        restarts = 0;
    if (restarts++ == RESTARTS_MAX) {
        log_error("The management domain has died %u times in a row; giving up.", RESTARTS_MAX + 1);
        machine_stop(MACHINE_CODE_FAILED);
    }
    last_restart = now;
    log_error("The management domain is dead; it starts again from its boot module. Other domains "
              "go on.");
    sched_request(domain0->vcpu[0], REQUEST_RESTART);
}

void domain0_restart(struct vcpu *v)
{
    const struct boot_info *boot = system_info.boot;
    void *page = atomic_exchange_full(&v->notify, NULL);
    if (page) {
        domain_wait_grace();
        gmem_unpin(page);
    }
    uint64_t info = memmap_from_frames();
    if (!info || !write_start_block(boot, info)) {
        log_error("No memory is left for the management domain's start information.");
        machine_stop(MACHINE_CODE_FAILED);
    }
    vcpu_reset_here(v);
    set_entry_state(v, boot->module[0].start, info);
    log_info("domain 0: started again, entry %#lx", boot->module[0].start);
}

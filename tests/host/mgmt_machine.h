/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_machine: a manager on a pretended hypervisor (mgmt_fake.h), for tests of mgmt/shell: one boot
 * module, domains of the configuration that a test fills in, a screen that is a string, accesses of
 * guests, and restarts.
 */
#pragma once

#include "mgmt/config/config_keys.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/events.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/modules.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/shell_line.h"
#include "tests/host/mgmt_fake.h"
#include "tests/host/test.h"

#define MACHINE_FIRST   0x10000ULL /* free memory of the manager */
#define MACHINE_MODULES ((FAKE_PAGES - 16ULL) * 4096)
#define MACHINE_FREE    ((MACHINE_MODULES - MACHINE_FIRST) / 4096)

static struct frames machine_frames;
static struct config machine_config;
static char machine_seen[1 << 20];
static size_t machine_seen_length;
static struct guest *volatile machine_former[512];
static unsigned machine_instances;

static void machine_sink(const char *text, size_t length)
{
    ASSERT_TRUE(machine_seen_length + length < sizeof(machine_seen));
    memcpy(machine_seen + machine_seen_length, text, length);
    machine_seen_length += length;
    machine_seen[machine_seen_length] = '\0';
}

/* What the screen has shown since the last time. */
static inline const char *machine_take(void)
{
    static char copy[sizeof(machine_seen)];
    memcpy(copy, machine_seen, machine_seen_length + 1);
    machine_seen_length = 0;
    machine_seen[0] = '\0';
    return copy;
}

/* Free is what nobody has: at a restart the hypervisor tells the same. */
static inline void machine_find_frames(void)
{
    frames_free_list(&machine_frames);
    for (uint64_t page = MACHINE_FIRST / 4096, end; page < MACHINE_MODULES / 4096; page = end + 1) {
        for (end = page; end < MACHINE_MODULES / 4096 && !fake.page_owner[end] && !fake.page_shared[end] &&
                         !fake.pinned[end];
             end++)
            continue;
        if (end > page)
            EXPECT_TRUE(frames_add(&machine_frames, page * 4096, end * 4096));
    }
}

static inline void machine_begin(void)
{
    machine_find_frames();
    domain_init(&machine_frames, fake_view);
    EXPECT_EQ(events_init((struct hv_notify *)fake_memory[1], 0x1000), 0);
    memset(fake.notify, 0, sizeof(*fake.notify));
    screen_init(machine_sink);
    commands_init(&machine_frames, 1000000);
    guest_init_all(&machine_config, 1000000);
}

/* The objects of an instance that is no more; they stay reachable, so that none of them is a leak. */
static inline void machine_forget(void)
{
    for (uint32_t i = 0; i < guest_count(); i++) {
        struct guest *guest = guest_get(i);
        events_timer_cancel(&guest->finish);
        events_timer_cancel(&guest->timeout);
        events_timer_cancel(&guest->flush);
        events_timer_cancel(&guest->wake);
        guest->console.quiet = true; /* what still reaches it is not seen */
    }
    machine_former[machine_instances++ % COUNT(machine_former)] = guest_get(0);
    for (uint32_t number = 0; number < HV_NOTIFY_COUNT; number++)
        events_set(number, NULL, NULL);
}

static inline struct config_domain *machine_add(const char *name)
{
    struct config_domain *domain = &machine_config.domain[machine_config.domains++];
    config_domain_defaults(domain);
    snprintf(domain->name, sizeof(domain->name), "%s", name);
    snprintf(domain->kernel, sizeof(domain->kernel), "k.bin");
    domain->type = CONFIG_FLAT32;
    domain->memory = 1 << 20;
    domain->load = 0x1000;
    return domain;
}

/* A machine of two CPUs that has just started; then come machine_add() and machine_begin(). */
static inline void machine_make(void)
{
    static bool has_modules;
    fake_reset();
    memset(fake_memory, 0, sizeof(fake_memory));
    fake.cpus = 2;
    fake.shutdown = -1;
    memset(&machine_config, 0, sizeof(machine_config));
    memset(fake_memory[MACHINE_MODULES / 4096], 0x90, 4096);
    fake_module[0] = (struct hv_module_info){.name = "manager"};
    fake_module[1] =
        (struct hv_module_info){.start = MACHINE_MODULES, .length = 64, .name = "/boot/k.bin words"};
    if (!has_modules)
        modules_init(fake_view);
    has_modules = true;
    (void)machine_take();
}

/* The next instance; what it finds is up to guest_adopt_all(). */
static inline void machine_restart(void)
{
    machine_forget();
    machine_begin();
}

static inline struct hv_service *machine_service(uint32_t domain)
{
    return fake_view(fake.service[domain][0], 4096);
}

/* vCPU 0 makes an access; it is not looked at yet. */
static inline void machine_request(uint32_t domain, uint16_t port, uint8_t width, bool write, uint64_t data)
{
    struct hv_service *service = machine_service(domain);
    service->pio.port = port;
    service->pio.width = width;
    service->pio.write = write;
    service->pio.data = data;
    service->kind = HV_EXIT_PIO;
    fake_notify(HV_NOTIFY_VCPU(domain, 0));
}

static inline uint64_t machine_in(uint32_t domain, uint16_t port, uint8_t width)
{
    machine_request(domain, port, width, false, 0);
    events_run_once();
    return machine_service(domain)->pio.data;
}

static inline void machine_out(uint32_t domain, uint16_t port, uint8_t width, uint64_t data)
{
    machine_request(domain, port, width, true, data);
    events_run_once();
}

/* A line at the prompt, and what it printed. */
static inline const char *machine_command(const char *text)
{
    char line[SHELL_LINE_SIZE];
    char *words[SHELL_WORDS_MAX];
    snprintf(line, sizeof(line), "%s", text);
    (void)machine_take();
    commands_run(shell_line_split(line, words), words);
    return machine_take();
}

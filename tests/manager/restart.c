/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management domain starts again while a guest runs: by its own wish, or (crash=1) after a triple fault.
 * The first instance knows itself by being alone. The second must find the guest, which has gone on
 * meanwhile, and be able to take it away.
 */
#include "tests/manager/lab.h"

#include <stdio.h>
#include <string.h>

#define NAME "survivor"

static void crash(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
}

static void first_instance(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, NAME, 1);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    lab_sleep(2);
    printf("first instance: the guest runs\n");
    fflush(stdout);
    if (lab_argument("crash", 0))
        crash();
    check_abort("still here: %lld", (long long)hv_shutdown(HV_SHUTDOWN_RESTART));
}

static uint64_t running(uint32_t domain)
{
    struct hv_vcpu_info info;
    CHECK_EQ(call_vcpu_info(domain, 0, &info), 0);
    CHECK(info.service != 0 && info.service % PAGE == 0);
    return info.ticks_running;
}

void test_restart(void)
{
    struct hv_domain_info info;
    uint32_t ids[4] = {0};
    if (lab_system().domains == 1)
        first_instance();
    CHECK_EQ(call_domain_list(0, ids, 4), 2);
    CHECK_EQ(ids[0], 0);
    CHECK_EQ(call_domain_info(ids[1], &info), 0);
    CHECK(!strcmp(info.name, NAME));
    CHECK_EQ(info.state, HV_DOMAIN_ACTIVE);
    uint64_t before = running(ids[1]);
    lab_sleep(5);
    CHECK(running(ids[1]) > before);
    uint64_t donated = info.memory_pages;
    CHECK_EQ(call_domain_info(0, &info), 0);
    uint64_t own = info.memory_pages;
    CHECK_EQ(call_domain_destroy(ids[1]), 0);
    CHECK_EQ(call_domain_info(0, &info), 0);
    CHECK_EQ(info.memory_pages, own + donated);
    CHECK_EQ(lab_system().domains, 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laboratory: pages, guests that run the agent, and waiting, for all test managers.
 *
 * A guest is a slot with pages of its own; building it creates a domain and gives it these pages,
 * destroying it brings them back. Waiting goes by the notification page alone, so that every test
 * checks that no notification is lost: a wait that is not ended by one aborts the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/hv_call.h"
#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_vcpu.h"
#include "mgmt/lib/call.h"
#include "tests/manager/agent.h"
#include "tests/manager/check.h"

#define PAGE        4096ULL
#define LARGE_PAGE  0x200000ULL
#define GUESTS_MAX  48U
#define NOT_A_GUEST UINT32_MAX

struct guest {
    uint32_t id; /* domain, or NOT_A_GUEST */
    uint32_t vcpus;
    gpa_t memory;  /* AGENT_PAGES + AGENT_VCPUS pages of ours */
    gpa_t service; /* AGENT_VCPUS pages */
    gpa_t mailbox; /* AGENT_VCPUS pages, then AGENT_SCRATCH_PAGES */
    uint64_t may;
    uint32_t pool_pages;
    bool shared;    /* its memory stays ours too */
    uint32_t flags; /* of hv_domain_create; with an irqchip its pages are at AGENT_LAPIC and AGENT_IOAPIC */
};

/* ---- the machine */
void lab_init(void);
uint32_t lab_cpus(void);
uint64_t lab_ms(void); /* TSC ticks of a millisecond */
uint64_t lab_now(void);
uint64_t lab_argument(const char *name, uint64_t otherwise); /* name=N of the command line */
uint64_t lab_random(uint64_t below);
struct hv_system_info lab_system(void);

/* ---- pages of ours, never given back to the allocator */
gpa_t lab_pages(uint64_t count, uint64_t align);
void *lab_at(gpa_t gpa);
uint64_t lab_pages_left(void);
gpa_t lab_notify_page(void); /* for who has registered another one meanwhile */

/* ---- guests */
struct guest *guest_slot(uint32_t number);
/* Creates the domain with memory and vCPUs that stand at the agent's entry, not started. A negative
 * HV_E* when a call fails; then nothing is left of it. */
int64_t guest_build(struct guest *g, const char *name, uint32_t vcpus);
/* Builds, starts, and waits until all vCPUs ask for a command. */
void guest_start(struct guest *g, const char *name, uint32_t vcpus);
int64_t guest_destroy(struct guest *g);
void guest_reset_vcpu(struct guest *g, uint32_t vcpu); /* registers as at the agent's entry */

struct mailbox *guest_box(const struct guest *g, uint32_t vcpu);
struct hv_service *guest_service(const struct guest *g, uint32_t vcpu);
uint8_t *guest_scratch(const struct guest *g); /* what the guest has at AGENT_SCRATCH */
enum hv_vcpu_state guest_state(const struct guest *g, uint32_t vcpu);
struct hv_vcpu_info guest_info(const struct guest *g, uint32_t vcpu);
struct hv_domain_info guest_domain(const struct guest *g);

/* Starts a command and does not wait for its end. The vCPU is in service on AGENT_DONE. */
void guest_go(struct guest *g, uint32_t vcpu, enum agent_command command, uint64_t a, uint64_t b, uint64_t c,
              uint64_t d);
/* Waits for the vCPU's next service and returns its kind. */
enum hv_exit_kind guest_wait(struct guest *g, uint32_t vcpu);
/* The next service has to be AGENT_DONE. */
void guest_done(struct guest *g, uint32_t vcpu);
bool guest_is_done(const struct guest *g, uint32_t vcpu);
/* All three; returns the command's result. */
uint64_t guest_do(struct guest *g, uint32_t vcpu, enum agent_command command, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t d);
int64_t guest_call(struct guest *g, uint32_t vcpu, uint64_t rax, const uint64_t arg[6]);
int64_t guest_complete(struct guest *g, uint32_t vcpu);
/* Waits for the domain's death. */
void guest_dead(struct guest *g);

/* ---- notifications */
bool lab_notified(uint32_t number);          /* since the last time that this said so */
bool lab_wait(uint32_t number, uint64_t ms); /* false: the time is over */
void lab_sleep(uint64_t ms);                 /* lets others run; notifications are kept */
/* Waits until the vCPU is in that state. */
void guest_until(const struct guest *g, uint32_t vcpu, enum hv_vcpu_state state);

/* What must be the same when all domains are gone. */
struct audit {
    uint64_t pool_free;
    uint64_t memory_pages;
    uint32_t domains;
};
struct audit lab_audit(void);
void lab_audit_check(const struct audit *before, const char *what);

/* ---- the tests */
void test_abi(void);
void test_memory(void);
void test_no_memory(void);
void test_lifecycle(void);
void test_sched(void);
void test_services(void);
void test_state(void);
void test_restart(void);
void test_irq(void);
void test_irq_time(void);
void test_irq_bad(void);
void test_irq_tick(void);
void test_storm(void);
void test_save(void);
void test_irq_level(void);
void test_outputs(void);
void test_split(void);
void test_pirq(void);
void test_corners(void);
void test_chaos(void);

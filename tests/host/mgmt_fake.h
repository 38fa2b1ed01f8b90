/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake: a hypervisor for tests of mgmt/lib: mgmt_fake_call.c stands in for call.c. It keeps the
 * rules of the interface that the library must not break, counts what it holds, and lets the call of
 * a chosen number fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_pirq.h"
#include "guest_abi/hv_vcpu.h"

enum { FAKE_DOMAINS = 256, FAKE_PAGES = 4096, FAKE_CLAIMS = 64 };

struct fake {
    uint32_t fail_at;  /* the n-th call from here fails, 1 the next one; 0: none */
    int64_t fail_with; /* a negative HV_E* */
    bool failed;
    uint32_t calls;
    bool domain[FAKE_DOMAINS];
    char name[FAKE_DOMAINS][HV_NAME_SIZE];
    uint32_t state[FAKE_DOMAINS]; /* enum hv_domain_state */
    uint32_t vcpus[FAKE_DOMAINS];
    uint32_t claims[FAKE_DOMAINS];
    gpa_t service[FAKE_DOMAINS][64];
    uint32_t page_owner[FAKE_PAGES];  /* 0: the manager */
    uint32_t page_shared[FAKE_PAGES]; /* with that domain; 0: with none */
    gpa_t page_target[FAKE_PAGES];
    bool pinned[FAKE_PAGES];
    uint32_t completed;
    /* For tests of the whole manager, mgmt_fake_manager.c. */
    uint32_t cpus;  /* of the machine */
    char log[4096]; /* the hypervisor's */
    uint64_t log_lost;
    uint64_t console_notifier; /* of the console's receiver; 0: not bound */
    bool console_is_silent;    /* it has no interrupt */
    char input[4096];          /* typed on the console, not yet read */
    uint32_t input_length;
    uint32_t started[FAKE_DOMAINS]; /* vCPUs */
    uint64_t affinity[FAKE_DOMAINS];
    uint64_t exits[72];     /* by reason, of each vCPU */
    int shutdown;           /* enum hv_shutdown, -1: none */
    uint32_t destroy_again; /* so often -HV_EAGAIN first */
    uint64_t slept_until;
    uint32_t sleeps;
    void (*on_sleep)(void);
    struct hv_notify *notify;
};

extern struct fake fake;

enum { FAKE_MODULES = 8, FAKE_PIRQS = 24 };
extern struct hv_module_info fake_module[FAKE_MODULES]; /* up to the first without a name */
extern struct hv_pirq_info fake_pirq[FAKE_PIRQS];       /* lines of the machine; size 0: none */

/* The manager's memory: guest-physical 0 is the first byte. */
extern uint8_t fake_memory[FAKE_PAGES][4096];
void *fake_view(gpa_t gpa, uint64_t bytes);

void fake_reset(void);

/* True when this call is the one that is to fail. */
bool fake_fails(void);

/* Notes a notification as the hypervisor does. */
void fake_notify(uint32_t number);

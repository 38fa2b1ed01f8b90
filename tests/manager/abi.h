/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of abi.c: one valid example of every call, and rows that change one thing of it.
 *
 * An argument is a number or one of the names below, which abi_world.c turns into what they are in
 * this run for the caller in question.
 */
#pragma once

#include "tests/manager/lab.h"

#define NAME_TAG (0x5ba1ULL << 48)

enum abi_name {
    GOOD = 1,     /* a domain with vCPU 0 in service, vCPU 1 stopped, others absent */
    DEAD,         /* vCPU 0 has ended in a triple fault */
    GONE,         /* has been destroyed */
    OTHER,        /* of another manager: for callers that are not domain 0 */
    STRUCT,       /* the call's structure, built from its template */
    OWN_PAGE,     /* a page of the caller */
    RESULT_PAGE,  /* another one, for results */
    SERVICE_PAGE, /* one that can be a service page */
    PINNED,       /* a page that is a service page */
    SHARED,       /* a page that is shared */
    DONATED,      /* a page that was donated */
    READ_ONLY,    /* the page of a boot module */
    HYPERVISOR,   /* an address that the hypervisor has for itself */
    HOLE,         /* an address without memory */
    OUTSIDE,      /* the first address that no domain can have */
    MODULES,      /* the number of boot modules */
    CPUS,         /* the number of CPUs */
    NOTIFIER,     /* one of the manager's, bound to a notification */
};
#define N(name) (NAME_TAG | (uint64_t)(name))
/* With an offset: at most 16 MiB. */
#define NPLUS(name, offset) (NAME_TAG | (uint64_t)(offset) << 8 | (uint64_t)(name))

enum abi_kind { IN, OUT, INOUT };

/* A valid call. struct_at: index of the argument that is the structure; -1: none. */
struct abi_call {
    const char *name;
    uint64_t arg[6];
    uint8_t args;
    int8_t struct_at;
    int8_t domain_at, vcpu_at; /* -1: none */
    uint8_t kind;              /* enum abi_kind, of the structure */
    uint16_t size;             /* of the structure */
    uint16_t read_only_at;     /* where READ_ONLY has its size word, for OUT and INOUT */
    uint64_t may;              /* HV_MAY_* that it needs */
    uint8_t fields;            /* of the template that are not zero */
    struct {
        uint16_t offset;
        uint8_t width;
        uint64_t value;
    } field[5];
};

#define ARG_NONE   0xff /* the row changes a field of the structure */
#define FIELD_NONE 0    /* the size word has rows of its own */

/* One change of the valid call, and the result. */
struct abi_row {
    uint8_t number;
    uint8_t arg;     /* index of the argument that is changed, or ARG_NONE */
    uint16_t offset; /* of the field that is changed */
    uint8_t width;
    uint64_t value;
    int16_t want; /* 0 or -HV_E* */
};

extern const struct abi_call abi_calls[HV_CALL_COUNT];
extern const struct abi_row abi_rows[];
extern const uint32_t abi_row_count;

/* ---- abi_world.c */
struct abi_caller {
    struct guest *guest; /* NULL: the manager itself */
    gpa_t struct_page, own_page;
    uint32_t good, other;
};
extern struct abi_caller abi_manager;

void abi_world_build(void);
void abi_world_destroy(void);
struct guest *abi_good(void);
uint64_t abi_resolve(const struct abi_caller *c, uint64_t value);
int64_t abi_call_raw(const struct abi_caller *c, uint64_t rax, const uint64_t arg[6]);
/* The valid call's arguments and structure; patch: then changes, *struct_gpa is where it lies. */
void abi_prepare(const struct abi_caller *c, uint32_t number, uint64_t arg[6]);
uint8_t *abi_struct(const struct abi_caller *c); /* as the manager sees it */
/* Everything that can be seen of the world, as one number. */
uint64_t abi_snapshot(void);
uint32_t abi_xsave_size(void);

/* ---- abi_callers.c */
void abi_callers(void);

/* ---- abi_dying.c */
void abi_dying(void);
void abi_poison(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of a vCPU's state: see vcpu_record.c. */
#ifndef HV_CORE_VCPU_RECORD_H
#define HV_CORE_VCPU_RECORD_H

#include "hv/core/vcpu.h"

/* Kinds of fixed size; the XSAVE area is copied by the caller. */
union vcpu_record {
    struct hv_regs regs;
    struct hv_sregs sregs;
    struct hv_msrs msrs;
    struct hv_events events;
};

/* Bytes of a record of that kind; 0: none of fixed size. */
uint32_t vcpu_record_size(uint64_t kind);

/* Between vcpu_access_begin and vcpu_access_end. Set: 0, or -HV_EINVAL with nothing changed. */
void vcpu_record_get(struct vcpu *t, enum hv_state_kind kind, union vcpu_record *r);
int vcpu_record_set(struct vcpu *t, enum hv_state_kind kind, const union vcpu_record *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Notification page and wait: for the calling vCPU itself. */
#include "hv/core/gmem.h"
#include "hv/core/notify.h"
#include "hv/mgmt/mgmt.h"

int64_t mgmt_notify_page(struct vcpu *v, const struct mgmt_args *args)
{
    uint64_t vector = args->a1;
    void *page = NULL;
    if (vector && (vector < 16 || vector > 255))
        return -HV_EINVAL;
    if (args->a0 != HV_NO_PAGE) {
        int error = gmem_pin(v->domain, args->a0, &page);
        if (error)
            return error;
    }
    void *old = atomic_exchange_full(&v->notify, page);
    v->notify_vector = (uint8_t)vector;
    if (old) {
        /*
         * A notifier on another CPU may still write to the old page: it is done when that CPU has answered a
         * call.
         */
        domain_wait_grace();
        gmem_unpin(old);
    }
    return 0;
}

int64_t mgmt_notify_wait(struct vcpu *v, const struct mgmt_args *args)
{
    if (!v->notify)
        return -HV_EINVAL;
    if (notify_pending(v))
        return 0;
    notify_wait(v, args->a0);
    return 0; /* replaced when the wait ends */
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv_error: the phrases say what the number means in every call; what it means in a particular one
 * stands in guest_abi/README.md.
 */
#include "mgmt/lib/hv_error.h"

#include <stddef.h>

#include "guest_abi/hv_abi.h"

static const struct {
    enum hv_error error;
    const char *text;
} phrases[] = {
    {HV_EPERM, "not permitted to this domain"},
    {HV_ENOENT, "no such object"},
    {HV_ESRCH, "no such domain or vCPU"},
    {HV_ENXIO, "nobody takes the interrupt"},
    {HV_E2BIG, "count too large"},
    {HV_EAGAIN, "not possible now, to be tried again"},
    {HV_ENOMEM, "the hypervisor's memory is used up"},
    {HV_EFAULT, "not an address of the caller's memory, or across a page"},
    {HV_EBUSY, "in use"},
    {HV_EEXIST, "exists already"},
    {HV_ENODEV, "the machine or the hypervisor lacks the feature"},
    {HV_EINVAL, "invalid argument"},
    {HV_ENOSPC, "a table of the hypervisor is full"},
    {HV_ENOSYS, "the hypervisor has no such call"},
    {HV_ETIME, "deadline passed"},
};

const char *hv_error_text(int64_t result)
{
    if (result >= 0)
        return "success";
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (-result == (int64_t)phrases[i].error)
            return phrases[i].text;
    return "unknown error";
}

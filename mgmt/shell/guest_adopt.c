/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_adopt: guests that run already when this program starts. A domain belongs to the section of
 * its name. One that has never run is destroyed, since it may be half-built. Devices go on as the last
 * instance left them (guest_saved.h); one that had ended ends now. A domain that is not in the
 * configuration was made by another manager, which goes on serving it.
 */
#include <stdio.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/guest_build.h"
#include "mgmt/shell/guest_saved.h"
#include "mgmt/shell/screen.h"

static bool take_over(struct guest *guest, const struct hv_domain_info *info)
{
    const struct domain_hooks hooks = {.dead = guest_on_death, .answered = guest_on_answer, .ctx = guest};
    uint64_t lost;
    int64_t result;
    guest->id = info->domain;
    guest->domain = domain_adopt(info->domain, &hooks, &lost, &result);
    if (guest->domain)
        result = guest_add_devices(guest);
    if (result < 0)
        screen_printf("domain %u (%s): found, but cannot be served: %s", guest->id, guest->config->name,
                      hv_error_text(result));
    else if (lost != 0)
        screen_printf("domain %u (%s): %llu KiB of its memory were not found", guest->id, guest->config->name,
                      (unsigned long long)lost * 4);
    return result >= 0;
}

static void discard(struct guest *guest)
{
    char error[GUEST_ERROR_SIZE];
    guest->state = GUEST_CREATED;
    bool gone = guest_destroy(guest, error);
    screen_printf("domain %u (%s): found before its first start; %s", guest->id, guest->config->name,
                  gone ? "destroyed" : error);
}

static void adopt(struct guest *guest, const struct hv_domain_info *info)
{
    console_init(&guest->console, guest->config->name, guest->config->console == CONFIG_CONSOLE_QUIET);
    if (!take_over(guest, info))
        return;
    if (info->state == HV_DOMAIN_BUILDING) {
        discard(guest);
        return;
    }
    bool restored = guest_restore(guest);
    bool kept = restored && guest->state == GUEST_ENDED;
    if (!kept)
        guest->state = info->state == HV_DOMAIN_PAUSED ? GUEST_PAUSED : GUEST_RUNNING;
    screen_printf("domain %u (%s): found, %s%s", guest->id, guest->config->name, guest_state_text(guest),
                  restored ? "" : "; its devices begin in their reset state");
    if (kept)
        return;
    if (guest->result != GUEST_NONE) {
        guest_finish_soon(guest);
        return;
    }
    guest_arm_timeout(guest);
    guest_arm_wake(guest);
    domain_serve_waiting(guest->domain);
    guest_save(guest);
}

static void adopt_foreign(const struct hv_domain_info *info)
{
    int64_t result = -HV_ENOSPC;
    struct guest *guest = guest_add_foreign(info);
    if (guest)
        guest->domain = domain_adopt_foreign(info->domain, &result);
    if (guest && guest->domain)
        guest->state = info->state == HV_DOMAIN_PAUSED ? GUEST_PAUSED : GUEST_RUNNING;
    screen_printf("domain %u (%s): found; it is not in the configuration and is not served%s%s", info->domain,
                  info->name, result < 0 ? ", and cannot be listed: " : "",
                  result < 0 ? hv_error_text(result) : "");
}

bool guest_adopt_all(void)
{
    static uint32_t ids[CALL_LIST_MAX];
    bool any = false;
    int64_t count = call_domain_list(1, ids, CALL_LIST_MAX);
    for (int64_t i = 0; i < count; i++) {
        struct hv_domain_info info;
        if (call_domain_info(ids[i], &info) < 0)
            continue;
        struct guest *guest = guest_find_name(info.name);
        any = true;
        if (guest && !guest->domain)
            adopt(guest, &info);
        else
            adopt_foreign(&info);
    }
    return any;
}

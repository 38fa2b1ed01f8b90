/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest: life of a guest after it was built; guest_build.c makes it. The end of a guest is noticed
 * in callbacks of its own domain, in which the domain must not be freed: they note what happened and
 * set a timer that is due at once, and finish() does the rest.
 */
#include "mgmt/shell/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/guest_build.h"
#include "mgmt/shell/guest_saved.h"
#include "mgmt/shell/screen.h"

static struct guest *guests;
static uint32_t count, count_max;
static uint64_t khz;

void guest_init_all(const struct config *config, uint64_t tsc_khz)
{
    khz = tsc_khz;
    guests = calloc(config->domains + GUEST_FOREIGN_MAX, sizeof(*guests));
    count = guests ? config->domains : 0;
    count_max = guests ? config->domains + GUEST_FOREIGN_MAX : 0;
    for (uint32_t i = 0; i < count; i++)
        guests[i].config = &config->domain[i];
}

uint32_t guest_count(void)
{
    return count;
}

struct guest *guest_get(uint32_t index)
{
    return index < count ? &guests[index] : NULL;
}

/* A foreign one that was destroyed is gone for good. */
static bool is_there(const struct guest *guest)
{
    return guest->domain || !guest->foreign;
}

struct guest *guest_find_name(const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_there(&guests[i]) && strcmp(guests[i].config->name, name) == 0)
            return &guests[i];
    return NULL;
}

struct guest *guest_find(const char *name_or_id)
{
    char *end;
    unsigned long id = strtoul(name_or_id, &end, 10);
    if (*name_or_id == '\0' || *end != '\0')
        return guest_find_name(name_or_id);
    for (uint32_t i = 0; i < count; i++)
        if (guests[i].domain && guests[i].id == id)
            return &guests[i];
    return NULL;
}

struct guest *guest_add_foreign(const struct hv_domain_info *info)
{
    struct config_domain *config = count < count_max ? calloc(1, sizeof(*config)) : NULL;
    if (!config)
        return NULL;
    memcpy(config->name, info->name, sizeof(config->name));
    config->vcpus = info->max_vcpus;
    config->memory = (info->memory_pages + info->shared_pages) * FRAMES_PAGE;
    struct guest *guest = &guests[count++];
    *guest = (struct guest){.config = config, .foreign = true, .id = info->domain};
    console_init(&guest->console, config->name, true);
    return guest;
}

static bool call_failed(char *error, const char *what, int64_t result)
{
    snprintf(error, GUEST_ERROR_SIZE, "%s: %s", what, hv_error_text(result));
    return false;
}

static bool failed(const struct guest *guest)
{
    if (guest->result == GUEST_EXITED)
        return guest->code != guest->config->success;
    if (guest->result == GUEST_RESET) /* nobody waits for it to come back */
        return guest->config->on_exit != CONFIG_EXIT_RESTART;
    return guest->result != GUEST_NONE && guest->result != GUEST_DESTROYED &&
           guest->result != GUEST_POWERED_OFF;
}

void guest_result_text(const struct guest *guest, char *to, uint32_t size)
{
    static const char *const words[] = {"",          "code",  "died",        "timed out", "not built",
                                        "destroyed", "reset", "powered off", "panicked"};
    if (guest->result == GUEST_EXITED)
        snprintf(to, size, "code %u", guest->code);
    else if (guest->result == GUEST_DIED)
        snprintf(to, size, "died: %s", guest->death);
    else
        snprintf(to, size, "%s", words[guest->result]);
}

static void print_result(struct guest *guest)
{
    console_flush(&guest->console);
    if (guest->result == GUEST_EXITED)
        screen_printf("domain %u (%s): ended, code %u", guest->id, guest->config->name, guest->code);
    else if (guest->result == GUEST_RESET || guest->result == GUEST_POWERED_OFF)
        screen_printf("domain %u (%s): %s", guest->id, guest->config->name,
                      guest->result == GUEST_RESET ? "reset" : "powered off");
    else if (guest->result == GUEST_PANICKED)
        screen_printf("domain %u (%s): panicked", guest->id, guest->config->name);
    else if (guest->result == GUEST_TIMED_OUT)
        screen_printf("domain %u (%s): timed out after %u s", guest->id, guest->config->name,
                      guest->config->timeout);
    else
        screen_printf("domain %u (%s): died: %s", guest->id, guest->config->name, guest->death);
}

/* Who serves it knows what goes on there, and what it would mean. */
static bool refuse_foreign(const struct guest *guest, char *error)
{
    if (guest->foreign)
        snprintf(error, GUEST_ERROR_SIZE, "it is not in the configuration, another manager serves it");
    return guest->foreign;
}

/* Back to GUEST_DEFINED. */
static bool take_down(struct guest *guest, char *error)
{
    events_timer_cancel(&guest->finish);
    events_timer_cancel(&guest->timeout);
    events_timer_cancel(&guest->flush);
    events_timer_cancel(&guest->wake);
    guest->wakes_at = UINT64_MAX;
    console_flush(&guest->console);
    int64_t result = domain_destroy(guest->domain);
    if (result < 0)
        return call_failed(error, "destroy", result);
    guest_virtio_drop(guest->virtio);
    guest->virtio = NULL;
    guest->domain = NULL;
    guest->state = GUEST_DEFINED;
    return true;
}

static void run_again(struct guest *guest, char *error)
{
    if (!take_down(guest, error) || !guest_create(guest, error) || !guest_start(guest, error))
        screen_printf("domain %s: not restarted: %s", guest->config->name, error);
}

static void finish(void *ctx)
{
    struct guest *guest = ctx;
    char error[GUEST_ERROR_SIZE];
    guest->ever_failed |= failed(guest);
    print_result(guest);
    events_timer_cancel(&guest->timeout);
    if (guest->config->on_exit == CONFIG_EXIT_RESTART) {
        run_again(guest, error);
    } else if (guest->config->on_exit == CONFIG_EXIT_KEEP) {
        (void)call_domain_pause(guest->id); /* a dead domain does not run anyway */
        guest->state = GUEST_ENDED;
        guest_save(guest);
    } else if (!take_down(guest, error)) {
        screen_printf("domain %u (%s): %s", guest->id, guest->config->name, error);
    }
}

void guest_finish_soon(struct guest *guest)
{
    guest->domain->held = true;
    events_timer_set(&guest->finish, 0, finish, guest);
}

static void end(struct guest *guest, enum guest_result result)
{
    if (guest->result != GUEST_NONE)
        return; /* the first end counts */
    guest->result = result;
    guest_finish_soon(guest);
}

static void on_wake(void *ctx)
{
    struct guest *guest = ctx;
    guest->wakes_at = UINT64_MAX;
    guest_pc_poll(&guest->pc);
    guest_arm_wake(guest);
    guest_save(guest);
}

void guest_arm_wake(struct guest *guest)
{
    uint64_t next = guest_pc_next(&guest->pc);
    if (next == guest->wakes_at)
        return;
    guest->wakes_at = next;
    if (next == UINT64_MAX)
        events_timer_cancel(&guest->wake);
    else
        events_timer_set(&guest->wake, next, on_wake, guest);
}

/* A guest that reads its port has the next byte at once. */
void guest_on_answer(struct domain *domain)
{
    struct guest *guest = domain->hooks.ctx;
    guest_poll(guest);
    guest_arm_wake(guest);
    guest_save(guest);
}

void guest_on_exit_port(void *ctx, uint32_t code)
{
    struct guest *guest = ctx;
    if (guest->result == GUEST_NONE)
        guest->code = code;
    end(guest, GUEST_EXITED);
}

void guest_on_reset(void *ctx)
{
    end(ctx, GUEST_RESET);
}

void guest_on_power_off(void *ctx)
{
    end(ctx, GUEST_POWERED_OFF);
}

void guest_on_panic(void *ctx)
{
    end(ctx, GUEST_PANICKED);
}

void guest_on_death(struct domain *domain, const struct hv_domain_info *info)
{
    static const char *const reasons[] = {"no reason given", "triple fault",
                                          "its state does not pass the VM-entry checks",
                                          "an exit that is not handled", "out of memory"};
    struct guest *guest = domain->hooks.ctx;
    uint32_t known = sizeof(reasons) / sizeof(reasons[0]);
    snprintf(guest->death, sizeof(guest->death), "%s (detail %llu)",
             info->reason < known ? reasons[info->reason] : "unknown reason",
             (unsigned long long)info->detail);
    end(guest, GUEST_DIED);
}

static void on_timeout(void *ctx)
{
    end(ctx, GUEST_TIMED_OUT);
}

static void on_flush(void *ctx);

static void arm_flush(struct guest *guest)
{
    guest->flush_bytes = guest->console.bytes;
    events_timer_set(&guest->flush, events_now() + khz * 500, on_flush, guest);
}

/* A line that still grows is left to its end. */
static void on_flush(void *ctx)
{
    struct guest *guest = ctx;
    if (guest->console.bytes != guest->flush_bytes)
        arm_flush(guest);
    else
        console_flush(&guest->console);
}

void guest_on_output(void *ctx, uint8_t byte)
{
    struct guest *guest = ctx;
    bool was_empty = guest->console.line_length == 0;
    console_put(&guest->console, byte);
    /* A line that does not end, such as a question, is shown after a while. */
    if (was_empty && guest->console.line_length != 0)
        arm_flush(guest);
}

void guest_arm_timeout(struct guest *guest)
{
    if (guest->ends_at == 0 && guest->config->timeout != 0)
        guest->ends_at = events_now() + guest->config->timeout * 1000ULL * khz;
    if (guest->ends_at != 0)
        events_timer_set(&guest->timeout, guest->ends_at, on_timeout, guest);
}

bool guest_start(struct guest *guest, char *error)
{
    if (refuse_foreign(guest, error))
        return false;
    if (guest->state != GUEST_CREATED) {
        snprintf(error, GUEST_ERROR_SIZE, "it is %s; create it first", guest_state_text(guest));
        return false;
    }
    guest->ends_at = 0;
    guest_arm_timeout(guest);
    /* With local APICs the others wait for the guest's start-up IPI; without, nobody can start them. */
    int64_t result = guest->config->irqchip ? domain_start(guest->domain) : call_vcpu_start(guest->id, 0);
    if (result < 0)
        return call_failed(error, "start", result);
    guest->state = GUEST_RUNNING;
    guest_save(guest);
    return true;
}

bool guest_pause(struct guest *guest, char *error)
{
    if (guest->state != GUEST_RUNNING) {
        snprintf(error, GUEST_ERROR_SIZE, "it is %s", guest_state_text(guest));
        return false;
    }
    int64_t result = call_domain_pause(guest->id);
    if (result < 0)
        return call_failed(error, "pause", result);
    guest->state = GUEST_PAUSED;
    guest_save(guest);
    return true;
}

bool guest_resume(struct guest *guest, char *error)
{
    if (guest->state != GUEST_PAUSED) {
        snprintf(error, GUEST_ERROR_SIZE, "it is %s", guest_state_text(guest));
        return false;
    }
    int64_t result = call_domain_resume(guest->id);
    if (result < 0)
        return call_failed(error, "resume", result);
    guest->state = GUEST_RUNNING;
    guest_save(guest);
    return true;
}

bool guest_destroy(struct guest *guest, char *error)
{
    if (!guest->domain) {
        snprintf(error, GUEST_ERROR_SIZE, "there is no such domain now");
        return false;
    }
    if (!take_down(guest, error))
        return false;
    if (guest->foreign)
        return true;
    if (guest->result == GUEST_NONE)
        guest->result = GUEST_DESTROYED;
    return true;
}

void guest_autostart(void)
{
    char error[GUEST_ERROR_SIZE];
    for (uint32_t i = 0; i < count; i++) {
        struct guest *guest = &guests[i];
        if (!guest->config->autostart)
            continue;
        if (guest_create(guest, error) && guest_start(guest, error))
            continue;
        screen_printf("domain (%s): not started: %s", guest->config->name, error);
        guest->ever_failed = true;
    }
}

void guest_type(struct guest *guest, uint16_t what)
{
    if (guest->foreign || guest->input_count == GUEST_INPUT)
        return; /* typed faster than anybody reads; as on a real line, it is lost */
    guest->input[(guest->input_head + guest->input_count++) % GUEST_INPUT] = what;
    guest_poll(guest);
}

/* A byte or GUEST_BREAK, to the console that spoke last. False: no room now. */
static bool give(struct guest *guest, uint16_t what)
{
    if (guest->on_vcon && guest_virtio_listens(guest->virtio))
        return what == GUEST_BREAK || guest_virtio_type(guest->virtio, (uint8_t)what);
    if (uart16550_room(&guest->uart) == 0)
        return false;
    if (what == GUEST_BREAK)
        uart16550_receive_break(&guest->uart);
    else
        uart16550_receive(&guest->uart, (uint8_t)what);
    return true;
}

void guest_poll(struct guest *guest)
{
    bool given = false;
    while (guest->input_count > 0 && give(guest, guest->input[guest->input_head])) {
        guest->input_head = (guest->input_head + 1) % GUEST_INPUT;
        guest->input_count--;
        given = true;
    }
    if (given)
        guest_save(guest);
}

bool guest_all_ended(void)
{
    for (uint32_t i = 0; i < count; i++)
        if (guests[i].state != GUEST_DEFINED && guests[i].state != GUEST_ENDED)
            return false;
    return true;
}

uint32_t guest_failures(uint32_t *all)
{
    uint32_t failures = 0;
    *all = 0;
    for (uint32_t i = 0; i < count; i++) {
        *all += guests[i].result != GUEST_NONE;
        failures += guests[i].ever_failed;
    }
    return failures;
}

const char *guest_state_text(const struct guest *guest)
{
    static const char *const words[] = {"off", "created", "running", "paused", "ended"};
    return words[guest->state];
}

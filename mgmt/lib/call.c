/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call: see call.h. call_in() and call_out() move a structure through the page; `size` is the first
 * field of every structure of the ABI that has one.
 */
#include "mgmt/lib/call.h"

#include <string.h>

#include "guest_abi/hv_call.h"

static unsigned char *page;
static gpa_t page_gpa;

void call_init(void *at, gpa_t gpa)
{
    page = at;
    page_gpa = gpa;
}

void *call_room(gpa_t *gpa)
{
    *gpa = page_gpa;
    return page;
}

static gpa_t put(const void *in, size_t size)
{
    memcpy(page, in, size);
    return page_gpa;
}

/* Zeroes, but for the size in front. */
static gpa_t prepare(uint32_t size)
{
    memset(page, 0, size);
    memcpy(page, &size, sizeof(size));
    return page_gpa;
}

static int64_t take(int64_t result, void *out, size_t size)
{
    if (result >= 0)
        memcpy(out, page, size);
    return result;
}

int64_t call_version(void)
{
    return hv_version();
}

int64_t call_capability(enum hv_capability which)
{
    return hv_capability(which);
}

int64_t call_notify_page(gpa_t gpa, uint8_t vector)
{
    return hv_notify_page(gpa, vector);
}

int64_t call_notify_wait(uint64_t tsc_deadline)
{
    return hv_notify_wait(tsc_deadline);
}

int64_t call_system_info(struct hv_system_info *out)
{
    return take(hv_system_info(prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_module_info(uint32_t index, struct hv_module_info *out)
{
    return take(hv_module_info(index, prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_cpu_info(uint32_t cpu, struct hv_cpu_info *out)
{
    return take(hv_cpu_info(cpu, prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_log_read(uint64_t *position, uint64_t *lost, char *to, size_t length)
{
    struct hv_log_read in = {.size = sizeof(in), .position = *position};
    size_t room = CALL_PAGE_SIZE - sizeof(in);
    in.length = (uint32_t)(length < room ? length : room);
    in.buffer = page_gpa + sizeof(in);
    int64_t result = take(hv_log_read(put(&in, sizeof(in))), &in, sizeof(in));
    if (result < 0)
        return result;
    memcpy(to, page + sizeof(in), (size_t)result);
    *position = in.position;
    *lost = in.lost;
    return result;
}

int64_t call_console_write(const char *text, size_t length)
{
    size_t chunk = length < CALL_PAGE_SIZE ? length : CALL_PAGE_SIZE;
    return hv_console_write(put(text, chunk), chunk);
}

int64_t call_console_read(char *to, size_t length)
{
    size_t chunk = length < CALL_PAGE_SIZE ? length : CALL_PAGE_SIZE;
    int64_t result = hv_console_read(page_gpa, chunk);
    return result < 0 ? result : take(result, to, (size_t)result);
}

int64_t call_shutdown(enum hv_shutdown how)
{
    return hv_shutdown(how);
}

int64_t call_trace_control(enum hv_trace_op op, uint32_t pages, uint64_t cpus, uint32_t kinds)
{
    return hv_call4(HV_CALL_TRACE_CONTROL, (uint64_t)op, pages, cpus, kinds);
}

int64_t call_trace_read(uint32_t cpu, uint64_t *position, uint64_t *lost, uint64_t *written,
                        struct hv_trace_record *out, uint32_t room)
{
    struct hv_trace_read in = {.size = sizeof(in), .cpu = cpu, .position = *position, .records = room};
    in.buffer = page_gpa + sizeof(in);
    int64_t result = take(hv_call1(HV_CALL_TRACE_READ, put(&in, sizeof(in))), &in, sizeof(in));
    if (result < 0)
        return result;
    if (result > 0)
        memcpy(out, page + sizeof(in), (size_t)result * sizeof(*out));
    *position = in.position;
    *lost = in.lost;
    *written = in.written;
    return result;
}

int64_t call_domain_create(const struct hv_domain_create *in)
{
    struct hv_domain_create copy = *in;
    copy.size = sizeof(copy);
    return hv_domain_create(put(&copy, sizeof(copy)));
}

int64_t call_domain_destroy(uint32_t domain)
{
    return hv_domain_destroy(domain);
}

int64_t call_domain_pause(uint32_t domain)
{
    return hv_domain_pause(domain);
}

int64_t call_domain_resume(uint32_t domain)
{
    return hv_domain_resume(domain);
}

int64_t call_domain_info(uint32_t domain, struct hv_domain_info *out)
{
    return take(hv_domain_info(domain, prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_domain_list(uint32_t first, uint32_t *out, uint32_t count)
{
    if (count > CALL_LIST_MAX)
        return -HV_E2BIG;
    int64_t result = hv_domain_list(first, page_gpa, count);
    return result < 0 ? result : take(result, out, (size_t)result * sizeof(*out));
}

static gpa_t put_claim(enum hv_claim_space space, uint64_t base, uint64_t length)
{
    struct hv_claim claim = {.size = sizeof(claim), .space = (uint32_t)space, .base = base, .length = length};
    return put(&claim, sizeof(claim));
}

int64_t call_domain_claim(uint32_t domain, enum hv_claim_space space, uint64_t base, uint64_t length)
{
    return hv_domain_claim(domain, put_claim(space, base, length));
}

int64_t call_domain_unclaim(uint32_t domain, enum hv_claim_space space, uint64_t base, uint64_t length)
{
    return hv_domain_unclaim(domain, put_claim(space, base, length));
}

int64_t call_vcpu_create(uint32_t domain, uint32_t vcpu, gpa_t service_page)
{
    return hv_vcpu_create(domain, vcpu, service_page);
}

int64_t call_vcpu_start(uint32_t domain, uint32_t vcpu)
{
    return hv_vcpu_start(domain, vcpu);
}

int64_t call_vcpu_stop(uint32_t domain, uint32_t vcpu)
{
    return hv_vcpu_stop(domain, vcpu);
}

int64_t call_vcpu_get(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, void *out, size_t size)
{
    if (size > CALL_PAGE_SIZE)
        return -HV_EINVAL;
    /* An XSAVE record says its size and its components in its own header. */
    memcpy(page, out, size);
    return take(hv_vcpu_get(domain, vcpu, (uint32_t)kind, page_gpa, size), out, size);
}

int64_t call_vcpu_set(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, const void *in, size_t size)
{
    if (size > CALL_PAGE_SIZE)
        return -HV_EINVAL;
    return hv_vcpu_set(domain, vcpu, (uint32_t)kind, put(in, size), size);
}

int64_t call_vcpu_affinity(uint32_t domain, uint32_t vcpu, uint64_t cpus)
{
    return hv_vcpu_affinity(domain, vcpu, cpus);
}

int64_t call_vcpu_priority(uint32_t domain, uint32_t vcpu, uint32_t priority, uint64_t slice_us)
{
    return hv_vcpu_priority(domain, vcpu, priority, slice_us);
}

int64_t call_vcpu_inject(uint32_t domain, uint32_t vcpu, enum hv_inject kind, uint32_t vector,
                         uint32_t error_code)
{
    return hv_vcpu_inject(domain, vcpu, (uint32_t)kind, vector, error_code);
}

int64_t call_vcpu_kick(uint32_t domain, uint32_t vcpu)
{
    return hv_vcpu_kick(domain, vcpu);
}

int64_t call_vcpu_info(uint32_t domain, uint32_t vcpu, struct hv_vcpu_info *out)
{
    return take(hv_vcpu_info(domain, vcpu, prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_vcpu_apic(uint32_t domain, uint32_t vcpu, struct hv_vcpu_apic *out)
{
    return take(hv_vcpu_apic(domain, vcpu, prepare(sizeof(*out))), out, sizeof(*out));
}

int64_t call_vcpu_complete(uint32_t domain, uint32_t vcpu)
{
    return hv_vcpu_complete(domain, vcpu);
}

static int64_t move(enum hv_call which, uint32_t domain, struct hv_mem mem)
{
    uint64_t done = 0, pages = mem.pages;
    mem.size = sizeof(mem);
    while (done < pages) {
        mem.pages = pages - done;
        int64_t result = hv_call2(which, domain, put(&mem, sizeof(mem)));
        if (result == -HV_EAGAIN)
            continue;
        if (result < 0)
            return result;
        done += (uint64_t)result;
        mem.own += (uint64_t)result * CALL_PAGE_SIZE;
        mem.target += (uint64_t)result * CALL_PAGE_SIZE;
    }
    return (int64_t)done;
}

int64_t call_mem_donate(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags)
{
    struct hv_mem mem = {.flags = flags, .own = own, .target = target, .pages = pages};
    return move(HV_CALL_MEM_DONATE, domain, mem);
}

int64_t call_mem_share(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags)
{
    struct hv_mem mem = {.flags = flags, .own = own, .target = target, .pages = pages};
    return move(HV_CALL_MEM_SHARE, domain, mem);
}

int64_t call_mem_unmap(uint32_t domain, gpa_t gpa, uint64_t pages)
{
    uint64_t done = 0;
    while (done < pages) {
        int64_t result = hv_mem_unmap(domain, gpa + done * CALL_PAGE_SIZE, pages - done);
        if (result == -HV_EAGAIN)
            continue;
        if (result < 0)
            return result;
        done += (uint64_t)result;
    }
    return (int64_t)done;
}

int64_t call_mem_query(uint32_t domain, struct hv_mem_query *inout)
{
    inout->size = sizeof(*inout);
    return take(hv_mem_query(domain, put(inout, sizeof(*inout))), inout, sizeof(*inout));
}

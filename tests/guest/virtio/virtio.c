/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that breaks the rules, against every virtio device of the management domain as pages of registers:
 * each breach must set DEVICE_NEEDS_RESET and a configuration interrupt, touch no memory, and after a reset the
 * device must serve a good request. Overlaps are no breach. Virtual I/O Device (VIRTIO) Version 1.2, sections
 * 2.7.5 to 2.7.8, 4.2.2. Device n is at DEVICES + n pages: disk, network, entropy, console (virtio.conf).
 */
#include <stddef.h>

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"

const char guest_name[] = "virtio";

#define DEVICES    0xfed00000UL
#define UNCACHED   0x1bUL /* present, writable, PCD, PWT */
#define NO_MEMORY  HOLE
#define WAIT_TICKS 40000000UL

enum { SIZE = 16, NEXT = 1, WRITE = 2, INDIRECT = 4, GUARD = 0x5a };
enum { DISK = 2, NET = 1, ENTROPY = 4, CONSOLE = 3 };
enum {
    DEVICE_ID = 0x008,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    QUEUE_SEL = 0x030,
    QUEUE_NUM = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC = 0x080,
    QUEUE_DRIVER = 0x090,
    QUEUE_DEVICE = 0x0a0,
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64, CONFIG_INTERRUPT = 2 };

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

static struct {
    _Alignas(16) struct desc desc[SIZE];
    _Alignas(16) struct desc table[SIZE + 1];
    struct {
        uint16_t flags, idx, ring[SIZE], used_event;
    } avail;
    _Alignas(4) struct {
        uint16_t flags, idx;
        struct {
            uint32_t id, len;
        } ring[SIZE];
        uint16_t avail_event;
    } used;
} volatile q;

static volatile uint8_t data[4096];
static volatile uint8_t *device;

static uint32_t reg(uint32_t offset)
{
    return *(volatile uint32_t *)(device + offset);
}

static void set(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(device + offset) = value;
}

static void set_address(uint32_t offset, uint64_t address)
{
    set(offset, (uint32_t)address);
    set(offset + 4, (uint32_t)(address >> 32));
}

static uint64_t at(const volatile void *p)
{
    return (uint64_t)p;
}

static void desc(uint32_t index, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    q.desc[index].addr = addr;
    q.desc[index].len = len;
    q.desc[index].flags = flags;
    q.desc[index].next = next;
}

static void table(uint32_t index, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    q.table[index].addr = addr;
    q.table[index].len = len;
    q.table[index].flags = flags;
    q.table[index].next = next;
}

static void clear(void)
{
    for (size_t i = 0; i < sizeof(q); i++)
        ((volatile uint8_t *)&q)[i] = 0;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = GUARD;
}

static bool untouched(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        if (data[i] != GUARD)
            return false;
    return q.used.idx == 0;
}

static void start(uint32_t queue, uint64_t descriptors, uint64_t driver, uint64_t used, uint32_t size)
{
    set(STATUS, 0);
    set(STATUS, ACKNOWLEDGE | DRIVER);
    set(DRIVER_FEATURES_SEL, 0);
    set(DRIVER_FEATURES, 1U << 28); /* indirect descriptors */
    set(DRIVER_FEATURES_SEL, 1);
    set(DRIVER_FEATURES, 1);
    set(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    set(QUEUE_SEL, queue);
    set(QUEUE_NUM, size);
    set_address(QUEUE_DESC, descriptors);
    set_address(QUEUE_DRIVER, driver);
    set_address(QUEUE_DEVICE, used);
    set(QUEUE_READY, 1);
    set(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void start_good(uint32_t queue)
{
    start(queue, at(q.desc), at(&q.avail), at(&q.used), SIZE);
}

/* Makes head available as the next one and tells the device. */
static void offer(uint32_t queue, uint16_t head)
{
    q.avail.ring[q.avail.idx % SIZE] = head;
    q.avail.idx++;
    set(QUEUE_NOTIFY, queue);
}

static bool wait_used(uint16_t idx)
{
    uint64_t end = rdtsc() + WAIT_TICKS;
    while (q.used.idx != idx && rdtsc() < end)
        pause();
    return q.used.idx == idx;
}

static bool wait_broken(void)
{
    uint64_t end = rdtsc() + WAIT_TICKS;
    while ((reg(STATUS) & NEEDS_RESET) == 0 && rdtsc() < end)
        pause();
    return (reg(STATUS) & NEEDS_RESET) != 0;
}

/* ---- what a driver must not do; each fills the ring and says which chain to offer */

static uint16_t loop_of_one(void)
{
    desc(0, at(data), 16, NEXT, 0);
    return 0;
}

static uint16_t loop_of_two(void)
{
    desc(3, at(data), 16, NEXT, 5);
    desc(5, at(data) + 16, 16, NEXT, 3);
    return 3;
}

static uint16_t head_outside(void)
{
    return SIZE;
}

static uint16_t next_outside(void)
{
    desc(0, at(data), 16, NEXT, 0xffff);
    return 0;
}

static uint16_t no_memory(void)
{
    desc(0, NO_MEMORY, 16, 0, 0);
    return 0;
}

static uint16_t into_no_memory(void)
{
    desc(0, at(data), 0x80000000, WRITE, 0);
    return 0;
}

static uint16_t wraps(void)
{
    desc(0, UINT64_MAX - 7, 64, WRITE, 0);
    return 0;
}

static uint16_t empty(void)
{
    desc(0, at(data), 0, WRITE, 0);
    return 0;
}

static uint16_t read_after_write(void)
{
    desc(0, at(data), 64, NEXT | WRITE, 1);
    desc(1, at(data) + 64, 16, 0, 0);
    return 0;
}

static uint16_t endless_table(void)
{
    for (uint16_t i = 0; i <= SIZE; i++)
        table(i, at(data) + i, 1, NEXT | WRITE, (uint16_t)(i + 1));
    desc(0, at(q.table), sizeof(q.table), INDIRECT, 0);
    return 0;
}

static uint16_t table_in_itself(void)
{
    table(0, at(q.table), 16, INDIRECT, 0);
    desc(0, at(q.table), 16, INDIRECT, 0);
    return 0;
}

static uint16_t table_loop(void)
{
    table(0, at(data), 16, NEXT | WRITE, 1);
    table(1, at(data), 16, NEXT | WRITE, 0);
    desc(0, at(q.table), 32, INDIRECT, 0);
    return 0;
}

static uint16_t crooked_table(void)
{
    desc(0, at(q.table), 24, INDIRECT, 0);
    return 0;
}

static uint16_t table_nowhere(void)
{
    desc(0, NO_MEMORY, 16, INDIRECT, 0);
    return 0;
}

static uint16_t too_many(void)
{
    desc(0, at(data), 16, WRITE, 0);
    q.avail.idx = 1000;
    return 0;
}

static const struct {
    const char *name;
    uint16_t (*fill)(void);
} breaches[] = {
    {"a chain that is its own next", loop_of_one},
    {"a loop of two", loop_of_two},
    {"a head outside the table", head_outside},
    {"a next outside the table", next_outside},
    {"a buffer where no memory is", no_memory},
    {"a buffer that leaves memory", into_no_memory},
    {"a buffer that wraps", wraps},
    {"a buffer without length", empty},
    {"readable after writable", read_after_write},
    {"an indirect table longer than the queue", endless_table},
    {"a table in a table", table_in_itself},
    {"a loop in a table", table_loop},
    {"a table of one and a half entries", crooked_table},
    {"a table where no memory is", table_nowhere},
    {"more chains than the queue has entries", too_many},
};

/* ---- good requests, by type */

static void good_request(uint32_t id, uint32_t queue)
{
    uint32_t length = 0;
    clear();
    start_good(queue);
    switch (id) {
    case DISK: /* a sector; header and status are in the same page */
        for (uint32_t i = 0; i < 16; i++)
            data[i] = 0;
        desc(0, at(data), 16, NEXT, 1);
        desc(1, at(data) + 512, 512, NEXT | WRITE, 2);
        desc(2, at(data) + 1024, 1, WRITE, 0);
        length = 513;
        break;
    case ENTROPY:
        desc(0, at(data), 64, WRITE, 0);
        length = 64;
        break;
    case NET: /* nobody else is on the switch */
    default:
        for (uint32_t i = 0; i < 72; i++)
            data[i] = (uint8_t)(i < 12 ? 0 : i);
        data[18] = 2;
        desc(0, at(data), id == NET ? 72 : 1, 0, 0);
        break;
    }
    offer(queue, 0);
    bool answered = wait_used(1);
    report(answered && q.used.ring[0].len == length,
           "device %u: a good request afterwards: %u used, length %u, status %#x", id, q.used.idx,
           q.used.ring[0].len, reg(STATUS));
    report(id != DISK || (data[512] == 0 && data[1023] == 0 && data[1024] == 0),
           "device %u: the sector is there", id);
}

static void check_breaches(uint32_t id, uint32_t queue)
{
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
        clear();
        start_good(queue);
        uint16_t head = breaches[i].fill();
        offer(queue, head);
        bool broken = wait_broken();
        report(broken, "device %u, queue %u: %s breaks it", id, queue, breaches[i].name);
        report((reg(INTERRUPT_STATUS) & CONFIG_INTERRUPT) != 0,
               "device %u, queue %u: %s: configuration interrupt", id, queue, breaches[i].name);
        set(INTERRUPT_ACK, 3);
        set(QUEUE_NOTIFY, queue);
        report(untouched(), "device %u, queue %u: %s: nothing was written", id, queue, breaches[i].name);
    }
    good_request(id, queue);
}

/* Rings where they must not be: refused at the start. */
static void check_rings(uint32_t id, uint32_t queue)
{
    const struct {
        const char *name;
        uint64_t descriptors, driver, used;
        uint32_t size;
    } rows[] = {
        {"descriptors where no memory is", NO_MEMORY, at(&q.avail), at(&q.used), SIZE},
        {"an available ring where no memory is", at(q.desc), NO_MEMORY, at(&q.used), SIZE},
        {"a used ring where no memory is", at(q.desc), at(&q.avail), NO_MEMORY, SIZE},
        {"crooked descriptors", at(q.desc) + 8, at(&q.avail), at(&q.used), SIZE},
        {"a size that is no power of two", at(q.desc), at(&q.avail), at(&q.used), 12},
        {"a size that is too large", at(q.desc), at(&q.avail), at(&q.used), 32768},
        {"a ring behind the end of all addresses", at(q.desc), at(&q.avail), UINT64_MAX - 3, SIZE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clear();
        start(queue, rows[i].descriptors, rows[i].driver, rows[i].used, rows[i].size);
        report((reg(STATUS) & NEEDS_RESET) != 0, "device %u, queue %u: %s", id, queue, rows[i].name);
    }
    good_request(id, queue);
}

/* Buffers and rings over each other: the guest's own loss. The device answers or breaks, and a reset is good. */
static void check_overlaps(uint32_t id, uint32_t queue)
{
    clear();
    start_good(queue);
    desc(0, at(q.desc), 64, WRITE, 0); /* its own descriptors */
    desc(1, at(&q.used), sizeof(q.used), WRITE, 0);
    desc(2, at(&q.avail), 4, WRITE, 0);
    for (uint16_t i = 0; i < 3; i++)
        offer(queue, i);
    start(queue, at(q.desc), at(q.desc), at(q.desc), SIZE); /* all rings in one place */
    set(QUEUE_NOTIFY, queue);
    good_request(id, queue);
}

/* As a storm: breach, notification, reset, without looking at anything. */
static void check_storm(uint32_t id, uint32_t queue)
{
    for (uint32_t i = 0; i < 200; i++) {
        clear();
        start_good(queue);
        offer(queue, breaches[i % (sizeof(breaches) / sizeof(breaches[0]))].fill());
    }
    good_request(id, queue);
}

void guest_main(const char *cmdline)
{
    static const struct {
        uint32_t id, queue;
    } rows[] = {{DISK, 0}, {NET, 1}, {ENTROPY, 0}, {CONSOLE, 1}};
    (void)cmdline;
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        device = map_page(i, DEVICES + 0x1000UL * i, UNCACHED);
        report(reg(DEVICE_ID) == rows[i].id, "device %u is of type %u", i, reg(DEVICE_ID));
        check_breaches(rows[i].id, rows[i].queue);
        check_rings(rows[i].id, rows[i].queue);
        check_overlaps(rows[i].id, rows[i].queue);
        check_storm(rows[i].id, rows[i].queue);
        set(STATUS, 0);
        print("device %u: checked\n", rows[i].id);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/shell/guest_virtio.c, mgmt/lib/irq_bell.c and irq_source.c: domains with virtio devices on a
 * pretended hypervisor, driven through their ports, pages and doorbells; what every failing call leaves
 * behind; and restarts of the manager.
 */
#include "mgmt/shell/guest_virtio.h"

#include "mgmt/shell/switches.h"
#include "tests/host/virtio_machine.h"

TEST(guest_devices_are_in_their_slots)
{
    static const uint32_t ids[] = {0x10421af4, 0x10421af4, 0x10411af4, 0x10431af4, 0xffffffff};
    begin(CONFIG_VIRTIO_PCI);
    for (uint32_t i = 0; i < COUNT(ids); i++)
        EXPECT_EQ(config_read(1, i, 0, 4), ids[i]);
    EXPECT_EQ(bar(1, 0, 0), GUEST_VIRTIO_PCI);
    EXPECT_EQ(config_read(1, 0, 0x3c, 1), 11U);
    EXPECT_EQ(config_read(1, 1, 0x3c, 1), 10U);
    EXPECT_EQ(fake_irq_doorbells(), 6U);
    EXPECT_EQ(fake_irq_open(), 6U + 6 + 4); /* doorbells, vectors of the queues, those of configurations */
    EXPECT_TRUE(domain_of(1)->shared);
    EXPECT_EQ(mmio_read(1, bar(1, NET, 0) + 0x2000, 2), 0x5302U); /* a local address */
    end();
}

TEST(guest_reads_its_disk)
{
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, 0, 1, true);
    EXPECT_EQ(fake_irq.message[GUEST_VIRTIO_GSI + 1], 0xfee01000U);
    EXPECT_EQ(fake_irq.data[GUEST_VIRTIO_GSI + 1], 0x51U);
    uint32_t routes = fake_irq.routes;
    for (uint32_t i = 1; i <= 20; i++) {
        uint32_t completed = fake.completed;
        *(uint8_t *)memory(1, DATA) = 0;
        offer_block_read(1);
        mmio_write(1, bar(1, 0, 0) + 0x3000, 2, 0);
        EXPECT_EQ(fake.completed, completed + 2); /* both accesses of bar(); the doorbell was none */
        EXPECT_EQ(*(uint8_t *)memory(1, DATA), 0x90);
        EXPECT_EQ(*(uint8_t *)memory(1, HEADER + 16), 0);
        EXPECT_EQ(read16(1, USED + 2), i);
    }
    uint32_t signals = 0;
    for (uint32_t i = 0; i < FAKE_NOTIFIERS; i++)
        if (fake_irq.notifier[i].bind.kind == HV_NOTIFIER_GSI &&
            fake_irq.notifier[i].bind.gsi == GUEST_VIRTIO_GSI + 1)
            signals = fake_irq.notifier[i].signals;
    EXPECT_EQ(signals, 20U);
    EXPECT_EQ(fake_irq.routes, routes); /* no route is touched for an interrupt */
    EXPECT_EQ(fake_irq.lines, 0U);
    end();
}

TEST(guest_interrupts_by_line)
{
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, 1, 1, false);
    offer_block_read(1);
    mmio_write(1, bar(1, 1, 0) + 0x3000, 2, 0);
    EXPECT_TRUE(fake_irq.line[18]); /* slot 2 */
    EXPECT_EQ(mmio_read(1, bar(1, 1, 0) + 0x1000, 1), 1U);
    EXPECT_FALSE(fake_irq.line[18]);
    EXPECT_EQ(fake_irq.routes, 0U);
    end();
}

TEST(guest_moves_a_bar)
{
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, 0, 1, true);
    config_write(1, 0, 0x10, 4, 0xd0000000);
    EXPECT_EQ(fake_irq_doorbells(), 6U);
    offer_block_read(1);
    EXPECT_FALSE(fake_irq_write(1, GUEST_VIRTIO_PCI + 0x3000, 2, 0));
    EXPECT_TRUE(fake_irq_write(1, 0xd0003000, 2, 0));
    events_run_once();
    EXPECT_EQ(read16(1, USED + 2), 1);
    config_write(1, 0, 4, 2, 0); /* decoding off */
    EXPECT_EQ(fake_irq_doorbells(), 5U);
    end();
}

TEST(guest_over_mmio)
{
    begin(CONFIG_VIRTIO_MMIO);
    uint64_t page = GUEST_VIRTIO_MMIO;
    EXPECT_EQ(config_read(1, 0, 0, 4), 0xffffffffU);
    EXPECT_EQ(mmio_read(1, page + 3 * 0x1000 + 8, 4), 3U);
    EXPECT_EQ(mmio_read(1, page + 4 * 0x1000, 4), 0xffffffffU);
    EXPECT_EQ(fake_irq_open(), 6U);
    mmio_write(1, page + 0x70, 4, 3);
    mmio_write(1, page + 0x24, 4, 1);
    mmio_write(1, page + 0x20, 4, 1);
    mmio_write(1, page + 0x70, 4, 11);
    mmio_write(1, page + 0x38, 4, SIZE);
    mmio_write(1, page + 0x80, 4, DESC);
    mmio_write(1, page + 0x90, 4, AVAIL);
    mmio_write(1, page + 0xa0, 4, USED);
    mmio_write(1, page + 0x44, 4, 1);
    mmio_write(1, page + 0x70, 4, 15);
    offer_block_read(1);
    EXPECT_FALSE(fake_irq_write(1, page + 0x50, 4, 1)); /* a queue that is not there */
    mmio_write(1, page + 0x50, 4, 0);
    EXPECT_EQ(*(uint8_t *)memory(1, DATA), 0x90);
    EXPECT_TRUE(fake_irq.line[5]);
    mmio_write(1, page + 0x64, 4, 1);
    EXPECT_FALSE(fake_irq.line[5]);
    end();
}

TEST(guest_command_line)
{
    struct config_domain config = {
        .virtio = CONFIG_VIRTIO_MMIO, .acpi = CONFIG_ACPI_NO, .disks = 2, .rng = true};
    EXPECT_STREQ(guest_virtio_cmdline(&config),
                 " virtio_mmio.device=4K@0xfed00000:5 virtio_mmio.device=4K@0xfed01000:10"
                 " virtio_mmio.device=4K@0xfed02000:11");
    config.acpi = CONFIG_ACPI_AUTO;
    EXPECT_STREQ(guest_virtio_cmdline(&config), "");
    config.acpi = CONFIG_ACPI_NO;
    config.virtio = CONFIG_VIRTIO_PCI;
    EXPECT_STREQ(guest_virtio_cmdline(&config), "");
}

TEST(guest_console)
{
    begin(CONFIG_VIRTIO_PCI);
    struct guest *guest = guest_get(0);
    start_pci(1, CONSOLE, 2, true);
    memcpy(memory(1, DATA), "from the guest\n", 15);
    set_desc(1, 1, 0, DATA, 15, 0);
    (void)machine_take();
    offer(1, 1);
    mmio_write(1, bar(1, CONSOLE, 0) + 0x3004, 2, 1);
    EXPECT_TRUE(strstr(machine_take(), "from the guest") != NULL);
    guest_type(guest, 'x'); /* the driver has no buffer yet */
    guest_type(guest, 'y');
    EXPECT_EQ(guest->input_count, 2U);
    set_desc(1, 0, 0, DATA, 100, 2);
    offer(1, 0);
    mmio_write(1, bar(1, CONSOLE, 0) + 0x3000, 2, 0);
    EXPECT_EQ(*(char *)memory(1, DATA), 'x');
    EXPECT_EQ(guest->input_count, 1U);
    machine_out(1, 0x3f8, 1, '>'); /* the serial port speaks: it is listened to */
    guest_poll(guest);
    EXPECT_EQ(guest->input_count, 0U);
    EXPECT_EQ(machine_in(1, 0x3f8, 1), (uint64_t)'y');
    end();
}

TEST(guest_frames_go_to_the_other)
{
    begin(CONFIG_VIRTIO_PCI);
    EXPECT_STREQ(machine_command("start b"), "domain 2 (b): started\n");
    start_pci(1, NET, 2, true);
    start_pci(2, NET, 2, true);
    set_desc(2, 0, 0, DATA, 1600, 2);
    offer(2, 0);
    uint8_t *frame = memory(1, DATA);
    memset(frame, 0, 12);
    memset(frame + 12, 0xff, 6);
    memcpy(frame + 18, "\x02Sabcd", 6);
    memcpy(frame + 26, "hello", 5);
    set_desc(1, 1, 0, DATA, 60, 0);
    offer(1, 1);
    mmio_write(1, bar(1, NET, 0) + 0x3004, 2, 1);
    EXPECT_EQ(read16(1, USED + 0x102), 1);
    EXPECT_EQ(read16(2, USED + 2), 1);
    EXPECT_MEMEQ(memory(2, DATA + 26), "hello", 5);
    const char *name;
    struct net_switch *net = switches_get("lan");
    EXPECT_TRUE(switches_at(0, &name) == net);
    EXPECT_STREQ(name, "lan");
    EXPECT_EQ(net->frames, 1U);
    EXPECT_STREQ(machine_command("destroy b"), "domain 2 (b): destroyed\n");
    offer(1, 1);
    mmio_write(1, bar(1, NET, 0) + 0x3004, 2, 1); /* nobody there */
    EXPECT_EQ(read16(1, USED + 0x102), 2);
    EXPECT_EQ(net->frames, 2U);
    end();
}

TEST(guest_devices_are_listed)
{
    static const char *const parts[] = {
        "slot 1      disk     running          1         1           1  k.bin, 1 KiB, ro; ",
        "; 1 KiB read, 0 written, 0 own; 0 errors",
        "slot 2      disk     reset            0         0           0  empty, 1024 KiB; ",
        "slot 3      net      reset ",
        "02:53:0c:29:2c:00; 0 sent, 0 received, 0 lost, 0 refused",
        "slot 4      console  reset ",
    };
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, 0, 1, true);
    offer_block_read(1);
    mmio_write(1, bar(1, 0, 0) + 0x3000, 2, 0);
    const char *seen = machine_command("devices a");
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!strstr(seen, parts[i]))
            EXPECT_STREQ(seen, parts[i]);
    EXPECT_TRUE(strstr(machine_command("devices a --json"), "\"place\": \"slot 1\", \"type\": \"disk\"") !=
                NULL);
    EXPECT_TRUE(strstr(machine_command("devices b"), "slot") == NULL);
    EXPECT_TRUE(strstr(machine_command("devices x"), "no domain x") != NULL);
    EXPECT_TRUE(strstr(machine_command("switches"), "lan ") != NULL);
    EXPECT_TRUE(strstr(machine_command("switches --json"), "{\"switch\": \"lan\", \"ports\": 1, ") != NULL);
    ring_broken(1);
    EXPECT_TRUE(strstr(machine_command("devices a"), "slot 1      disk     broken ") != NULL);
    end();
}

TEST(guest_that_never_ends_takes_turns)
{
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, NET, 2, true);
    for (uint32_t i = 0; i < SIZE;
         i++) /* no frame is that long, but it costs more than may be done in a row */
        set_desc(1, 1, i, 0, 0x50000, i + 1 < SIZE ? 1 : 0);
    for (int i = 0; i < SIZE; i++)
        offer(1, 1);
    mmio_write(1, bar(1, NET, 0) + 0x3004, 2, 1);
    for (uint16_t used = 2; used < 50; used++) {
        EXPECT_EQ(read16(1, USED + 0x102), used); /* the loop has come back although more is there */
        offer(1, 1);
        events_run_once();
    }
    end();
}

TEST(guest_every_call_fails_once)
{
    for (int virtio = CONFIG_VIRTIO_PCI; virtio <= CONFIG_VIRTIO_MMIO; virtio++) {
        unsigned failures = 0;
        for (uint32_t n = 1;; n++) {
            test_row("%d, call %u", virtio, n);
            machine_make();
            fake_irq_reset();
            (void)add("a", (enum config_virtio)virtio);
            machine_begin();
            fake.fail_at = n;
            fake.fail_with = -HV_ENOMEM;
            const char *seen = machine_command("create a");
            if (fake.failed) {
                EXPECT_TRUE(strncmp(seen, "domain (a): ", 12) == 0);
                EXPECT_EQ(fake_irq_open(), 0U);
                EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
                EXPECT_STREQ(machine_command("create a"), "domain 1 (a): created\n");
            }
            bool done = !fake.failed;
            failures += fake.failed;
            end();
            if (done)
                break;
        }
        EXPECT_TRUE(failures > 20);
    }
}

TEST(guest_many_lives)
{
    begin(CONFIG_VIRTIO_PCI);
    for (int i = 0; i < 400; i++) { /* more than there are notification numbers */
        EXPECT_STREQ(machine_command("start b"), "domain 2 (b): started\n");
        EXPECT_STREQ(machine_command("destroy b"), "domain 2 (b): destroyed\n");
    }
    EXPECT_EQ(fake_irq_doorbells(), 6U);
    end();
}

TEST(guest_needs_what_is_not_there)
{
    machine_make();
    snprintf(add("a", CONFIG_VIRTIO_PCI)->disk[1].module, CONFIG_FILE_SIZE, "none.img");
    machine_begin();
    EXPECT_STREQ(machine_command("create a"),
                 "domain (a): disk = none.img: there is no boot module none.img; add it to "
                 "the boot loader's configuration\n");
    EXPECT_FALSE(fake.domain[1]);
    machine_forget();
}

TEST(guest_after_a_restart_of_the_manager)
{
    begin(CONFIG_VIRTIO_PCI);
    EXPECT_EQ(fake_irq_open(), 16U);
    start_pci(1, 0, 1, true);
    config_write(1, 0, 0x10, 4, 0xd0000000);
    offer_block_read(1);
    mmio_write(1, 0xd0003000, 2, 0);
    EXPECT_EQ(read16(1, USED + 2), 1);
    machine_forget();
    machine_begin();
    irq_bell_init();
    EXPECT_EQ(fake_irq_open(), 0U);
    memset(fake_irq.message, 0, sizeof(fake_irq.message));
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_EQ(fake_irq_open(), 16U);
    EXPECT_EQ(fake_irq_doorbells(), 6U);
    EXPECT_EQ(fake_irq.message[GUEST_VIRTIO_GSI + 1], 0xfee01000U);
    EXPECT_TRUE(domain_of(1)->shared);
    EXPECT_EQ(mmio_read(1, 0xd0000014, 1), 15U);
    *(uint8_t *)memory(1, DATA) = 0;
    offer_block_read(1);
    EXPECT_TRUE(fake_irq_write(1, 0xd0003000, 2, 0));
    events_run_once();
    EXPECT_EQ(read16(1, USED + 2), 2);
    EXPECT_EQ(*(uint8_t *)memory(1, DATA), 0x90);
    EXPECT_TRUE(strstr(machine_command("destroy a"), "destroyed") != NULL);
    machine_forget();
}

TEST(guest_loses_what_only_the_manager_had)
{
    begin(CONFIG_VIRTIO_PCI);
    start_pci(1, 1, 1, true);
    offer_block_read(1);
    mmio_write(1, bar(1, 1, 0) + 0x3000, 2, 0);
    EXPECT_EQ(*(uint8_t *)memory(1, HEADER + 16), 0);
    machine_forget();
    (void)machine_take();
    machine_begin();
    irq_bell_init();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_TRUE(strstr(machine_take(), "what was written to disk 2 is lost; it answers with errors") != NULL);
    offer_block_read(1);
    mmio_write(1, bar(1, 1, 0) + 0x3000, 2, 0);
    EXPECT_EQ(read16(1, USED + 2), 2);
    EXPECT_EQ(*(uint8_t *)memory(1, HEADER + 16), 1); /* VIRTIO_BLK_S_IOERR */
    EXPECT_TRUE(strstr(machine_command("destroy a"), "destroyed") != NULL);
    machine_forget();
}

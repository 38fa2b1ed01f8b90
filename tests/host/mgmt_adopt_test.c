/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of restarts of the manager: what a new instance finds, takes up and leaves alone.
 */
#include "mgmt/shell/guest_saved.h"

#include "mgmt/lib/domain_parts.h"
#include "tests/host/mgmt_machine.h"

enum { UART = 0x3f8, IER = UART + 1, FCR, LCR, MCR, LSR, MSR, SCR };

static uint32_t start(const char *name)
{
    char error[GUEST_ERROR_SIZE] = "";
    struct guest *guest = guest_find_name(name);
    EXPECT_TRUE(guest_create(guest, error) && guest_start(guest, error));
    EXPECT_STREQ(error, "");
    return guest->id;
}

static void set_cmos(uint32_t id, uint8_t reg, uint8_t value)
{
    machine_out(id, 0x70, 1, reg);
    machine_out(id, 0x71, 1, value);
}

static uint8_t get_cmos(uint32_t id, uint8_t reg)
{
    machine_out(id, 0x70, 1, reg);
    return (uint8_t)machine_in(id, 0x71, 1);
}

/* Not what the devices have after a reset. */
static void set_devices(uint32_t id)
{
    machine_out(id, LCR, 1, 0x83);
    machine_out(id, UART, 1, 0x0c);
    machine_out(id, LCR, 1, 0x03);
    machine_out(id, FCR, 1, 0x81);
    machine_out(id, IER, 1, 0x05);
    machine_out(id, MCR, 1, 0x0b);
    machine_out(id, SCR, 1, 0x5a);
    guest_type(guest_find_name("a"), 'x');
    guest_type(guest_find_name("a"), GUEST_BREAK);
    guest_type(guest_find_name("a"), 'y');
    set_cmos(id, 0x40, 0x77);
    set_cmos(id, 0x0b, 0x06);
    machine_out(id, 0x602, 2, 1);
    machine_out(id, 0x80, 1, 0x42);
    machine_out(id, 0xcf8, 4, 0x80000800);
    machine_out(id, 0x92, 1, 0);
    machine_out(id, 0x64, 1, 0x20); /* the command byte waits */
    machine_out(id, 0x70, 1, 0x40);
}

static void check_devices(uint32_t id)
{
    EXPECT_EQ(machine_in(id, 0x71, 1), 0x77U); /* by the index of before */
    EXPECT_EQ(get_cmos(id, 0x0b), 0x06);
    EXPECT_EQ(machine_in(id, LCR, 1), 3U);
    EXPECT_EQ(machine_in(id, IER, 1), 5U);
    EXPECT_EQ(machine_in(id, MCR, 1), 0x0bU);
    EXPECT_EQ(machine_in(id, SCR, 1), 0x5aU);
    EXPECT_EQ(machine_in(id, LSR, 1), 0xe1U);
    EXPECT_EQ(machine_in(id, UART, 1), (uint64_t)'x');
    EXPECT_EQ(machine_in(id, LSR, 1), 0xf1U);
    EXPECT_EQ(machine_in(id, UART, 1), 0U);
    EXPECT_EQ(machine_in(id, UART, 1), (uint64_t)'y');
    EXPECT_EQ(machine_in(id, LSR, 1), 0x60U);
    machine_out(id, LCR, 1, 0x83);
    EXPECT_EQ(machine_in(id, UART, 1), 0x0cU);
    machine_out(id, LCR, 1, 3);
    EXPECT_EQ(machine_in(id, 0x602, 2), 1U);
    EXPECT_EQ(machine_in(id, 0x80, 1), 0x42U);
    EXPECT_EQ(machine_in(id, 0xcf8, 4), 0x80000800U);
    EXPECT_EQ(machine_in(id, 0x92, 1), 0U);
    EXPECT_EQ(machine_in(id, 0x64, 1) & 1, 1U);
    EXPECT_EQ(machine_in(id, 0x60, 1), 0x34U);
    for (unsigned a20 = 0; a20 < 4; a20 += 2) { /* one gate, seen at two places */
        machine_out(id, 0x92, 1, a20);
        machine_out(id, 0x64, 1, 0xd0);
        EXPECT_EQ(machine_in(id, 0x60, 1) & 2, a20);
    }
}

TEST(adopt_devices_go_on)
{
    machine_make();
    machine_add("a");
    machine_begin();
    uint32_t id = start("a");
    set_devices(id);
    uint64_t timer = machine_in(id, 0x608, 4);
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_STREQ(machine_take(), "domain 1 (a): found, running\n");
    check_devices(id);
    EXPECT_TRUE(machine_in(id, 0x608, 4) >= timer);
    machine_out(id, UART, 1, 'z'); /* its console is ours again */
    machine_out(id, UART, 1, '\n');
    EXPECT_STREQ(machine_take(), "[a] z\n");
    machine_restart(); /* and once more */
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_EQ(machine_in(id, SCR, 1), 0x5aU);
    EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
    EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
    machine_forget();
}

/* What a dead manager left there is not believed. */
TEST(adopt_garbage)
{
    uint64_t *kept;
    uint32_t id;
    for (unsigned round = 0; round < 6; round++) {
        test_row("round %u", round);
        machine_make();
        machine_add("a");
        machine_begin();
        id = start("a");
        set_devices(id);
        kept = machine_service(id)->manager;
        struct uart16550 *uart = &guest_find_name("a")->uart;
        struct rtc *rtc = &guest_find_name("a")->pc.rtc;
        if (round == 0)
            kept[0] = 0;
        else if (round == 1)
            kept[1]++;
        else if (round == 2)
            memset(kept, 0xff, DOMAIN_KEPT_SIZE);
        else if (round == 3)
            uart->head = UART16550_FIFO;
        else if (round == 4)
            uart->count = UART16550_FIFO + 1;
        else
            rtc->second = UINT64_MAX;
        if (round >= 3)
            guest_save(guest_find_name("a"));
        machine_restart();
        EXPECT_TRUE(guest_adopt_all());
        EXPECT_STREQ(machine_take(),
                     "domain 1 (a): found, running; its devices begin in their reset state\n");
        EXPECT_EQ(machine_in(id, SCR, 1), 0U);
        EXPECT_EQ(machine_in(id, LSR, 1), 0x60U);
        machine_forget();
    }
}

TEST(adopt_answers_what_waits)
{
    machine_make();
    machine_add("a");
    machine_begin();
    uint32_t id = start("a");
    machine_out(id, SCR, 1, 0x5a);
    machine_request(id, SCR, 1, false, 0);
    machine_restart();
    uint32_t completed = fake.completed;
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_EQ(machine_service(id)->pio.data, 0x5aU);
    EXPECT_EQ(machine_service(id)->kind, HV_EXIT_NONE);
    EXPECT_TRUE(fake.completed > completed);
    machine_forget();
}

/* It had ended, and nobody had done anything about it. */
TEST(adopt_an_end)
{
    machine_make();
    machine_add("a");
    machine_begin();
    uint32_t id = start("a");
    machine_request(id, 0xf4, 1, true, 0x10);
    domain_serve(domain_of(id), HV_NOTIFY_VCPU(id, 0));
    machine_restart();
    uint32_t completed = fake.completed;
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_EQ(fake.completed, completed); /* it does not run on */
    EXPECT_STREQ(machine_take(), "domain 1 (a): found, running\n");
    events_run_once();
    EXPECT_STREQ(machine_take(), "domain 1 (a): ended, code 33\n");
    EXPECT_FALSE(fake.domain[id]);
    EXPECT_EQ(guest_find_name("a")->result, GUEST_EXITED);
    machine_forget();
}

TEST(adopt_one_that_is_kept)
{
    machine_make();
    machine_add("a")->on_exit = CONFIG_EXIT_KEEP;
    machine_begin();
    uint32_t id = start("a");
    machine_out(id, 0xf4, 1, 3);
    EXPECT_STREQ(machine_take(), "domain 1 (a): ended, code 7\n");
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_STREQ(machine_take(), "domain 1 (a): found, ended\n");
    EXPECT_TRUE(strstr(machine_command("list"), "ended") != NULL);
    EXPECT_TRUE(strstr(machine_command("list"), "code 7") != NULL);
    events_run_once();
    EXPECT_TRUE(fake.domain[id]);
    EXPECT_STREQ(machine_command("destroy 1"), "domain 1 (a): destroyed\n");
    machine_forget();
}

TEST(adopt_death_paused_and_half_built)
{
    char error[GUEST_ERROR_SIZE];
    machine_make();
    machine_add("dead");
    machine_add("paused");
    machine_add("half");
    machine_begin();
    uint32_t dead = start("dead");
    uint32_t paused = start("paused");
    EXPECT_TRUE(guest_create(guest_find_name("half"), error));
    fake.state[dead] = HV_DOMAIN_DEAD;
    EXPECT_STREQ(machine_command("pause paused"), "domain 2 (paused): paused\n");
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    events_run_once();
    const char *seen = machine_take();
    EXPECT_TRUE(strstr(seen, "domain 1 (dead): died: no reason given") != NULL);
    EXPECT_TRUE(strstr(seen, "domain 2 (paused): found, paused\n") != NULL);
    EXPECT_TRUE(strstr(seen, "domain 3 (half): found before its first start; destroyed\n") != NULL);
    EXPECT_FALSE(fake.domain[dead]);
    EXPECT_STREQ(machine_command("resume 2"), "domain 2 (paused): resumed\n");
    EXPECT_EQ(fake.state[paused], HV_DOMAIN_ACTIVE);
    EXPECT_STREQ(machine_command("destroy 2"), "domain 2 (paused): destroyed\n");
    EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
    machine_forget();
}

TEST(adopt_timeout_goes_on)
{
    machine_make();
    machine_add("a")->timeout = 60;
    machine_begin();
    uint32_t id = start("a");
    uint64_t ends_at = guest_find_name("a")->ends_at;
    EXPECT_NE(ends_at, 0U);
    machine_out(id, SCR, 1, 1);
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_EQ(guest_find_name("a")->timeout.deadline, ends_at);
    machine_forget();
}

/* Made by somebody else: looked at, paused, destroyed, nothing more. */
TEST(adopt_foreign)
{
    static const struct hv_domain_create names[] = {
        {.max_vcpus = 1, .name = "stranger"}, {.max_vcpus = 1, .name = "3"}, {.max_vcpus = 1, .name = "a"}};
    machine_make();
    machine_add("a");
    machine_begin();
    uint32_t own = start("a");
    for (size_t i = 0; i < COUNT(names); i++)
        EXPECT_EQ(call_domain_create(&names[i]), (int64_t)i + 2);
    EXPECT_EQ(call_mem_donate(2, 0x800000, 0, 5, 0), 5);
    EXPECT_EQ(call_vcpu_create(2, 0, 0x900000), 0);
    EXPECT_EQ(call_vcpu_start(2, 0), 0);
    machine_request(2, SCR, 1, false, 0);
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_STREQ(machine_take(),
                 "domain 1 (a): found, running\n"
                 "domain 2 (stranger): found; it is not in the configuration and is not served\n"
                 "domain 3 (3): found; it is not in the configuration and is not served\n"
                 "domain 4 (a): found; it is not in the configuration and is not served\n");
    EXPECT_EQ(guest_find("a")->id, own);
    EXPECT_EQ(machine_service(2)->kind, HV_EXIT_PIO); /* its manager's to answer */
    EXPECT_TRUE(strstr(machine_command("list"), "   2  stranger") != NULL);
    EXPECT_STREQ(machine_command("start 2"),
                 "domain (stranger): it is not in the configuration, another manager serves it\n");
    EXPECT_STREQ(machine_command("console 2"),
                 "domain 2 (stranger): another manager serves its serial port\n");
    EXPECT_STREQ(machine_command("break stranger"),
                 "domain 2 (stranger): another manager serves its serial port\n");
    EXPECT_STREQ(machine_command("pause 2"), "domain 2 (stranger): paused\n");
    EXPECT_EQ(fake.state[2], HV_DOMAIN_PAUSED);
    EXPECT_STREQ(machine_command("resume stranger"), "domain 2 (stranger): resumed\n");
    uint64_t free_before = machine_frames.free_pages;
    EXPECT_STREQ(machine_command("destroy 2"), "domain 2 (stranger): destroyed\n");
    EXPECT_FALSE(fake.domain[2]);
    EXPECT_EQ(machine_frames.free_pages, free_before + 5); /* not the page of another's service */
    EXPECT_TRUE(strstr(machine_command("list"), "stranger") == NULL);
    EXPECT_STREQ(machine_command("destroy 2"), "there is no domain 2; \"list\" shows them\n");
    EXPECT_STREQ(machine_command("destroy 3"), "domain 3 (3): destroyed\n");
    EXPECT_STREQ(machine_command("destroy 4"), "domain 4 (a): destroyed\n");
    EXPECT_TRUE(fake.domain[own]);
    machine_forget();
}

/* The bus that it finds behind the ports is this instance's, with devices in their reset state. */
TEST(adopt_with_a_bus)
{
    machine_make();
    machine_add("a")->rng = true;
    machine_config.domain[0].irqchip = CONFIG_IRQCHIP_FULL;
    machine_begin();
    uint32_t id = start("a");
    uint32_t device = 0;
    for (uint32_t n = 0; n < 32 && device == 0; n++) {
        machine_out(id, 0xcf8, 4, 0x80000000 | n << 11);
        if ((machine_in(id, 0xcfc, 4) & 0xffff) == 0x1af4)
            device = n;
    }
    EXPECT_NE(device, 0U);
    void *former = guest_find_name("a")->pc.pci_host.bus;
    machine_restart();
    EXPECT_TRUE(guest_adopt_all());
    EXPECT_TRUE(strstr(machine_take(), "domain 1 (a): found, running") != NULL);
    EXPECT_TRUE(guest_find_name("a")->pc.pci_host.bus != former);
    EXPECT_EQ(machine_in(id, 0xcf8, 4), 0x80000000U | device << 11);
    EXPECT_EQ(machine_in(id, 0xcfc, 4) & 0xffff, 0x1af4U);
    EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
    EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
    machine_forget();
}

TEST(adopt_nothing)
{
    machine_make();
    machine_add("a");
    machine_begin();
    EXPECT_FALSE(guest_adopt_all());
    EXPECT_STREQ(machine_take(), "");
    machine_forget();
}

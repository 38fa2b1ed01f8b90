/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the manager from the commands down to its calls: what cannot be made leaves nothing behind
 * and says why, listings are JSON, and the life of guests.
 */
#include "mgmt/shell/commands.h"

#include "mgmt/shell/shell.h"
#include "tests/host/mgmt_fake_irq.h"
#include "tests/host/mgmt_machine.h"

static void check_nothing(void)
{
    for (uint32_t i = 0; i < FAKE_DOMAINS; i++)
        EXPECT_FALSE(fake.domain[i]);
    EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
}

TEST(manager_refuses)
{
    static const struct {
        const char *kernel, *module;
        uint64_t cpus, memory, load;
        enum config_type type;
        const char *said;
    } rows[] = {
        {"none.bin", "", 1, 1 << 20, 0, CONFIG_FLAT32,
         "there is no boot module none.bin; add it to the boot"},
        {"k.bin", "none words", 1, 1 << 20, 0, CONFIG_FLAT32, "there is no boot module none; add it"},
        {"k.bin", "", 4, 1 << 20, 0, CONFIG_FLAT32,
         "cpus names CPU 2, but this machine has 2, 0 to 1; change cpus"},
        {"k.bin", "", 0xf000000000000003, 1 << 20, 0, CONFIG_FLAT32, "cpus names CPU 63, but"},
        {"k.bin", "", 1, 1 << 20, 0, CONFIG_AUTO,
         "k.bin has no PVH note, no Multiboot header and no Linux header"},
        {"k.bin", "", 1, 1 << 20, 0, CONFIG_PVH, "k.bin"},
        {"k.bin", "", 1, 1 << 20, 0, CONFIG_MULTIBOOT, "k.bin"},
        {"k.bin", "", 1, 1 << 20, 0, CONFIG_LINUX, "k.bin"},
        {"k.bin", "", 1, 1 << 20, 1 << 20, CONFIG_FLAT32, "the image: 0x40 bytes at 0x100000 are not within"},
        {"k.bin", "", 1, 1 << 20, 0xfffffffff000, CONFIG_FLAT32,
         "load = 0xfffffffff000: 32-bit code begins below"},
        {"k.bin", "", 1, 4ULL << 30, 0x1000, CONFIG_FLAT32, "memory: it needs "},
        {"k.bin", "", 1, 1ULL << 40, 0x1000, CONFIG_FLAT32, "memory: it needs "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[256];
        test_row("row %zu", i);
        machine_make();
        struct config_domain *config = machine_add("a");
        snprintf(config->kernel, sizeof(config->kernel), "%s", rows[i].kernel);
        snprintf(config->module[0], sizeof(config->module[0]), "%s", rows[i].module);
        config->modules = rows[i].module[0] != '\0';
        config->cpus = rows[i].cpus;
        config->memory = rows[i].memory;
        config->load = rows[i].load;
        config->type = rows[i].type;
        machine_begin();
        snprintf(expected, sizeof(expected), "domain (a): %s", rows[i].said);
        const char *seen = machine_command("create a");
        if (strncmp(seen, expected, strlen(expected)) != 0)
            EXPECT_STREQ(seen, expected);
        EXPECT_EQ(strchr(seen, '\n') - seen, (long)strlen(seen) - 1); /* one line */
        check_nothing();
        EXPECT_TRUE(strstr(machine_command("list"), "not built") != NULL);
        machine_forget();
    }
}

/* Boot modules go by their names alone, whatever stands in front. */
TEST(manager_modules_in_folders)
{
    static const struct {
        const char *kernel;
        bool found;
    } rows[] = {{"k.bin", true},    {"a/k.bin", true}, {"/boot/x/k.bin", true}, {"a/k.bin/", false},
                {"k.bin/x", false}, {"k.bi", false},   {"k.bin2", false},       {"/", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].kernel);
        machine_make();
        struct config_domain *config = machine_add("a");
        snprintf(config->kernel, sizeof(config->kernel), "%s", rows[i].kernel);
        machine_begin();
        EXPECT_TRUE(strstr(machine_command("create a"),
                           rows[i].found ? "created" : "there is no boot module") != NULL);
        machine_forget();
    }
}

/* Whichever call fails, nothing is half-made, and it can be made afterwards. */
TEST(manager_every_call_fails_once)
{
    unsigned failures = 0;
    for (uint32_t n = 1;; n++) {
        test_row("call %u", n);
        machine_make();
        machine_add("a")->vcpus = 3;
        machine_begin();
        fake.fail_at = n;
        fake.fail_with = -HV_ENOMEM;
        const char *seen = machine_command("create a");
        if (!fake.failed) {
            EXPECT_STREQ(seen, "domain 1 (a): created\n");
            EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
            machine_forget();
            break;
        }
        failures++;
        EXPECT_TRUE(strncmp(seen, "domain (a): ", 12) == 0);
        check_nothing();
        EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
        EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
        check_nothing();
        machine_forget();
    }
    EXPECT_TRUE(failures > 10);
}

/* Each command in each state of a guest: refused with a reason, or done. */
TEST(manager_commands_by_state)
{
    static const struct {
        const char *command, *said;
    } rows[] = {
        {"pause a", "domain (a): it is off\n"},
        {"resume a", "domain (a): it is off\n"},
        {"destroy a", "domain (a): there is no such domain now\n"},
        {"break a", "domain (a): it is off\n"},
        {"create a", "domain 1 (a): created\n"},
        {"create a", "domain (a): it is there already, created\n"},
        {"pause a", "domain (a): it is created\n"},
        {"start a", "domain 1 (a): started\n"},
        {"start 1", "domain (a): it is running; create it first\n"},
        {"resume 1", "domain (a): it is running\n"},
        {"break 1", "domain 1 (a): BREAK sent\n"},
        {"pause 1", "domain 1 (a): paused\n"},
        {"pause 1", "domain (a): it is paused\n"},
        {"resume 1", "domain 1 (a): resumed\n"},
        {"destroy 1", "domain 1 (a): destroyed\n"},
        {"destroy 1", "there is no domain 1; \"list\" shows them\n"},
        {"start", "usage: start domain\n"},
        {"start a b", "usage: start domain\n"},
        {"start 99999999999999999999", "there is no domain 99999999999999999999; \"list\" shows them\n"},
        {"start -1", "there is no domain -1; \"list\" shows them\n"},
        {"nonsense", "there is no command nonsense; \"help\" lists them\n"},
        {"help nonsense", "there is no command nonsense; \"help\" lists them\n"},
    };
    machine_make();
    machine_add("a");
    machine_begin();
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].command);
        EXPECT_STREQ(machine_command(rows[i].command), rows[i].said);
    }
    check_nothing();
    machine_forget();
}

TEST(manager_restarts_a_guest)
{
    machine_make();
    machine_add("a")->on_exit = CONFIG_EXIT_RESTART;
    machine_begin();
    EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
    for (unsigned round = 0; round < 20; round++) {
        machine_out(1, 0x3ff, 1, 0x5a);
        machine_out(1, 0xcf9, 1, 6);
        EXPECT_STREQ(machine_take(), "domain 1 (a): reset\n");
        EXPECT_TRUE(fake.domain[1] && fake.started[1] == 1);
        EXPECT_EQ(machine_in(1, 0x3ff, 1), 0U); /* its devices are new */
    }
    machine_out(1, 0x604, 2, 0x2000);
    EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
    check_nothing();
    machine_forget();
}

static bool line(uint32_t gsi)
{
    return fake_irq.line[gsi];
}

/* Serial port, clock and power management on their lines; nothing of it without an I/O APIC. */
TEST(manager_connects_interrupts)
{
    for (int chip = CONFIG_IRQCHIP_NONE; chip <= CONFIG_IRQCHIP_FULL; chip++) {
        bool full = chip == CONFIG_IRQCHIP_FULL;
        test_row("irqchip %d", chip);
        machine_make();
        fake_irq_reset();
        machine_add("a")->irqchip = (enum config_irqchip)chip;
        machine_begin();
        EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
        machine_out(1, 0x3fc, 1, 8);
        machine_out(1, 0x3f9, 1, 1);
        guest_type(guest_get(0), 'x');
        EXPECT_EQ(line(4), full);
        EXPECT_EQ(machine_in(1, 0x3f8, 1), (uint64_t)'x');
        EXPECT_FALSE(line(4));
        machine_out(1, 0x3f9, 1, 2); /* the transmitter is empty */
        EXPECT_EQ(line(4), full);
        EXPECT_EQ(machine_in(1, 0x3fa, 1), 2U);
        EXPECT_FALSE(line(4));
        machine_out(1, 0x70, 1, 0x0b);
        machine_out(1, 0x71, 1, 0x42); /* 1024 Hz */
        for (unsigned n = 0; n < 2000000 && !line(8) && full; n++)
            events_run_once(); /* the test's clock is the TSC */
        EXPECT_EQ(line(8), full);
        machine_out(1, 0x70, 1, 0x0c);
        uint64_t flags = machine_in(1, 0x71, 1) & 0xc0;
        EXPECT_TRUE(!full || flags == 0xc0);
        EXPECT_FALSE(line(8));
        machine_out(1, 0x70, 1, 0x0b);
        machine_out(1, 0x71, 1, 0x02);
        EXPECT_EQ(guest_get(0)->wakes_at, UINT64_MAX);
        machine_out(1, 0x602, 2, 1);
        EXPECT_EQ(guest_get(0)->wakes_at != UINT64_MAX, full);
        guest_get(0)->pc.acpi_pm.start -= 3000000000; /* three seconds later */
        (void)machine_in(1, 0x608, 4);
        EXPECT_EQ(line(9), full);
        machine_out(1, 0x600, 2, 1);
        EXPECT_FALSE(line(9));
        EXPECT_EQ(fake_irq.lines, full ? 8U : 0U);
        EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
        EXPECT_EQ(guest_get(0)->wakes_at, UINT64_MAX);
        check_nothing();
        machine_forget();
    }
}

TEST(manager_shows_the_log)
{
    machine_make();
    machine_add("a");
    machine_begin();
    EXPECT_STREQ(machine_command("dmesg"), "");
    EXPECT_STREQ(machine_command("dmesg --json"), "[\n]\n");
    snprintf(fake.log, sizeof(fake.log), "one\n\ntwo \"quoted\"");
    EXPECT_STREQ(machine_command("dmesg"), "one\n\ntwo \"quoted\"\n");
    EXPECT_STREQ(machine_command("dmesg --json"),
                 "[\n  {\"line\": \"one\"},\n  {\"line\": \"\"},\n  {\"line\": \"two \\\"quoted\\\"\"}\n]\n");
    fake.log_lost = 7;
    EXPECT_STREQ(machine_command("dmesg"), "one\n\ntwo \"quoted\"\n(7 bytes were overwritten before)\n");
    memset(fake.log, 'x', 3000); /* a line is cut where it is too long, and nothing of it is lost */
    fake.log[3000] = '\0';
    const char *seen = machine_command("dmesg");
    size_t x = 0;
    for (const char *at = seen; *at; at++)
        x += *at == 'x';
    EXPECT_EQ(x, 3000U);
    machine_forget();
}

/* What a program reads is checked by a program. */
static void check_json(const char *command)
{
    FILE *tool = popen("python3 -m json.tool > /dev/null", "w");
    ASSERT_TRUE(tool != NULL);
    const char *text = machine_command(command);
    EXPECT_EQ(text[0], '[');
    EXPECT_EQ(fwrite(text, 1, strlen(text), tool), strlen(text));
    test_row("%s", command);
    EXPECT_EQ(pclose(tool), 0);
}

TEST(manager_json)
{
    static const char *const commands[] = {"list --json",    "info a --json",  "info b --json",
                                           "info --json 1",  "vcpus --json",   "vcpus a --json",
                                           "vcpus --json b", "stats --json",   "stats a --json",
                                           "stats --json b", "modules --json", "dmesg --json"};
    machine_make();
    struct config_domain *config = machine_add("a");
    machine_add("b");
    snprintf(config->cmdline, sizeof(config->cmdline), "%s", "quotes \" and \\ and \xc3\xa4 and\ttab");
    machine_begin();
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strchr(commands[i], '1'))
            check_json(commands[i]); /* nothing runs */
    EXPECT_TRUE(strstr(machine_command("list --json"), "{\"id\": null, \"name\": \"a\"") != NULL);
    EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        check_json(commands[i]);
    EXPECT_TRUE(strstr(machine_command("list --json"), "{\"id\": 1, \"name\": \"a\"") != NULL);
    EXPECT_STREQ(machine_command("destroy a"), "domain 1 (a): destroyed\n");
    EXPECT_TRUE(strstr(machine_command("list --json"), "\"last_result\": \"destroyed\"") != NULL);
    machine_forget();
}

static void type(const char *text, size_t length)
{
    memcpy(fake.input + fake.input_length, text, length);
    fake.input_length += (uint32_t)length;
}

/* What is typed is read when the port says so, all of it; or, where it cannot, by and by. */
TEST(manager_reads_the_console)
{
    for (unsigned silent = 0; silent < 2; silent++) {
        test_row("silent %u", silent);
        machine_make();
        fake_irq_reset();
        machine_add("a");
        fake.console_is_silent = silent;
        machine_begin();
        shell_init(&machine_frames, 1000000);
        EXPECT_EQ(fake.console_notifier != 0, silent == 0);
        EXPECT_EQ(fake_irq_open(), silent ? 0U : 1U);
        (void)machine_take();
        type("\025list\rpause a\r", 14);
        for (unsigned i = 0; i < 300; i++)
            type("\025", 1);                /* more than one call brings */
        type("\xff\x00\x00x\xff\xffyz", 9); /* a BREAK, which is nobody's here, and a byte 0xff */
        if (!silent)
            fake_notify(fake_irq.notifier[fake.console_notifier - 1].bind.number);
        for (unsigned n = 0; n < 100000000 && fake.input_length != 0 && (silent || n < 2); n++)
            events_run_once();
        EXPECT_EQ(fake.input_length, 0U);
        const char *seen = machine_take();
        EXPECT_TRUE(strstr(seen, "last_result\n") != NULL);
        EXPECT_TRUE(strstr(seen, "domain (a): it is off\n") != NULL);
        EXPECT_STREQ(seen + strlen(seen) - 3, "xyz");
        machine_forget();
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/config: each key right and wrong, and what a complaint must say: line, key, value and
 * what to write.
 */
#include "mgmt/config/config.h"

#include "mgmt/config/config_keys.h"
#include "tests/host/test.h"

static struct config config;
static char said[8192]; /* "line: sentence\n" per complaint */

static void note(void *ctx, uint32_t line, const char *sentence)
{
    size_t used = strlen(said);
    EXPECT_TRUE(ctx == said);
    snprintf(said + used, sizeof(said) - used, "%u: %s\n", line, sentence);
}

/* Parses a copy of exactly that size. */
static bool parse_bytes(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    said[0] = '\0';
    bool ok = config_parse(&config, copy, length, note, said);
    EXPECT_EQ(ok, said[0] == '\0');
    EXPECT_EQ(ok, config.complaints == 0);
    EXPECT_TRUE(config.domains <= CONFIG_DOMAINS_MAX);
    free(copy);
    return ok;
}

static bool parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

TEST(config_everything_right)
{
    static const char text[] = "# a comment\n"
                               "on_end = poweroff\n"
                               "\n"
                               "[first]\n"
                               "kernel = hello.bin\n"
                               "; another comment\n"
                               "type=flat16\n"
                               "cmdline = root=/dev/vda ; not a comment # neither\n"
                               "module = initrd.gz the words\n"
                               "module = second\n"
                               "memory = 3G\n"
                               "vcpus = 4\n"
                               "priority = 255\n"
                               "cpus = 0,2-3,63\n"
                               "autostart = yes\n"
                               "console = quiet\n"
                               "on_exit = restart\n"
                               "success = 0\n"
                               "load = 0x600\n"
                               "timeout = 10\r\n"
                               "[second.one-2_x]\n"
                               "kernel: vmlinux\n";
    EXPECT_TRUE(parse(text));
    EXPECT_STREQ(said, "");
    EXPECT_EQ(config.on_end, CONFIG_END_POWEROFF);
    ASSERT_EQ(config.domains, 2U);
    const struct config_domain *d = &config.domain[0];
    EXPECT_STREQ(d->name, "first");
    EXPECT_EQ(d->line, 4U);
    EXPECT_STREQ(d->kernel, "hello.bin");
    EXPECT_EQ(d->type, CONFIG_FLAT16);
    EXPECT_STREQ(d->cmdline, "root=/dev/vda ; not a comment # neither");
    EXPECT_EQ(d->modules, 2U);
    EXPECT_STREQ(d->module[0], "initrd.gz the words");
    EXPECT_STREQ(d->module[1], "second");
    EXPECT_EQ(d->memory, 3ULL << 30);
    EXPECT_EQ(d->vcpus, 4U);
    EXPECT_EQ(d->priority, 255U);
    EXPECT_EQ(d->cpus, 0x800000000000000dULL);
    EXPECT_TRUE(d->autostart);
    EXPECT_EQ(d->console, CONFIG_CONSOLE_QUIET);
    EXPECT_EQ(d->on_exit, CONFIG_EXIT_RESTART);
    EXPECT_EQ(d->success, 0U);
    EXPECT_EQ(d->load, 0x600U);
    EXPECT_EQ(d->timeout, 10U);
    d = &config.domain[1];
    EXPECT_STREQ(d->name, "second.one-2_x");
    EXPECT_STREQ(d->kernel, "vmlinux");
    EXPECT_EQ(d->type, CONFIG_AUTO);
    EXPECT_EQ(d->memory, 16ULL << 20);
    EXPECT_EQ(d->vcpus, 1U);
    EXPECT_EQ(d->cpus, UINT64_MAX);
    EXPECT_FALSE(d->autostart);
    EXPECT_EQ(d->success, 33U);
    EXPECT_EQ(d->load, 0x100000U);
}

TEST(config_empty_texts)
{
    EXPECT_TRUE(parse(""));
    EXPECT_EQ(config.domains, 0U);
    EXPECT_EQ(config.on_end, CONFIG_END_SHELL);
    EXPECT_TRUE(parse("\n\n \t\n# x"));
    EXPECT_TRUE(parse("\xef\xbb\xbf[a]\nkernel=k\n"));
    EXPECT_EQ(config.domains, 1U);
}

/* One line of a domain that must be refused, and words of the complaint. */
TEST(config_wrong_values)
{
    static const struct {
        const char *line, *words[3];
    } rows[] = {
        {"kernel =", {"kernel = :", "boot module"}},
        {"kernel = a b", {"without blanks"}},
        {"kernel = 0123456789012345678901234567890123456789012345678901234567890123", {"at most 63"}},
        {"type = elf", {"type = elf", "auto, flat16, flat32, multiboot, pvh, linux, linux32"}},
        {"type =", {"write one of"}},
        {"type = Flat16", {"write one of"}},
        {"module =", {"boot module"}},
        {"memory = 16", {"memory = 16:", "64K to 1T"}},
        {"memory = 16MB", {"64K to 1T"}},
        {"memory = -1", {"64K to 1T"}},
        {"memory = 2T", {"64K to 1T"}},
        {"memory = 65537", {"multiple of 4K"}},
        {"memory = 99999999999999999999", {"64K to 1T"}},
        {"memory = 18014398509481984K", {"64K to 1T"}},
        {"memory = M", {"64K to 1T"}},
        {"memory =", {"64K to 1T"}},
        {"vcpus = 0", {"vcpus = 0:", "from 1 to 64"}},
        {"vcpus = 65", {"from 1 to 64"}},
        {"vcpus = one", {"from 1 to 64"}},
        {"vcpus = 1 2", {"from 1 to 64"}},
        {"vcpus = +1", {"from 1 to 64"}},
        {"priority = 256", {"from 0 to 255"}},
        {"cpus = 64", {"CPUs from 0 to 63"}},
        {"cpus = 3-1", {"CPUs from 0 to 63"}},
        {"cpus = 1,", {"CPUs from 0 to 63"}},
        {"cpus = ,1", {"CPUs from 0 to 63"}},
        {"cpus = 1-", {"CPUs from 0 to 63"}},
        {"cpus = 1;2", {"CPUs from 0 to 63"}},
        {"cpus =", {"CPUs from 0 to 63"}},
        {"autostart = true", {"no, yes"}},
        {"console = off", {"on, quiet"}},
        {"on_exit = reboot", {"destroy, keep, restart"}},
        {"success = 4294967296", {"from 0 to 4294967295"}},
        {"load = here", {"0x7c00 or 1M"}},
        {"load = 0x", {"0x7c00 or 1M"}},
        {"load = 0x10000000000000000", {"0x7c00 or 1M"}},
        {"timeout = 86401", {"from 0 to 86400"}},
        {"timeout = 1s", {"from 0 to 86400"}},
        {"irqchip = 8259", {"irqchip = 8259:", "none, split, full"}},
        {"acpi = maybe", {"acpi = maybe:", "auto, no, yes"}},
        {"virtio = isa", {"virtio = isa:", "pci, mmio"}},
        {"rng = on", {"no, yes"}},
        {"vcon = 1", {"no, yes"}},
        {"disk =", {"boot module's name"}},
        {"disk = a,rw", {"disk = a,rw:", ",ro or ,cow"}},
        {"disk = a,", {",ro or ,cow"}},
        {"disk = ,ro", {"boot module's name"}},
        {"disk = a b,ro", {"boot module's name"}},
        {"disk = a,cow,ro", {",ro or ,cow"}},
        {"disk = 0123456789012345678901234567890123456789012345678901234567890123", {"boot module's name"}},
        {"disk = empty", {"a size from 4K to 512G"}},
        {"disk = empty,ro", {"a size from 4K to 512G"}},
        {"disk = empty,513G", {"a size from 4K to 512G"}},
        {"disk = empty,6000", {"a size from 4K to 512G"}},
        {"disk = empty,0", {"a size from 4K to 512G"}},
        {"net =", {"name of a switch"}},
        {"net = 01234567890123456789012345678901", {"at most 31"}},
        {"disk = a", {"irqchip = full"}},
        {"net = a", {"irqchip = full"}},
        {"rng = yes", {"irqchip = full"}},
        {"vcon = yes", {"irqchip = full"}},
        {"Memory = 1M", {"Memory = 1M:", "no such key", "kernel, type, cmdline"}},
        {"on_end = shell", {"no such key", "timeout"}},
        {"= 5", {"no such key"}},
        {"just words", {"just words:", "neither [domain] nor key = value"}},
        {"[open", {"without its ]"}},
    };
    char text[256];
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].line);
        snprintf(text, sizeof(text), "[d]\n%s\n[e]\nkernel = k\n", rows[i].line);
        EXPECT_FALSE(parse(text));
        EXPECT_TRUE(strstr(said, strstr(said, "interrupts") ? "1: " : "2: ") !=
                    NULL); /* of the whole domain */
        for (size_t w = 0; w < 3 && rows[i].words[w]; w++)
            if (!strstr(said, rows[i].words[w]))
                EXPECT_STREQ(said, rows[i].words[w]);
    }
}

TEST(config_wrong_globals)
{
    EXPECT_FALSE(parse("on_end = halt\n"));
    EXPECT_STREQ(said, "1: on_end = halt: write one of: shell, poweroff, reboot\n");
    EXPECT_FALSE(parse("kernel = k\n"));
    EXPECT_STREQ(said, "1: kernel = k: there is no such key before the first [domain]; the keys "
                       "are: on_end, banner\n");
    EXPECT_FALSE(parse("on_end = shell\non_end = shell\n"));
    EXPECT_STREQ(said, "2: on_end = shell: on_end is given twice; remove one of the lines\n");
}

TEST(config_banner)
{
    char text[1024], line[CONFIG_BANNER_SIZE + 1];
    EXPECT_TRUE(parse("banner =  two words \nbanner = type: list\n"));
    EXPECT_EQ(config.banners, 2U);
    EXPECT_STREQ(config.banner[0], "two words");
    EXPECT_STREQ(config.banner[1], "type: list");
    EXPECT_FALSE(parse("banner = 1\nbanner = 2\nbanner = 3\nbanner = 4\nbanner = 5\nbanner = 6\nbanner = 7\n"
                       "banner = 8\nbanner = 9\n"));
    EXPECT_STREQ(said, "9: banner = 9: at most 8 lines\n");
    memset(line, 'x', sizeof(line) - 1);
    for (size_t length = CONFIG_BANNER_SIZE - 1; length <= CONFIG_BANNER_SIZE; length++) {
        snprintf(text, sizeof(text), "banner = %.*s\n", (int)length, line);
        EXPECT_EQ(parse(text), length < CONFIG_BANNER_SIZE);
    }
}

/* Where each file is named, for who looks for it. */
TEST(config_lines_of_files)
{
    EXPECT_TRUE(parse("[a]\n\nkernel = k\nirqchip = full\nmodule = m\n# nothing\nmodule = n\ndisk = d\n"
                      "disk = empty,4K\n[b]\nkernel = l\n"));
    const struct config_domain *d = config.domain;
    EXPECT_EQ(d[0].kernel_line, 3U);
    EXPECT_EQ(d[0].module_line[0], 5U);
    EXPECT_EQ(d[0].module_line[1], 7U);
    EXPECT_EQ(d[0].disk[0].line, 8U);
    EXPECT_EQ(d[1].kernel_line, 11U);
}

TEST(config_names)
{
    static const char *const bad[] = {"",     "12",  "a b", "a/b",   "a\xc3\xa4",
                                      "a\tb", "a:b", "+a",  "a\x01", "01234567890123456789012345678901"};
    char text[128];
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row("[%s]", bad[i]);
        snprintf(text, sizeof(text), "[%s]\nkernel = k\n", bad[i]);
        EXPECT_FALSE(parse(text));
        EXPECT_TRUE(strncmp(said, "1: ", 3) == 0);
        EXPECT_EQ(config.domains, 0U);
    }
    EXPECT_TRUE(parse("[0123456789012345678901234567890-]\nkernel=k\n") == false);
    EXPECT_TRUE(parse("[012345678901234567890123456789-]\nkernel=k\n"));
}

TEST(config_twice_and_missing)
{
    EXPECT_FALSE(parse("[a]\nkernel=x\nmemory=1M\nmemory=2M\n"));
    EXPECT_STREQ(said, "4: memory = 2M: memory is given twice; remove one of the lines\n");
    EXPECT_FALSE(parse("[a]\nkernel=x\n[b]\nkernel=y\n[a]\nkernel=z\nvcpus=0\n"));
    EXPECT_STREQ(said, "5: [a]: this domain is there already, in line 1; rename one of them\n");
    EXPECT_FALSE(parse("\n[a]\nmemory=1M\n"));
    EXPECT_STREQ(said, "2: [a]: kernel is missing; write kernel = boot module\n");
    EXPECT_FALSE(parse("[a]\nkernel=x\nload=0\n"));
    EXPECT_STREQ(said, "1: [a]: load is for type = flat16 and flat32; other images know their "
                       "address\n");
    EXPECT_FALSE(parse("[a]\nvcpus=0\nmemory=1\nwhat=1\n"));
    EXPECT_EQ(config.complaints, 4U); /* all in one go */
}

TEST(config_virtio)
{
    EXPECT_TRUE(parse("[a]\nkernel = k\nirqchip = full\nvirtio = mmio\ndisk = root.img\ndisk = data.img,cow\n"
                      "disk = third,ro\ndisk = empty,64M\nnet = lan\nnet = dmz\nrng = yes\nvcon = yes\n"
                      "[b]\nkernel = k\nirqchip = split\ndisk = empties,cow\n[c]\nkernel = k\n"));
    const struct config_domain *d = config.domain;
    EXPECT_EQ(d[0].virtio, CONFIG_VIRTIO_MMIO);
    EXPECT_EQ(d[0].disks, 4U);
    EXPECT_STREQ(d[0].disk[0].module, "root.img");
    EXPECT_FALSE(d[0].disk[0].cow);
    EXPECT_STREQ(d[0].disk[1].module, "data.img");
    EXPECT_TRUE(d[0].disk[1].cow);
    EXPECT_FALSE(d[0].disk[2].cow);
    EXPECT_STREQ(d[0].disk[3].module, "");
    EXPECT_EQ(d[0].disk[3].size, 64ULL << 20);
    EXPECT_TRUE(d[0].disk[3].cow && d[0].rng && d[0].vcon);
    EXPECT_EQ(d[0].nets, 2U);
    EXPECT_STREQ(d[0].net[1], "dmz");
    EXPECT_EQ(d[1].virtio, CONFIG_VIRTIO_PCI);
    EXPECT_STREQ(d[1].disk[0].module, "empties");
    EXPECT_TRUE(d[1].disk[0].cow);
    EXPECT_EQ(d[2].disks + d[2].nets + d[2].rng + d[2].vcon, 0U);
    EXPECT_FALSE(parse("[a]\nkernel = k\nirqchip = split\nvirtio = mmio\nrng = yes\n"));
    EXPECT_STREQ(said, "1: [a]: disk, net, rng and vcon need interrupts; write irqchip = full\n");
    EXPECT_FALSE(
        parse("[a]\nkernel = k\nirqchip = full\ndisk = a\ndisk = b\ndisk = c\ndisk = d\ndisk = e\n"));
    EXPECT_STREQ(said, "8: disk = e: at most 4 disks\n");
    EXPECT_FALSE(parse("[a]\nkernel = k\nirqchip = full\nnet = a\nnet = b\nnet = c\n"));
    EXPECT_STREQ(said, "6: net = c: at most 2 network devices\n");
}

/* Each key but module; an old value stays. A key without a value, or without even an =, is told too. */
TEST(config_every_key_twice_and_empty)
{
    static const char *const rows[][2] = {
        {"kernel", "k"},   {"type", "flat32"},  {"cmdline", "words"}, {"memory", "1M"},
        {"vcpus", "1"},    {"priority", "1"},   {"cpus", "0"},        {"autostart", "no"},
        {"console", "on"}, {"on_exit", "keep"}, {"success", "1"},     {"load", "0x1000"},
        {"timeout", "1"},  {"irqchip", "none"}, {"acpi", "no"},       {"virtio", "mmio"},
        {"rng", "no"},     {"vcon", "no"},
    };
    char text[256], wanted[128], names[512];
    config_key_list(false, names, sizeof(names));
    uint32_t keys = 1;
    for (const char *at = names; (at = strchr(at, ',')) != NULL; at++)
        keys++;
    EXPECT_EQ(keys, COUNT(rows) + 3); /* the others are module, disk and net: no key is left out here */
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *key = rows[i][0], *value = rows[i][1], *kernel = i == 0 ? "" : "kernel = k\n";
        test_row("%s", key);
        snprintf(text, sizeof(text), "[d]\n%s%s = %s\n", kernel, key, value);
        EXPECT_EQ(parse(text), strcmp(key, "load") != 0); /* load is for a flat type */
        snprintf(text, sizeof(text), "[d]\n%s = %s\n%s = %s\n", key, value, key, value);
        EXPECT_FALSE(parse(text));
        snprintf(wanted, sizeof(wanted), "3: %s = %s: %s is given twice; remove one of the lines\n", key,
                 value, key);
        EXPECT_TRUE(strstr(said, wanted) != NULL);
        snprintf(text, sizeof(text), "[d]\n%s =\n", key);
        EXPECT_FALSE(parse(text));
        EXPECT_TRUE(strcmp(key, "cmdline") == 0 || strstr(said, "2: ") != NULL);
        snprintf(text, sizeof(text), "[d]\n%s\n", key);
        EXPECT_FALSE(parse(text));
        snprintf(wanted, sizeof(wanted), "2: %s: neither [domain] nor key = value\n", key);
        EXPECT_TRUE(strstr(said, wanted) != NULL);
    }
}

TEST(config_limits)
{
    static char text[CONFIG_DOMAINS_MAX * 40 + 4096];
    size_t used = 0;
    for (unsigned i = 0; i < CONFIG_DOMAINS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "[d%u]\nkernel=k\n", i);
    EXPECT_TRUE(parse(text));
    EXPECT_EQ(config.domains, CONFIG_DOMAINS_MAX);
    snprintf(text + used, sizeof(text) - used, "[one-more]\nkernel=k\n");
    EXPECT_FALSE(parse(text));
    EXPECT_TRUE(strstr(said, "more than 64 domains") != NULL);
    used = (size_t)snprintf(text, sizeof(text), "[d]\nkernel=k\n");
    for (unsigned i = 0; i <= CONFIG_MODULES_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "module=m\n");
    EXPECT_FALSE(parse(text));
    EXPECT_TRUE(strstr(said, "19: module = m: at most 16 modules") != NULL);
}

TEST(config_long_lines)
{
    static char text[4096];
    for (size_t length = 1000; length < 2100; length += 1) {
        int head = snprintf(text, sizeof(text), "[d]\nkernel=k\ncmdline=");
        size_t start = (size_t)head;
        memset(text + start, 'x', length);
        text[start + length] = '\0';
        bool ok = parse(text);
        EXPECT_EQ(ok, length < CONFIG_CMDLINE_SIZE);
        if (!ok)
            EXPECT_TRUE(strstr(said, "3: ") != NULL);
    }
}

TEST(config_bytes_that_are_not_text)
{
    EXPECT_FALSE(parse_bytes("[d]\nkernel=k\0\n", 15));
    EXPECT_STREQ(said, "2: byte 0 is not text; write the file anew\n");
    EXPECT_FALSE(parse_bytes("\x7f"
                             "ELF",
                             4));
    EXPECT_FALSE(parse_bytes("[d]\n\x1b[31m", 9));
}

TEST(config_survives_anything)
{
    static const char *const pieces[] = {
        "[", "]", "[a]",  "kernel", "=",   "\n", "memory", "1M",    "cpus",     "0-3",      ",",    " ",
        ";", "#", "\r\n", "load",   "0x1", ":",  "on_end", "shell", "poweroff", "\xef\xbb", "type", "flat16"};
    uint32_t state = 3;
    for (uint32_t round = 0; round < 20000; round++) {
        char text[256];
        size_t used = 0;
        for (uint32_t n = 0; n < 24; n++) {
            state = state * 1664525U + 1013904223U;
            const char *piece = pieces[(state >> 8) % COUNT(pieces)];
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", piece);
        }
        (void)parse_bytes(text, used);
        for (uint32_t i = 0; i < config.domains; i++)
            EXPECT_TRUE(config.domain[i].memory % 4096 == 0 && config.domain[i].vcpus >= 1);
    }
}

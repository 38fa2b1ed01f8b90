/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the shell's commands on interrupts, from the line that is typed to the call: what is refused and
 * with which words, what a route becomes, listings for people and programs, paging of a large table.
 */
#include "tests/host/mgmt_fake_irq.h"
#include "tests/host/mgmt_fake_route.h"
#include "tests/host/mgmt_machine.h"

struct row {
    const char *command, *said;
};

static void fresh(bool start)
{
    machine_make();
    fake_irq_reset();
    fake_route_reset();
    machine_add("a")->vcpus = 2;
    machine_add("b");
    machine_begin();
    if (start)
        EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
}

static void run(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row("%s", rows[i].command);
        EXPECT_STREQ(machine_command(rows[i].command), rows[i].said);
    }
}

static void check_json(const char *command)
{
    FILE *tool = popen("python3 -m json.tool > /dev/null", "w");
    ASSERT_TRUE(tool != NULL);
    const char *text = machine_command(command);
    test_row("%s: %s", command, text);
    EXPECT_EQ(text[0], '[');
    EXPECT_EQ(fwrite(text, 1, strlen(text), tool), strlen(text));
    EXPECT_EQ(pclose(tool), 0);
}

static unsigned lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Every word that has no meaning, and every domain that is not there: one line, and no call. */
TEST(irq_shell_refuses)
{
    static const struct row rows[] = {
        {"irqs", "usage: irqs domain [gsi] [--json]\n"},
        {"irqs --json", "usage: irqs domain [gsi] [--json]\n"},
        {"latency", "usage: latency domain [--json]\n"},
        {"latency --json", "usage: latency domain [--json]\n"},
        {"latency a 4", "usage: latency domain [--json]\n"},
        {"latency b", "domain (b): it is off\n"},
        {"irqs c", "there is no domain c; \"list\" shows them\n"},
        {"irqs b", "domain (b): it is off\n"},
        {"irqs a x", "GSI: x is no number\n"},
        {"irqs a 131072", "GSI: 131072 is too large, the largest is 131071\n"},
        {"routes b --json", "domain (b): it is off\n"},
        {"routes a -1", "GSI: -1 is no number\n"},
        {"route",
         "usage: route add|del|get domain gsi [pic pin | ioapic n pin | msi address data | gsi n]\n"},
        {"route a", "usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]\n"},
        {"route move a 5",
         "usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]\n"},
        {"route del a 5 --json",
         "usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]\n"},
        {"route get a 5 6",
         "usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]\n"},
        {"route add a 5",
         "usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]\n"},
        {"route get b 5", "domain (b): it is off\n"},
        {"route get a 5x", "GSI: 5x is no number\n"},
        {"route get a 100", "domain 1 (a): GSI 100: it has no route\n"},
        {"route del a 100", "domain 1 (a): GSI 100: it has no route\n"},
        {"route add a 100 nowhere",
         "usage: route add domain gsi pic pin | ioapic n pin | msi address data | gsi n\n"},
        {"route add a 100 msi 0xfee00000",
         "usage: route add domain gsi pic pin | ioapic n pin | msi address data | gsi n\n"},
        {"route add a 100 pic 16", "pin: 16 is too large, the largest is 15\n"},
        {"route add a 100 ioapic 3 1", "ioapic: 3 is too large, the largest is 2\n"},
        {"route add a 100 ioapic 0 96", "pin: 96 is too large, the largest is 95\n"},
        {"route add a 100 msi 0xfee00000 0x100000000",
         "data: 0x100000000 is too large, the largest is 4294967295\n"},
        {"route add a 100 msi 0xfed00000 0x41", "domain 1 (a): GSI 100: invalid argument\n"},
        {"route add a 5000 gsi 5", "domain 1 (a): GSI 5000: invalid argument\n"},
        {"route add a 5 msi 0xfee00000 0x41",
         "domain 1 (a): GSI 5 has a route; \"route del\" takes it away\n"},
        {"route add a 5 pic 7",
         "domain 1 (a): GSI 5 has a pin of that controller; \"route del\" takes it away\n"},
        {"inject a 2 32", "vCPU: 2 is too large, the largest is 1\n"},
        {"inject a 0 256", "vector: 256 is too large, the largest is 255\n"},
        {"inject a 0 15", "domain 1 (a): vector 15: invalid argument\n"},
        {"inject a 0", "usage: inject domain vcpu vector\n"},
        {"inject b 0 32", "domain (b): it is off\n"},
        {"msi a 0xfee00000 x", "data: x is no number\n"},
        {"msi a 99999999999999999999 1",
         "address: 99999999999999999999 is too large, the largest is 18446744073709551614\n"},
        {"irq-line a 5 2", "level: 2 is too large, the largest is 1\n"},
        {"irq-line a 300 1", "domain 1 (a): GSI 300 up: invalid argument\n"},
        {"nmi a two", "vCPU: two is no number\n"},
        {"nmi c 0", "there is no domain c; \"list\" shows them\n"},
    };
    fresh(true);
    static struct fake_route before;
    before = fake_route;
    run(rows, COUNT(rows));
    EXPECT_TRUE(memcmp(&before, &fake_route, sizeof(before)) == 0); /* nothing was changed */
    EXPECT_EQ(fake_irq.lines, 0U);
    machine_forget();
}

TEST(irq_shell_routes)
{
    static const struct row rows[] = {
        {"route add a 100 msi 0xfee01000 0x4041", "domain 1 (a): GSI 100: routed\n"},
        {"route get a 100", "   gsi  kind    chip  pin  address               data      to\n"
                            "   100  msi        -    -  0xfee01000           16449       -\n"},
        {"route get a 100 --json", "[\n  {\"gsi\": 100, \"kind\": \"msi\", \"chip\": null, \"pin\": null, "
                                   "\"address\": \"0xfee01000\", \"data\": 16449, \"to\": null}\n]\n"},
        {"route get a 101 --json", "[\n]\n"},
        {"route add a 101 gsi 100", "domain 1 (a): GSI 101: routed\n"},
        {"route add a 102 ioapic 1 5", "domain 1 (a): GSI 102: routed\n"},
        {"route add a 102 pic 12", "domain 1 (a): GSI 102: routed\n"},
        {"route add a 103 msi 0x0000020000000000 1", "domain 1 (a): GSI 103: invalid argument\n"},
        {"route add a 103 msi 0x00000200fee00000 1", "domain 1 (a): GSI 103: routed\n"},
        {"routes a 100", "   gsi  kind    chip  pin  address               data      to\n"
                         "   100  msi        -    -  0xfee01000           16449       -\n"
                         "   101  gsi        -    -  -                        -     100\n"
                         "   102  ioapic     1    5  -                        -       -\n"
                         "   102  pic        -   12  -                        -       -\n"
                         "   103  msi        -    -  0x200fee00000            1       -\n"},
        {"route del a 101", "domain 1 (a): GSI 101: its route is gone\n"},
        {"route del a 101", "domain 1 (a): GSI 101: it has no route\n"},
        {"route get a 101", "domain 1 (a): GSI 101: it has no route\n"},
    };
    fresh(true);
    run(rows, COUNT(rows));
    EXPECT_EQ(fake_route.count[100], 1U);
    EXPECT_EQ(fake_route.count[101], 0U);
    EXPECT_EQ(fake_route.count[102], 2U);
    EXPECT_EQ(fake_route.route[102][0].irqchip.chip, HV_CHIP_IOAPIC + 1U);
    EXPECT_EQ(fake_route.route[102][1].irqchip.chip, (uint32_t)HV_CHIP_PIC_SLAVE);
    EXPECT_EQ(fake_route.route[102][1].irqchip.pin, 4U);
    EXPECT_EQ(fake_route.route[103][0].msi.address_high, 0x200U);
    machine_forget();
}

TEST(irq_shell_levels_and_counters)
{
    fresh(true);
    fake_route.stats[4] = (struct hv_route_stats){
        .fired = 1000, .delivered = 700, .coalesced = 200, .masked = 100, .acknowledged = 699, .storms = 5};
    fake_route.pic_up = 1 << 4;
    fake_route.ioapic_up = 1 << 20;
    for (fake_route.pins = 24; fake_route.pins <= 30; fake_route.pins += 6) { /* whatever its size */
        const char *seen = machine_command("irqs a");
        EXPECT_TRUE(strstr(seen, "\n     4  pic+ioapic      1          1000           700           200"
                                 "           100           699         5\n"));
        EXPECT_TRUE(strstr(seen, "\n     5  pic+ioapic      0             0 "));
        EXPECT_TRUE(strstr(seen, "\n    20  ioapic          1             0 "));
        EXPECT_TRUE(strstr(seen, "\n    21  ioapic          0             0 "));
        EXPECT_EQ(lines(seen), 25U);
    }
    fake_route.chips = false; /* split: routes are messages, levels are the manager's own */
    EXPECT_STREQ(machine_command("route add a 64 msi 0xfee00000 0x41"), "domain 1 (a): GSI 64: routed\n");
    EXPECT_STREQ(machine_command("irqs a 64 --json"),
                 "[\n  {\"gsi\": 64, \"kind\": \"msi\", \"level\": null, \"fired\": 0, \"delivered\": 0, "
                 "\"coalesced\": 0, \"masked\": 0, \"acknowledged\": 0, \"storms\": 0}\n]\n");
    machine_forget();
}

/* Buckets with something in them, and how many ended below their bound; the clock has 3 GHz. */
TEST(irq_shell_latency)
{
    fresh(true);
    EXPECT_STREQ(machine_command("latency a --json"), "[\n]\n");
    fake_route.latency[4].count[0] = 3;
    fake_route.latency[4].count[2] = 1;
    fake_route.latency[20].count[HV_LATENCY_BUCKETS - 1] = UINT32_MAX;
    const char *seen = machine_command("latency a");
    EXPECT_EQ(lines(seen), 4U);
    EXPECT_TRUE(strstr(seen, "   gsi      below_ns         count  percent\n") != NULL);
    EXPECT_TRUE(strstr(seen, "    20             -    4294967295      100\n") != NULL);
    char want[96];
    snprintf(want, sizeof(want), "     4  %12llu             1      100\n", 4096000000ULL / commands_khz());
    EXPECT_TRUE(strstr(seen, want) != NULL);
    check_json("latency a --json");
    machine_forget();
}

/* Lines of the machine: what is bound, whoever has it. */
TEST(irq_shell_lines)
{
    fresh(false);
    memset(fake_pirq, 0, sizeof(fake_pirq));
    check_json("lines --json");
    EXPECT_TRUE(strstr(machine_command("lines --json"), "gsi") == NULL);
    for (uint32_t gsi = 0; gsi < FAKE_PIRQS; gsi += 2)
        fake_pirq[gsi] =
            (struct hv_pirq_info){.size = sizeof(fake_pirq[0]), .flags = HV_PIRQ_EDGE | HV_PIRQ_HIGH};
    EXPECT_EQ(lines(machine_command("lines")), 1);
    fake_pirq[4].flags |= HV_PIRQ_BOUND;
    fake_pirq[4].fired = 123;
    fake_pirq[20] =
        (struct hv_pirq_info){.size = sizeof(fake_pirq[0]),
                              .flags = HV_PIRQ_LEVEL | HV_PIRQ_LOW | HV_PIRQ_BOUND | HV_PIRQ_WAITS,
                              .owner = 3,
                              .cpu = 1,
                              .fired = UINT64_MAX,
                              .storms = 7,
                              .vector = 65,
                              .limit = 500};
    EXPECT_STREQ(machine_command("lines"),
                 " gsi  owner  signal      state   cpu  vector         fired    storms     limit\n"
                 "   4      0  edge high   open      0       0           123         0         0\n"
                 "  20      3  level low   waits     1      65  18446744073709551615         7       500\n");
    fake_pirq[20].flags |= HV_PIRQ_STORMED;
    check_json("lines --json");
    EXPECT_TRUE(strstr(machine_command("lines --json"), "\"state\": \"storm\"") != NULL);
    memset(fake_pirq, 0, sizeof(fake_pirq));
    machine_forget();
}

TEST(irq_shell_by_hand)
{
    static const struct row rows[] = {
        {"inject a 1 0x20", "domain 1 (a): vector 32: it waits for vCPU 1\n"},
        {"nmi 1 0", "domain 1 (a): NMI for vCPU 0: it waits to be taken\n"},
        {"irq-line a 4 1", "domain 1 (a): GSI 4 up: taken, by 1\n"},
        {"irq-line a 4 0", "domain 1 (a): GSI 4 down: done\n"},
    };
    static const struct {
        int64_t result;
        const char *said;
    } sent[] = {
        {2, "domain 1 (a): message: taken, by 2\n"},
        {0, "domain 1 (a): message: it waits already, so this one is merged\n"},
        {-HV_ENXIO, "domain 1 (a): message: nobody takes the interrupt\n"},
        {-HV_ENODEV, "domain 1 (a): message: the machine or the hypervisor lacks the feature\n"},
    };
    fresh(true);
    EXPECT_STREQ(machine_command(rows[0].command), rows[0].said);
    EXPECT_EQ(fake_route.kind, (uint32_t)HV_INJECT_EXTERNAL);
    EXPECT_EQ(fake_route.vcpu, 1U);
    EXPECT_EQ(fake_route.vector, 0x20U);
    EXPECT_STREQ(machine_command(rows[1].command), rows[1].said);
    EXPECT_EQ(fake_route.kind, (uint32_t)HV_INJECT_NMI);
    EXPECT_EQ(fake_route.injections, 2U);
    EXPECT_STREQ(machine_command(rows[2].command), rows[2].said);
    EXPECT_TRUE(fake_irq.line[4]);
    EXPECT_STREQ(machine_command(rows[3].command), rows[3].said);
    EXPECT_FALSE(fake_irq.line[4]);
    for (size_t i = 0; i < COUNT(sent); i++) {
        fake_route.result = sent[i].result;
        EXPECT_STREQ(machine_command("msi a 0xfee03000 0x4055"), sent[i].said);
        EXPECT_EQ(fake_route.address, 0xfee03000U);
        EXPECT_EQ(fake_route.data, 0x4055U);
    }
    fake_route.apics = true;
    fake_route.result = 1;
    EXPECT_STREQ(machine_command("inject a 1 77"), "domain 1 (a): message to the local APIC: taken, by 1\n");
    EXPECT_EQ(fake_route.address, 0xfee01000U);
    EXPECT_EQ(fake_route.data, 77U);
    EXPECT_EQ(fake_route.injections, 2U);
    machine_forget();
}

/* A page at a time; the JSON is whole on every one. */
TEST(irq_shell_large_table)
{
    char command[64], last[96];
    fresh(true);
    for (uint32_t gsi = 24; gsi < FAKE_ROUTE_GSIS; gsi++) {
        snprintf(command, sizeof(command), "route add a %u gsi 5", gsi);
        (void)machine_command(command);
    }
    static bool seen[FAKE_ROUTE_GSIS];
    for (uint32_t from = 0, next; from < FAKE_ROUTE_GSIS; from = next) {
        snprintf(command, sizeof(command), "irqs a %u", from);
        const char *text = machine_command(command);
        EXPECT_TRUE(lines(text) < 400);
        next = from;
        for (uint32_t gsi = from; gsi < FAKE_ROUTE_GSIS; gsi++, next++) {
            snprintf(last, sizeof(last), "\n%6u  ", gsi);
            if (!strstr(text, last))
                break;
            seen[gsi] = true;
        }
        snprintf(last, sizeof(last), "\nthere may be more: \"irqs a %u\" goes on\n", next);
        EXPECT_EQ(strstr(text, last) != NULL, next < FAKE_ROUTE_GSIS);
        ASSERT_TRUE(next > from);
    }
    for (uint32_t gsi = 0; gsi < FAKE_ROUTE_GSIS; gsi++)
        EXPECT_TRUE(seen[gsi]);
    check_json("irqs a --json");
    check_json("irqs a 4000 --json");
    check_json("routes a --json");
    check_json("routes --json a 4095");
    EXPECT_STREQ(machine_command("routes a 5000 --json"), "[\n]\n");
    machine_forget();
}

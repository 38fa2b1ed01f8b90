/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's trace command on the hypervisor's own rings, and its dump, which is given to tools/trace.py: what was
 * written comes out of it, with the numbers that were overwritten.
 */
#include "tests/host/mgmt_fake_trace.h"
#include "tests/host/mgmt_machine.h"

struct row {
    const char *command, *said;
};

static void fresh(void)
{
    machine_make();
    fake_trace_reset();
    machine_add("a");
    machine_begin();
}

static void write(uint32_t cpu, uint64_t from, uint64_t count)
{
    for (uint64_t n = from; n < from + count; n++)
        fake_trace_write(cpu, &(struct hv_trace_record){.tsc = 1000000 + n * 1000 + cpu,
                                                        .kind = HV_TRACE_EXIT,
                                                        .domain = 1,
                                                        .vcpu = (uint16_t)cpu,
                                                        .code = 12,
                                                        .a = n,
                                                        .b = UINT64_MAX - n});
}

/* The dump that a command asks for, to its end or for `steps` events. */
static const char *dump(const char *command, int steps)
{
    EXPECT_STREQ(machine_command(command), "");
    const struct commands_mode *mode = commands_mode();
    if (!mode)
        return "";
    mode->start(1000000);
    while (!mode->over() && steps-- != 0)
        events_run_once();
    mode->stop();
    return machine_take();
}

/* What tools/trace.py says of a text: its listing and its summary. */
static const char *read_back(const char *text)
{
    static char out[1 << 20];
    FILE *log = fopen("build/host/trace_dump.log", "w");
    if (!log || fwrite(text, 1, strlen(text), log) != strlen(text) || fclose(log))
        return "cannot write the log";
    FILE *tool = popen("python3 -B tools/trace.py build/host/trace_dump.log 2>&1", "r");
    size_t length = tool ? fread(out, 1, sizeof(out) - 1, tool) : 0;
    out[length] = '\0';
    if (!tool || pclose(tool))
        return "the tool failed";
    return out;
}

static unsigned occurrences(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

TEST(trace_commands)
{
    static const struct row rows[] = {
        {"trace", "cpu         records\nnothing is traced; \"trace start\" begins\n"},
        {"trace dump", "nothing is traced; \"trace start\" begins\n"},
        {"trace start 0,x", "0,x: write CPUs from 0 to 63 like 0,2-3, or all\n"},
        {"trace start all 3", "3: write a power of two up to 64, of pages for each CPU\n"},
        {"trace start all 128", "128: write a power of two up to 64, of pages for each CPU\n"},
        {"trace start all 0", "0: write a power of two up to 64, of pages for each CPU\n"},
        {"trace start 5", "nothing is traced: this machine has none of these CPUs\n"},
        {"trace begin", "usage: trace [start [cpus [pages]] | stop | dump [records] | off]\n"},
        {"trace stop now", "usage: trace [start [cpus [pages]] | stop | dump [records] | off]\n"},
        {"trace dump x", "usage: trace [start [cpus [pages]] | stop | dump [records] | off]\n"},
        {"trace stop --json", "--json is for \"trace\" alone\n"},
        {"trace start", "CPUs all are traced; each keeps its last 1023 records\n"},
        {"trace start 1 2",
         "CPUs 1 are traced; each keeps its last 255 records\n"}, /* in place of the former */
    };
    fresh();
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].command);
        EXPECT_STREQ(machine_command(rows[i].command), rows[i].said);
        EXPECT_TRUE(commands_mode() == NULL);
    }
    EXPECT_EQ(fake_trace.kinds, 0x1fe);
    EXPECT_EQ(fake_trace.pages, 2);
    write(1, 0, 300);
    EXPECT_STREQ(machine_command("trace --json"), "[\n  {\"cpu\": 1, \"records\": 300}\n]\n");
    EXPECT_STREQ(machine_command("trace stop"), "stopped; \"trace dump\" prints what was recorded\n");
    EXPECT_TRUE(fake_trace.there && !fake_trace.running);
    EXPECT_STREQ(machine_command("trace off"), "off; what was recorded is gone\n");
    EXPECT_FALSE(fake_trace.there);
    fake_trace.start_fails = -HV_ENOMEM;
    EXPECT_STREQ(machine_command("trace start"),
                 "nothing is traced: the hypervisor has not enough memory left; take fewer pages\n");
    const char *help = machine_command("help trace");
    EXPECT_TRUE(strstr(help, "trace off") &&
                strstr(help, "every exit takes the long way.\n")); /* to its end */
    machine_forget();
}

TEST(trace_dump_is_read_back)
{
    fresh();
    EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
    (void)machine_command("trace start all 1");
    write(0, 0, 100);
    write(1, 0, 500); /* more than the ring has room for: 127 are left */
    const char *text = read_back(dump("trace dump", -1));
    test_row("%.200s", text);
    EXPECT_TRUE(
        strstr(text, "227 records of 2 CPUs, 373 overwritten before they were read, 0 unreadable lines\n"));
    EXPECT_EQ(occurrences(text, "cpu 0  a/0            HLT"), 100);
    EXPECT_EQ(occurrences(text, "cpu 1  a/1            HLT"), 127);
    EXPECT_EQ(occurrences(text, "373 records overwritten"), 1);
    for (unsigned n = 373; n < 500; n++) {
        char detail[64];
        snprintf(detail, sizeof(detail), "rip %#llx  detail %#x\n", (unsigned long long)(UINT64_MAX - n), n);
        EXPECT_EQ(occurrences(text, detail), 1);
    }
    text = read_back(dump("trace dump 40", -1));
    EXPECT_TRUE(
        strstr(text, "80 records of 2 CPUs, 0 overwritten before they were read, 0 unreadable lines\n"));
    EXPECT_TRUE(strstr(text, "detail 0x1f3\n") && !strstr(text, "detail 0x1cb\n"));
    machine_forget();
}

/* It ends with what was there when it came to the CPU, whatever is written meanwhile. */
static void write_more(void)
{
    static uint64_t n = 100;
    write(0, n, 64);
    n += 64;
    fake.notify->selector = 0;
}

TEST(trace_dump_beside_a_writer)
{
    fresh();
    (void)machine_command("trace start 0 1");
    write(0, 0, 100);
    fake.on_sleep = write_more;
    const struct commands_mode *mode;
    (void)machine_command("trace dump");
    ASSERT_TRUE((mode = commands_mode()) != NULL);
    mode->start(1000000);
    for (int i = 0; i < 1000 && !mode->over(); i++) {
        write_more();
        events_run_once();
    }
    EXPECT_TRUE(mode->over());
    mode->stop();
    const char *text = read_back(machine_take());
    test_row("%.200s", text);
    EXPECT_TRUE(strstr(text, "0 unreadable lines\n") && !strstr(text, "not complete"));
    EXPECT_TRUE(strstr(text, "records overwritten"));
    machine_forget();
}

TEST(trace_dump_ends_by_a_key)
{
    fresh();
    (void)machine_command("trace start");
    write(0, 0, 1000);
    const char *text = read_back(dump("trace dump", 5));
    test_row("%.200s", text);
    EXPECT_TRUE(strstr(text, "; the dump is not complete\n"));
    EXPECT_TRUE(occurrences(text, "HLT") >= 32 && occurrences(text, "HLT") < 1000);
    machine_forget();
}

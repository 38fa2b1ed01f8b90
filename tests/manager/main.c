/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A management domain that is a test: test=NAME on its command line says which one. It prints
 * "PASS NAME: N checks" or "FAIL ..." and ends the machine accordingly.
 */
#include <stdio.h>
#include <string.h>

#include "mgmt/start/start.h"
#include "tests/manager/lab.h"

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"abi", test_abi},
    {"memory", test_memory},
    {"no-memory", test_no_memory},
    {"lifecycle", test_lifecycle},
    {"sched", test_sched},
    {"services", test_services},
    {"state", test_state},
    {"restart", test_restart},
    {"irq", test_irq},
    {"irq-time", test_irq_time},
    {"irq-bad", test_irq_bad},
    {"irq-tick", test_irq_tick},
    {"storm", test_storm},
    {"save", test_save},
    {"irq-level", test_irq_level},
    {"outputs", test_outputs},
    {"split", test_split},
    {"pirq", test_pirq},
    {"corners", test_corners},
    {"chaos", test_chaos},
};

static bool named(const char *name)
{
    const char *at = strstr(start_info.cmdline, "test=");
    size_t length = strlen(name);
    return at && !strncmp(at + 5, name, length) && (at[5 + length] == ' ' || !at[5 + length]);
}

int main(void)
{
    lab_init();
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (!named(tests[i].name))
            continue;
        uint64_t start = lab_now();
        tests[i].run();
        bool ok = !check_failures() && check_count();
        printf("%s %s: %llu checks, %llu failed, %llu ms\n", ok ? "PASS" : "FAIL", tests[i].name,
               (unsigned long long)check_count(), (unsigned long long)check_failures(),
               (unsigned long long)((lab_now() - start) / lab_ms()));
        fflush(stdout);
        return ok ? 0 : 1;
    }
    check_abort("no test in \"%s\"", start_info.cmdline);
}

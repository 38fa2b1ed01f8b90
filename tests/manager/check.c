/* SPDX-License-Identifier: BSD-2-Clause */
/* See check.h. A test goes on after a failed check; only so many are printed. */
#include "tests/manager/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "guest_abi/hv_call.h"

#define PRINTED_MAX 25U

static uint64_t count, failures;

static bool note(bool ok)
{
    count++;
    if (!ok)
        failures++;
    return !ok && failures <= PRINTED_MAX;
}

bool check_true(bool ok, const char *file, int line, const char *what)
{
    if (note(ok))
        printf("FAIL %s:%d: %s\n", file, line, what);
    return ok;
}

bool check_equal(uint64_t got, uint64_t want, const char *file, int line, const char *what)
{
    if (note(got == want))
        printf("FAIL %s:%d: %s is %#llx, not %#llx\n", file, line, what, (unsigned long long)got,
               (unsigned long long)want);
    return got == want;
}

bool check_case(int64_t got, int64_t want, const char *file, int line, const char *format, ...)
{
    if (note(got == want)) {
        va_list args;
        printf("FAIL %s:%d: ", file, line);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf(": %lld, not %lld\n", (long long)got, (long long)want);
    }
    return got == want;
}

void check_abort(const char *format, ...)
{
    va_list args;
    printf("FAIL cannot go on: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    (void)hv_shutdown(HV_SHUTDOWN_FAILED);
    for (;;)
        __asm__ volatile("hlt");
}

uint64_t check_count(void)
{
    return count;
}

uint64_t check_failures(void)
{
    return failures;
}

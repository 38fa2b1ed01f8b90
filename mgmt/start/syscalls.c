/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls: what newlib asks of an operating system, for this program. There is one file, the
 * console, and one process. The heap is a fixed region; malloc sees ENOMEM at its end.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest_abi/hv_call.h"
#include "mgmt/start/start.h"

/* manager.ld */
extern char heap_start[], heap_end[];

int gettimeofday(struct timeval *restrict now, void *restrict zone);
int kill(pid_t pid, int signal);

static char out[4096] __attribute__((aligned(4096))); /* a call takes what lies in one page */

/* Bytes to the hypervisor's console; it takes all, or fewer when it is busy. */
static void write_out(const char *from, size_t length)
{
    while (length > 0) {
        size_t chunk = length < sizeof(out) ? length : sizeof(out);
        memcpy(out, from, chunk);
        int64_t taken = hv_console_write(start_gpa(out), chunk);
        if (taken < 0)
            return; /* nowhere to complain */
        from += taken;
        length -= (size_t)taken;
    }
}

_READ_WRITE_RETURN_TYPE write(int file, const void *from, size_t length)
{
    if (file != STDOUT_FILENO && file != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    write_out(from, length);
    return (_READ_WRITE_RETURN_TYPE)length;
}

/* Input does not come through stdio: the event loop reads the console. */
_READ_WRITE_RETURN_TYPE read(int file, void *to, size_t length)
{
    (void)file;
    (void)to;
    (void)length;
    return 0;
}

void *sbrk(ptrdiff_t change)
{
    static char *top = heap_start;
    char *old = top;
    if (change > heap_end - top || change < heap_start - top) {
        errno = ENOMEM;
        return (void *)-1;
    }
    top += change;
    return old;
}

void _exit(int code)
{
    static const char line[] = "manager: main() returned; the machine is shut down\n";
    write_out(line, sizeof(line) - 1);
    (void)hv_shutdown(code == 0 ? HV_SHUTDOWN_POWEROFF : HV_SHUTDOWN_FAILED);
    for (;;)
        __asm__ volatile("cli; hlt");
}

int fstat(int file, struct stat *state)
{
    (void)file;
    memset(state, 0, sizeof(*state));
    state->st_mode = S_IFCHR;
    return 0;
}

int isatty(int file)
{
    return file >= STDIN_FILENO && file <= STDERR_FILENO;
}

int close(int file)
{
    (void)file;
    errno = EBADF;
    return -1;
}

off_t lseek(int file, off_t offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    errno = ESPIPE;
    return -1;
}

pid_t getpid(void)
{
    return 1;
}

/* abort() comes here. */
int kill(pid_t pid, int signal)
{
    (void)pid;
    (void)signal;
    _exit(1);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)now;
    (void)zone;
    errno = ENOSYS;
    return -1;
}

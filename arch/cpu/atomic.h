/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations with the order in the name. Built on the compilers' __atomic builtins, which
 * both GCC and Clang have and which SPIN and host tests can reason about in the C11 model. Locked
 * x86 instructions are full barriers.
 */
#ifndef ARCH_CPU_ATOMIC_H
#define ARCH_CPU_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define atomic_load_relaxed(p)      __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire(p)      __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_store_release(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_exchange_full(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_add_full(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_or_full(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_and_full(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add_relaxed(p, v)    ((void)__atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define atomic_compare_exchange_full(p, expected, desired)                                                   \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Orders an earlier store before a later load, which x86 may otherwise swap. */
#define atomic_fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif

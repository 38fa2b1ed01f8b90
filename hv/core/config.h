/* SPDX-License-Identifier: BSD-2-Clause */
/* Built-in limits. Everything that has a ceiling has it here, with what the ceiling costs. */
#ifndef HV_CORE_CONFIG_H
#define HV_CORE_CONFIG_H

#define CONFIG_MAX_CPUS     64U       /* physical CPUs; a pointer each, the rest comes from the pool */
#define CONFIG_MAX_DOMAINS  256U      /* a pointer each */
#define CONFIG_MAX_VCPUS    64U       /* of one domain; a pointer each */
#define CONFIG_LOG_SIZE     0x20000UL /* bytes of the log ring; a power of two */
#define CONFIG_LOG_LINE_MAX 512       /* bytes of one log line, the end cut off beyond */

#define CONFIG_POOL_MIN     0x300000UL  /* bytes of hypervisor memory; below this nothing starts */
#define CONFIG_POOL_DEFAULT 0x2000000UL /* unless the machine is small: then an eighth of its memory */
#define CONFIG_POOL_ALIGN   0x200000UL  /* so that the pool is mapped by large pages */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the ports guest. */
#pragma once

void ports_limits(void); /* segment checks of INS and OUTS */

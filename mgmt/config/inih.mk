# SPDX-License-Identifier: BSD-2-Clause
#
# How inih is compiled, for the manager and for the host alike: line numbers, a call for each section, lines without a
# value handed on, no comments inside values. config.c counts on these.

INIH_FLAGS := -DINI_HANDLER_LINENO=1 -DINI_CALL_HANDLER_ON_NEW_SECTION=1 -DINI_ALLOW_NO_VALUE=1 -DINI_ALLOW_MULTILINE=0 \
	-DINI_ALLOW_INLINE_COMMENTS=0 -DINI_ALLOW_BOM=1 -DINI_MAX_LINE=2000

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# mgmt/builder/dsdt.sh OUTPUT.c: compiles dsdt.asl by iasl and writes the bytes as the array that acpi.h declares. Anything that
# iasl complains of is an error. Nothing of the time or place of the build gets into the table.
set -euo pipefail

asl=mgmt/builder/dsdt.asl
output=$1
mkdir -p "$(dirname "$output")"
work=$(mktemp -d "$(dirname "$output")/dsdt.XXXXXX")
trap 'rm -rf "$work"' EXIT
command -v iasl >/dev/null || { echo "dsdt.sh: iasl is missing (Debian package acpica-tools)" >&2; exit 2; }
iasl -we -va -p "$work/dsdt" "$asl" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
{
    echo "/* Made by $asl; do not edit. */"
    echo '#include "mgmt/builder/acpi.h"'
    echo 'const uint8_t acpi_dsdt[] = {'
    od -An -v -tu1 "$work/dsdt.aml" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
    echo '};'
    echo 'const uint32_t acpi_dsdt_size = sizeof(acpi_dsdt);'
} >"$work/dsdt.c"
mv "$work/dsdt.c" "$output"

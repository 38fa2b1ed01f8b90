#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the C library, newlib, from the source tarball of Debian's newlib-source package, in two
# variants, into the cache folder:
#
#   hv      libhv.a: the string, ctype and strto* families without SSE, x87 or MMX, compiled for
#           the top 2 GiB of the address space. No malloc, no stdio, no locale switching.
#   guest   libc.a and libm.a, complete, with SSE, for programs that run as guests: the management
#           domain and the test guests. No system calls inside: the program supplies write, sbrk...
#
# The result is a folder named after a hash of the tarball, this script and the compiler's version,
# so a second call is a look-up. A lock makes parallel calls wait for the first one. Nothing in the
# objects depends on where the cache folder is: two builds give the same bytes.
#
#   tools/newlib.sh                     build what is missing, print the folder
#   tools/newlib.sh --cflags hv|guest   header search flags (for $CC, default gcc)
#   tools/newlib.sh --libs hv|guest     archives, in link order
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox}
tarballs=(/usr/src/newlib/newlib-*.tar.*)
tarball=${tarballs[0]}

say() { echo "newlib: $*" >&2; }
die() { say "$*"; exit 2; }

common_flags="-O2 -mno-red-zone -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none"
common_flags+=" -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -w -Wa,--noexecstack"
hv_flags="$common_flags -std=gnu11 -mcmodel=kernel -mgeneral-regs-only -ffreestanding"
hv_flags+=" -fno-tree-loop-distribute-patterns"
guest_flags="$common_flags -mcmodel=small"

# %llu and %zu need the full formatter: the nano one knows neither. A plain malloc is kept too,
# because the nano one aligns to 8 bytes while compilers count on 16.
configure_options="--disable-multilib --disable-dependency-tracking --disable-newlib-supplied-syscalls
    --disable-newlib-multithread --disable-newlib-mb --disable-newlib-wide-orient --disable-shared
    --enable-newlib-reent-small --enable-newlib-io-long-long --enable-newlib-io-c99-formats"

# strtok, strdup, strerror and the *_l functions stay out: they want malloc or locale objects.
hv_sources="
    string: bcmp bcopy bzero explicit_bzero memccpy memchr memcmp memcpy memmem memmove mempcpy
            memrchr memset rawmemchr stpcpy stpncpy strcasecmp strcasestr strcat strchr strchrnul
            strcmp strcpy strcspn strlcat strlcpy strlen strlwr strncasecmp strncat strncmp strncpy
            strnlen strnstr strpbrk strrchr strsep strspn strstr strtok_r strupr
    ctype:  ctype_ isalnum isalpha isascii isblank iscntrl isdigit islower isprint ispunct
            isspace isupper isxdigit toascii tolower toupper
    stdlib: abs atoi atol atoll div labs ldiv llabs lldiv strtoimax strtol strtoll strtoul
            strtoull strtoumax
    search: bsearch qsort
    errno:  errno
    reent:  impure"

folder() {
    local hash
    [ -f "$tarball" ] || die "no tarball in /usr/src/newlib: run tools/deps.sh build"
    hash=$( (gcc -dumpfullversion; sha256sum <"$tarball"; sha256sum <"$here/newlib.sh") | sha256sum)
    echo "$cache/newlib-$(basename "$tarball" | sed 's/^newlib-//; s/\.tar.*//')-${hash:0:12}"
}

# Runs a step with its output in the log; on failure the end of the log is shown. The step is a
# background job because a command tested by `if` would run with `set -e` switched off.
step() {
    local what=$1
    shift
    say "$what"
    "$@" >>"$work/log" 2>&1 9>&- &
    if ! wait $!; then
        tail -n 25 "$work/log" >&2
        die "failed: $what (whole log: $work/log)"
    fi
}

unpack() {
    mkdir -p "$work/src" "$work/build"
    tar -xf "$tarball" -C "$work/src" --strip-components=1
}

# Only newlib's own folder is configured: the top level would look for a cross toolchain.
configure() {
    cd "$work/build"
    # shellcheck disable=SC2086
    CC=gcc AR=ar RANLIB=ranlib AS=as CFLAGS="$guest_flags $prefix_map" \
        "$work/src/newlib/configure" --host=x86_64-elf --prefix=/ $configure_options
    make stmp-targ-include
    mkdir -p "$work/out/include"
    cp -R "$work/src/newlib/libc/include/." "$work/build/targ-include/." "$work/out/include/"
}

# Paths of the hypervisor's sources below libc/, without the ending, sorted.
hv_list() {
    local word directory=""
    for word in $hv_sources; do
        case $word in
        *:) directory=${word%:} ;;
        *) echo "$directory/$word" ;;
        esac
    done | sort
}

build_hv() {
    local libc=$work/src/newlib/libc objects
    mkdir -p "$work/hv" "$work/out/hv"
    cd "$work/hv"
    # shellcheck disable=SC2016,SC2086 # the inner shell expands; flags are words
    hv_list | xargs -P 2 -I{} sh -c 'file=$1; shift; exec gcc "$@" -c "$file.c" -o "${file##*/}.o"' \
        sh "$libc/{}" $hv_flags $prefix_map -I "$libc/string" -isystem "$work/out/include"
    mapfile -t objects < <(hv_list | sed 's|.*/||; s|$|.o|')
    ar rcsD "$work/out/hv/libhv.a" "${objects[@]}"
    refuse_bloat "$work/out/hv/libhv.a"
}

# The archive must close over itself, and no object may name a vector or x87 register.
refuse_bloat() {
    local missing
    ld -m elf_x86_64 -r --whole-archive "$1" -o all.o
    missing=$(nm -u all.o | awk '$1 == "U" {print $2}')
    [ -z "$missing" ] || { echo "libhv.a needs: $missing"; return 1; }
    if objdump -d --no-show-raw-insn all.o | grep -E '%([xyz]?mm[0-9]|st\b)'; then
        echo "libhv.a uses floating point registers"
        return 1
    fi
}

build_guest() {
    local library
    cd "$work/build"
    make -j2 SUBDIRS="libc libm ." MAKEINFO=true all
    mkdir -p "$work/out/guest"
    for library in libc.a libm.a; do
        objcopy -D --strip-debug "$work/build/$library" "$work/out/guest/$library"
    done
}

build() {
    local started=$SECONDS
    work=$out.work
    # Names in the objects are the same wherever the cache folder is.
    prefix_map="-ffile-prefix-map=$work/src=newlib -ffile-prefix-map=$work/build=build"
    rm -rf "$work"
    mkdir -p "$work"
    step "unpacking $(basename "$tarball")" unpack
    step "configuring (10 s)" configure
    step "building the hypervisor's part (5 s)" build_hv
    step "building the guests' libc and libm (1 minute)" build_guest
    mv "$work/out" "$out"
    rm -rf "$work"
    say "built in $((SECONDS - started)) s: $out"
}

out=$(folder)
if [ ! -d "$out" ]; then
    mkdir -p "$cache"
    exec 9>"$out.lock"
    flock -n 9 || { say "another build is running, waiting"; flock 9; }
    [ -d "$out" ] || build
    exec 9>&-
fi

# The compiler's own headers (stdarg.h, stddef.h) come first, as they would in a cross compiler;
# the host's C library stays out of sight. _DEFAULT_SOURCE shows strlcpy and the POSIX names that
# -std=c11 hides.
print_cflags() {
    local own
    case $("${CC:-gcc}" --version) in
    *clang*) own=$("${CC}" -print-resource-dir)/include ;;
    *) own=$("${CC:-gcc}" -print-file-name=include) ;;
    esac
    echo "-D_DEFAULT_SOURCE -nostdinc -isystem $own -isystem $out/include"
}

case "${1-} ${2-}" in
" ") echo "$out" ;;
"--cflags hv" | "--cflags guest") print_cflags ;;
"--libs hv") echo "$out/hv/libhv.a" ;;
"--libs guest") echo "$out/guest/libm.a $out/guest/libc.a" ;;
*) die "usage: tools/newlib.sh [--cflags hv|guest | --libs hv|guest]" ;;
esac

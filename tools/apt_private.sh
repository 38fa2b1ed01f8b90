# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Sourced by the scripts that take something from Debian's archive without installing it: apt with a private
# configuration that knows one suite, and whose mirror and keyring are those of this machine, so that apt checks
# signatures and hashes.
#
#   apt_private_set_up deb|deb-src SUITE FOLDER    then
#   apt_private apt-get|apt-cache ARGUMENT...      its output is the tool's own
#
# apt_private_set_up asks the archive once; it answers 1, with the reason on stderr, when there is no mirror or no network.

apt_private_mirror() # the mirror that this machine uses for its own Debian release
{
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CREATED_BY)' |
        awk -v r="$codename" '$3 == "Packages" && ($2 == r || $2 == "stable") { print $1; exit }'
}

apt_private_keyring() # a keyring that this machine's sources name, or nothing: then apt uses its trusted keys
{
    local file
    file=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -v '^ *#' | grep -io 'signed-by[:=] *[^] ,]*debian-archive[^] ,]*' | head -1 | sed 's/^[^:=]*[:=] *//' || true)
    [ -n "$file" ] || file=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -r "$file" ]; then
        echo "$file"
    fi
}

apt_private() { "$1" "${apt_private_options[@]}" "${@:2}"; }

apt_private_set_up()
{
    local kind=$1 suite=$2 folder=$3 mirror keyring signed=""
    mirror=$(apt_private_mirror)
    [ -n "$mirror" ] || { echo "this machine's apt configuration names no Debian mirror" >&2; return 1; }
    keyring=$(apt_private_keyring)
    [ -z "$keyring" ] || signed=" signed-by=$keyring"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    : >"$folder/status"
    echo "$kind [arch=amd64$signed] $mirror $suite main" >"$folder/sources.list"
    apt_private_options=(-q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$folder/lists" -o "Dir::State::Status=$folder/status" -o "Dir::Cache=$folder/cache"
        -o APT::Sandbox::User= -o APT::Get::List-Cleanup=0 -o APT::Architecture=amd64 -o Acquire::Languages=none)
    apt_private apt-get update >"$folder/update.log" 2>&1 ||
        { tail -5 "$folder/update.log" >&2; echo "apt-get update failed" >&2; return 1; }
}

# apt_private_source PACKAGE FOLDER: the tarballs of PACKAGE's source into FOLDER.
apt_private_source()
{
    (cd "$2" && apt_private apt-get source --tar-only --download-only "$1") >"$2/source.log" 2>&1 ||
        { tail -5 "$2/source.log" >&2; echo "apt-get source $1 failed" >&2; return 1; }
}

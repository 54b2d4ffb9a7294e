# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Mapped accounts: those of /etc/passwd that only PAM refuses. Without entralogin's modules the keys in their homes let
# them in, whatever Azure says, so their lines are added last and removed first. Read by configure.

# The tool's note of what it wrote: their lines in /etc/passwd and /etc/group, and their list.
MAPPED_NOTE=/etc/entralogin/adopted.lines
mapped() {
    [ "$1" = adopt ] || [ -e $MAPPED_NOTE ] || return 0
    "$TOOL" migrate --from "${OLD_PACKAGE:-aadsshlogin}" "--$1" || return
    if have restorecon && [ -e /etc/entralogin/adopted ]; then restorecon /etc/entralogin/adopted || :; fi
}

# Names of accounts that only PAM refuses, no matter who wrote their records or whether a list or a note names them.
mapped_lines() { sed -n 's/^\([^:#]*\):!\*adopted:.*/\1/p' /etc/passwd | tr '\n' ' '; }

# Ends the run if one of them stays: then nothing that refuses them may be removed.
release_mapped() {
    changed=
    mapped release || changed=yes
    left=$(mapped_lines)
    [ -z "$left" ] || fail "/etc/passwd still has accounts that only entralogin's modules refuse (${left% }): nothing more is taken out"
    [ -z "$changed" ] || complain "what was left there are local accounts now: their keys let them in"
}

# Adds their lines, last of all: everything that refuses them must be there before.
bring_lines() {
    mapped restore && return 0
    complain "people who were mapped before could not be put back, and are refused: entraloginctl doctor"
    return 1
}

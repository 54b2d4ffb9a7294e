# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Mapped accounts: those of /etc/passwd that PAM alone refuses. Without entralogin's modules the keys in their homes let them
# in, whatever Azure says, so their lines come last and go first. Read by configure.

# Their lines in /etc/passwd and /etc/group, and their list: the tool knows what it wrote.
MAPPED_NOTE=/etc/entralogin/adopted.lines
mapped() {
    [ "$1" = adopt ] || [ -e $MAPPED_NOTE ] || return 0
    "$TOOL" migrate --from "${OLD_PACKAGE:-aadsshlogin}" "--$1" || return
    if have restorecon && [ -e /etc/entralogin/adopted ]; then restorecon /etc/entralogin/adopted || :; fi
}

# Names of accounts that PAM alone refuses: whoever wrote their records, and whether a list or a note of them is left or not.
mapped_lines() { sed -n 's/^\([^:#]*\):!\*adopted:.*/\1/p' /etc/passwd | tr '\n' ' '; }

# Ends the run where one of them stays: nothing that refuses them may go.
release_mapped() {
    changed=
    mapped release || changed=yes
    left=$(mapped_lines)
    [ -z "$left" ] || fail "/etc/passwd still has accounts that only entralogin's modules refuse (${left% }): nothing more is taken out"
    [ -z "$changed" ] || complain "what was left there are local accounts now: their keys let them in"
}

# Their lines come last, when all that refuses them is there.
bring_lines() {
    mapped restore && return 0
    complain "people who were adopted before could not be put back, and are refused: entraloginctl doctor"
    return 1
}

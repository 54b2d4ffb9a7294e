# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# entralogin's lines for PAM, and the distributions' tools that write them into files. Read by configure.
#
# A tool is a file beside this one, with four functions:
#   TOOL_applies   it writes PAM's files on this machine
#   TOOL_obstacle  prints what keeps it from that, a line for each reason; changes nothing
#   TOOL_wire      adds the lines, after `begin pam`; under $DRY it only says what it would do
#   TOOL_unwire    removes them, also where only some of them are there, or the tool is missing

PAM_LINES=$SHARE/pam/lines

# lines_of STAGE: prints entralogin's lines for it.
lines_of() { grep "^$1[[:space:]]" $PAM_LINES | sed "s/pam_entralogin\.so\$/&${SHORT_NAMES:+ short_names}/"; }

# The first that applies adds the lines; all of them remove lines.
PAM_TOOLS='pam_auth_update authselect by_hand'

pam_tool() {
    for tool in $PAM_TOOLS; do
        "${tool}_applies" || continue
        printf %s "$tool"
        return 0
    done
}

pam_lines() {
    lines_of account | sed 's/^/  /'
    echo '           before pam_unix, for every service'
    lines_of session | sed 's/^/  /'
    echo '           for sshd, before pam_env, pam_mkhomedir and pam_systemd'
}

pam_names_entralogin() { grep -qs '^[^#]*pam_entralogin\.so' /etc/pam.d/*; }

# Prints lines written by hand that would refuse all users once the module's file is gone; fails where there are none.
# Lines from $PAM_LINES ignore a missing module, and so does a line whose type begins with a dash (pam.d(5)).
pam_lines_that_lock_out() {
    grep -sn '^[^#-].*pam_entralogin\.so' /etc/pam.d/* | grep -v 'module_unknown=ignore\|:[0-9]*:[^:]*[[:space:]]optional[[:space:]]'
}

# Not empty: PAM does not refuse Entra accounts, and only the administrator can change that, by hand.
PAM_GAP=
pam_gap() {
    missing "$*"
    PAM_GAP=yes
}

wire_pam() {
    grep -qs '^account[[:space:]]' $PAM_LINES || fail "$PAM_LINES cannot be read: install the package again"
    "$(pam_tool)_wire"
    [ -z "$DRY" ] || return 0
    if ! pam_names_entralogin; then
        pam_gap "PAM is not wired. Add to the stack that sshd, sudo and su include (/etc/pam.d):"
        pam_lines >&2
    fi
}

# Without PAM's lines, mapped accounts would be local accounts: the lines stay, and affect no other account.
take_back_pam() {
    if [ -n "$(mapped_lines)" ]; then
        complain "PAM stays wired: it is what refuses accounts of /etc/passwd ($(mapped_lines))"
        return 0
    fi
    unwire_pam
}

unwire_pam() {
    left=$(mapped_lines)
    [ -z "$left" ] || fail "PAM stays wired: it is what refuses accounts of /etc/passwd ($left)"
    for tool in $PAM_TOOLS; do "${tool}_unwire"; done
    left=$(grep -ls '^[^#]*pam_entralogin\.so' /etc/pam.d/* || :)
    [ -z "$left" ] || missing "lines with pam_entralogin.so are left in: $left"
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The name service switch. Read by configure.

# Each name may be an Entra account's by the second one, which costs others a look-up.
name_service() { printf %s "entralogin${SHORT_NAMES:+_short}"; }

# Prints the file with entralogin's service at the end of passwd, group and (where there is one) initgroups; one that
# stands there by its other name keeps its place.
nsswitch_with_entralogin() {
    awk -v service="$(name_service)" '
        /^[[:space:]]*(passwd|group|initgroups)[[:space:]]*:/ {
            line = $0; comment = cr = ""
            if (sub(/\r$/, "", line)) cr = "\r"
            if (match(line, /[[:space:]]*#/)) { comment = substr(line, RSTART); line = substr(line, 1, RSTART - 1) }
            sub(/[[:space:]]*$/, "", line)
            if (match(line, /[[:space:]:]entralogin(_short)?([[:space:]]|$)/)) {
                rest = substr(line, RSTART + RLENGTH)
                line = substr(line, 1, RSTART) service (rest == "" ? "" : " " rest)
            } else line = line " " service
            print line comment cr
            next
        }
        { print }' "$1"
}

nsswitch_without_entralogin() {
    sed '/^[[:space:]]*\(passwd\|group\|initgroups\)[[:space:]]*:/s/[[:space:]]entralogin\(_short\)\{0,1\}\([[:space:]]\|$\)/\2/' "$1"
}

names_service() { grep -q "^[[:space:]]*passwd[[:space:]]*:.*[[:space:]]$(name_service)\([[:space:]]\|\$\)" $NSSWITCH; }

names_short_service() { grep -qs '^[^#]*[[:space:]:]entralogin_short\([[:space:]]\|$\)' $NSSWITCH; }

# Where short names are switched off, the name service forgets them before PAM's lines do, and a run that ends in
# between does not bring them back: to PAM's lines without short_names such an account would be a local user, whom they
# refuse nothing. Authselect writes both in one run.
end_short_names() {
    [ -z "$DRY" ] && names_short_service || return 0
    if [ -L $NSSWITCH ]; then
        uses_authselect || fail "$NSSWITCH is not an ordinary file: replace 'entralogin_short' by 'entralogin' there, then run this again"
        return 0
    fi
    nsswitch_with_entralogin $NSSWITCH >"$WORK/nsswitch.conf" || fail "$WORK cannot be written"
    change_nsswitch
}

wire_nsswitch() {
    # Without its cache, each new process looks for entralogin's module in every folder of libraries.
    ! have ldconfig || act ldconfig || complain "ldconfig complained; going on"
    if [ -L $NSSWITCH ]; then
        # A generated file: wire_pam has had it generated anew, or nobody can.
        [ -n "$DRY" ] || names_service ||
            missing "$NSSWITCH is not an ordinary file: add '$(name_service)' at the end of passwd and group there"
        return 0
    fi
    # sshd's block may be somebody's work, too: then a key in the home of an account would open it.
    if [ -n "$PAM_GAP" ] && ! names_service; then
        missing "$NSSWITCH is left alone until PAM asks pam_entralogin.so: then run this again"
        return 0
    fi
    obstacle=$(obstacles_in_files | awk -F'\t' '$1 == "nsswitch" || $1 == "tool" { print $4; exit }')
    if [ -n "$obstacle" ]; then
        missing "$obstacle: put '$(name_service)' at the end of passwd and group by hand"
        return 0
    fi
    nsswitch_with_entralogin $NSSWITCH >"$WORK/nsswitch.conf" || fail "$WORK cannot be written"
    change_nsswitch nsswitch
}

# change_nsswitch [STEP]: the file becomes $WORK/nsswitch.conf. Where adding entralogin is not a step, there is nothing
# to go back to.
change_nsswitch() {
    cmp -s "$WORK/nsswitch.conf" $NSSWITCH && return 0
    [ $# -eq 0 ] || begin "$1" "$WORK/nsswitch.conf"
    place "$WORK/nsswitch.conf" "$(stat -c %a $NSSWITCH)" $NSSWITCH
    getent passwd root >/dev/null || fail "root has no passwd entry any more after the change of $NSSWITCH"
    forget_names
}

unwire_nsswitch() {
    { [ -f $NSSWITCH ] && [ ! -L $NSSWITCH ]; } || return 0
    nsswitch_without_entralogin $NSSWITCH >"$WORK/nsswitch.conf" || fail "$WORK cannot be written"
    change_nsswitch
}

# Another's change stays, without entralogin's service where it was not there before.
take_back_nsswitch() {
    status=0
    put_back nsswitch || status=$?
    if [ $status -eq 2 ]; then
        status=0
        nsswitch_without_entralogin $JOURNAL/nsswitch.before | cmp -s - $JOURNAL/nsswitch.before && unwire_nsswitch
    fi
    forget_names
    return $status
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The name service switch. Read by configure.

# entralogin_short also serves short names. Then any name may be an Entra account's, which costs other names a look-up.
name_service() { printf %s "entralogin${SHORT_NAMES:+_short}"; }

# Prints the file with entralogin's service at the end of passwd, group and (where there is one) initgroups. A service
# that is there under its other name keeps its place.
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

# When short names are switched off, the name service stops serving them before PAM's lines change, and undoing a run
# does not bring them back: for PAM's lines without short_names such an account would be a local user, to whom they
# refuse nothing. authselect writes both in one run.
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
    # Without ldconfig's cache, each new process looks for entralogin's module in every folder of libraries.
    ! have ldconfig || act ldconfig || complain "ldconfig complained; going on"
    if [ -L $NSSWITCH ]; then
        # A generated file: authselect has written it again in wire_pam, or only the administrator can change it.
        [ -n "$DRY" ] || names_service ||
            missing "$NSSWITCH is not an ordinary file: add '$(name_service)' at the end of passwd and group there"
        return 0
    fi
    # sshd's block may be written by hand, too, and incomplete: then a key in an account's home would admit it.
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

# change_nsswitch [STEP]: replaces the file by $WORK/nsswitch.conf. Without STEP, nothing undoes the change.
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

# Another program's change stays, without entralogin's service if the service was not there before.
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

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# PAM: Debian's pam-auth-update, authselect where it manages the files, otherwise the lines to write. Read by configure.

AUTHSELECT_PROFILE=/etc/authselect/custom/entralogin

# What stands behind our line runs only where the module could not be loaded. It refuses Entra accounts there, by number and by
# name: as the user who is asked for, as the one who asks, and as the one who runs the program. And members of a group of the
# administrators' name, whosever it is: sudo-rs goes by that.
GUID='????????-????-????-????-????????????'
NOT_ENTRA="uid < 1879049216 user !~ *@* user !~ $GUID"
ACCOUNT_LINES="account     [success=2 ignore=2 module_unknown=ignore default=die]    pam_entralogin.so
account     requisite                     pam_succeed_if.so quiet uid < 1879049216 user notingroup entra_admins user !~ *@* ruser !~ *@* user !~ $GUID ruser !~ $GUID
account     requisite                     pam_succeed_if.so quiet use_uid $NOT_ENTRA"
SESSION_LINES="session     [success=1 ignore=1 module_unknown=ignore default=die]    pam_entralogin.so
session     requisite                     pam_succeed_if.so quiet $NOT_ENTRA
session     [success=ignore default=1]    pam_succeed_if.so quiet uid >= 1879049216 uid <= 2147352575
session     optional                      pam_mkhomedir.so umask=0077"

pam_lines() {
    printf '%s\n' "$ACCOUNT_LINES" | sed 's/^/  /'
    echo '           before pam_unix, for every service'
    printf '%s\n' "$SESSION_LINES" | sed 's/^/  /'
    echo '           for sshd, before pam_env, pam_mkhomedir and pam_systemd'
}

pam_names_us() { grep -qs '^[^#]*pam_entralogin\.so' /etc/pam.d/*; }

# Lines written by hand that would refuse everybody once the module's file is gone; fails where there are none. A line of
# ours ignores that, and so does one whose type begins with a dash (pam.d(5)).
pam_lines_that_lock_out() {
    grep -sn '^[^#-].*pam_entralogin\.so' /etc/pam.d/* | grep -v 'module_unknown=ignore\|:[0-9]*:[^:]*[[:space:]]optional[[:space:]]'
}

# pam-auth-update changes two files for each stage, one after the other, and once they differ it takes that for somebody's work
# and changes none any more. So a run of it is all or nothing, by copies.
PAM_COPIES=$JOURNAL/pam
pam_auth_update() {
    if [ -n "$DRY" ]; then
        say "would run: pam-auth-update --package $1 entralogin"
        return 0
    fi
    put_back_pam_copies || return 1
    rm -rf $PAM_COPIES.new && install -d -m 0700 $JOURNAL $PAM_COPIES.new || return 1
    for file in /etc/pam.d/common-* /var/lib/pam/*; do
        [ -f "$file" ] || continue
        { copy_whole "$file" $PAM_COPIES.new && on_disk "$PAM_COPIES.new$file"; } || return 1
    done
    mv -T $PAM_COPIES.new $PAM_COPIES && on_disk $JOURNAL || return 1
    BEGUN=yes
    # Where it cannot write a stage, it may leave that or all of them alone, and says nothing.
    for attempt in first second; do
        DEBIAN_FRONTEND=noninteractive pam-auth-update --package "$1" entralogin </dev/null || return 1
        ! pam_is_after "$1" || break
        ! has_changed_pam && can_write /etc/pam.d && can_write /var/lib/pam || return 1
        # As it leaves files that somebody has edited, which the caller says.
        [ "$attempt" = first ] || complain "pam-auth-update changes nothing"
    done
    # It leaves the disk to the kernel.
    for file in /etc/pam.d/common-* /etc/pam.d /var/lib/pam/* /var/lib/pam; do
        [ ! -e "$file" ] || on_disk "$file" || return 1
    done
    drop_pam_copies
}

# Debian 11's and Ubuntu 22.04's pam-auth-update knows no --disable; there --remove takes the lines out. It also forgets that it
# saw the profile, which matters to those only that are on by default.
pam_disabling() {
    if grep -q -e --disable "$(command -v pam-auth-update)"; then echo --disable; else echo --remove; fi
}

can_write() { touch "$1/entralogin.new" && rm -f "$1/entralogin.new"; }

has_changed_pam() {
    for file in /etc/pam.d/common-*; do
        [ ! -f "$PAM_COPIES$file" ] || cmp -s "$PAM_COPIES$file" "$file" || return 0
    done
    return 1
}

pam_is_after() {
    if [ "$1" = --enable ]; then
        grep -qs '^account[[:space:]].*pam_entralogin\.so' /etc/pam.d/common-account &&
            grep -qs '^session[[:space:]].*pam_entralogin\.so' /etc/pam.d/common-session
    else
        ! grep -qs '^[^#]*pam_entralogin\.so' /etc/pam.d/common-*
    fi
}

drop_pam_copies() { rm -rf $PAM_COPIES.new && mv -T $PAM_COPIES $PAM_COPIES.new && rm -rf $PAM_COPIES.new; }

# What a run that was killed or failed has changed. Where another has written into these files since, they stay.
put_back_pam_copies() {
    [ -d $PAM_COPIES ] || return 0
    for file in /etc/pam.d/common-*; do
        [ ! -f "$PAM_COPIES$file" ] || ! has_foreign_lines "$PAM_COPIES$file" "$file" || {
            complain "$file was changed meanwhile, and is left"
            drop_pam_copies
            return
        }
    done
    for file in /etc/pam.d/common-* /var/lib/pam/*; do
        [ -f "$PAM_COPIES$file" ] && ! cmp -s "$PAM_COPIES$file" "$file" || continue
        swap_in "$PAM_COPIES$file" "$file" || return 1
    done
    # What it had begun to write.
    rm -f /etc/pam.d/common-*.pam-new /var/lib/pam/*.new
    drop_pam_copies
}

# has_foreign_lines COPY FILE: FILE has lines that are neither in COPY nor of our profile.
has_foreign_lines() {
    grep -vxFf "$1" "$2" | grep -q -v 'pam_entralogin\.so\|pam_succeed_if\.so quiet \(use_uid \)\?uid\|pam_mkhomedir\.so\|^#\|^[[:space:]]*$'
}

# Not empty: PAM does not refuse Entra accounts, and it is for somebody's hands to change that.
PAM_GAP=
pam_gap() {
    missing "$*"
    PAM_GAP=yes
}

wire_pam() {
    if [ -d /etc/pam.d ] && have pam-auth-update && [ -f /etc/pam.d/common-account ]; then
        pam_names_us || begin pam
        pam_auth_update --enable || fail "pam-auth-update failed"
    elif uses_authselect; then
        wire_authselect
    fi
    [ -z "$DRY" ] || return 0
    for pair in account:common-account session:common-session; do
        file=/etc/pam.d/${pair#*:}
        { have pam-auth-update && [ -f "$file" ]; } || continue
        grep -q "^${pair%%:*}[[:space:]].*pam_entralogin\.so" "$file" ||
            pam_gap "$file was changed by hand, so pam-auth-update left it alone"
    done
    if ! pam_names_us; then
        pam_gap "PAM is not wired. Add to the stack that sshd, sudo and su include (/etc/pam.d):"
        pam_lines >&2
    fi
}

# These are local accounts but for PAM: it stays, and harms nobody else.
take_back_pam() {
    if [ -n "$(mapped_lines)" ]; then
        complain "PAM stays wired: it is what refuses accounts of /etc/passwd ($(mapped_lines))"
        return 0
    fi
    unwire_pam
}

# $REMOVING: the profile is about to go, too, and pam-auth-update is to forget that it ever saw it.
unwire_pam() {
    left=$(mapped_lines)
    [ -z "$left" ] || fail "PAM stays wired: it is what refuses accounts of /etc/passwd ($left)"
    if have pam-auth-update; then
        if [ -n "$REMOVING" ]; then change=--remove; else change=$(pam_disabling); fi
        pam_auth_update "$change" || fail "pam-auth-update failed"
    fi
    [ ! -d $AUTHSELECT_PROFILE ] || unwire_authselect || fail "authselect failed"
    left=$(grep -ls '^[^#]*pam_entralogin\.so' /etc/pam.d/* || :)
    [ -z "$left" ] || missing "lines with pam_entralogin.so are left in: $left"
}

# --- authselect(8): a profile of our own, made of the one in force, with the same features --------------------------

uses_authselect() { have authselect && authselect check >/dev/null 2>&1 && [ -n "$(authselect current --raw)" ]; }

# All of them: grep takes each line for a pattern of its own.
has_account_lines() {
    [ -f "$1" ] && [ "$(grep -cxF "$ACCOUNT_LINES" "$1")" -ge "$(printf '%s\n' "$ACCOUNT_LINES" | wc -l)" ]
}

# Prints a template of a profile with our lines before the first line of their stage that is not a comment.
authselect_pam_with_us() {
    awk -v account="$ACCOUNT_LINES" -v session="$SESSION_LINES" '
        $1 == "account" && !a { print account; a = 1 }
        ($1 == "session" || $1 == "-session") && !s { print session; s = 1 }
        { print }' "$1"
}

wire_authselect() {
    current=$(authselect current --raw)
    base=${current%% *} features=
    [ "$base" = "$current" ] || features=${current#* }
    if [ "$base" = custom/entralogin ]; then
        # A profile of an older version has other lines: it is made anew of what it was made of.
        ! has_account_lines $AUTHSELECT_PROFILE/system-auth || return 0
        current=$(cat $AUTHSELECT_PROFILE/made-of)
        base=${current%% *} features=
        [ "$base" = "$current" ] || features=${current#* }
    fi
    if [ -n "$DRY" ]; then
        say "would make the authselect profile custom/entralogin of $base and select it"
        return 0
    fi
    begin pam
    rm -rf $AUTHSELECT_PROFILE
    authselect create-profile entralogin -b "$base" >/dev/null || fail "authselect makes no profile of $base"
    printf '%s\n' "$current" >$AUTHSELECT_PROFILE/made-of
    for file in system-auth password-auth; do
        authselect_pam_with_us $AUTHSELECT_PROFILE/$file >"$WORK/$file"
        place "$WORK/$file" 0644 $AUTHSELECT_PROFILE/$file
    done
    nsswitch_with_us $AUTHSELECT_PROFILE/nsswitch.conf >"$WORK/nsswitch.template"
    place "$WORK/nsswitch.template" 0644 $AUTHSELECT_PROFILE/nsswitch.conf
    # shellcheck disable=SC2086 # a list of words
    authselect select custom/entralogin $features >/dev/null || fail "authselect does not take the profile"
}

unwire_authselect() {
    if [ -f $AUTHSELECT_PROFILE/made-of ]; then
        before=$(cat $AUTHSELECT_PROFILE/made-of)
        # shellcheck disable=SC2086 # a list of words
        case $(authselect current --raw 2>/dev/null || :) in
        custom/entralogin*) authselect select $before >/dev/null || return 1 ;;
        esac
    fi
    rm -rf $AUTHSELECT_PROFILE
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# authselect(8), on RHEL and its derivatives: makes entralogin's own profile from the one in force, with the same
# features. authselect writes nsswitch.conf from it, too. Read by configure.

AUTHSELECT_PROFILE=/etc/authselect/custom/entralogin

authselect_applies() { have authselect; }

authselect_obstacle() {
    uses_authselect || echo "authselect does not manage PAM and $NSSWITCH, or finds them edited (authselect check)"
}

uses_authselect() { have authselect && authselect check >/dev/null 2>&1 && [ -n "$(authselect current --raw)" ]; }

# Whether the file has all of them: grep takes each line for a pattern of its own.
has_account_lines() {
    [ -f "$1" ] && [ "$(grep -cxF "$(lines_of account)" "$1")" -ge "$(lines_of account | wc -l)" ]
}

# Prints a template of a profile with entralogin's lines before the first line of their stage that is not a comment.
authselect_pam_with_entralogin() {
    awk -v account="$(lines_of account)" -v session="$(lines_of session)" '
        $1 == "account" && !a { print account; a = 1 }
        ($1 == "session" || $1 == "-session") && !s { print session; s = 1 }
        { print }' "$1"
}

authselect_wire() {
    uses_authselect || return 0
    current=$(authselect current --raw)
    base=${current%% *} features=
    [ "$base" = "$current" ] || features=${current#* }
    if [ "$base" = custom/entralogin ]; then
        # A profile of an older version has other lines: it is made again from the profile that it was based on.
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
        authselect_pam_with_entralogin $AUTHSELECT_PROFILE/$file >"$WORK/$file"
        place "$WORK/$file" 0644 $AUTHSELECT_PROFILE/$file
    done
    nsswitch_with_entralogin $AUTHSELECT_PROFILE/nsswitch.conf >"$WORK/nsswitch.template"
    place "$WORK/nsswitch.template" 0644 $AUTHSELECT_PROFILE/nsswitch.conf
    # shellcheck disable=SC2086 # a list of words
    authselect select custom/entralogin $features >/dev/null || fail "authselect does not take the profile"
}

take_out_profile() {
    if [ -f $AUTHSELECT_PROFILE/made-of ]; then
        before=$(cat $AUTHSELECT_PROFILE/made-of)
        # shellcheck disable=SC2086 # a list of words
        case $(authselect current --raw 2>/dev/null || :) in
        custom/entralogin*) authselect select $before >/dev/null || return 1 ;;
        esac
    fi
    rm -rf $AUTHSELECT_PROFILE
}

authselect_unwire() { [ ! -d $AUTHSELECT_PROFILE ] || take_out_profile || fail "authselect failed"; }

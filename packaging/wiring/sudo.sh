# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# sudo for administrators. Read by configure.

wire_sudo() {
    if ! have visudo; then
        say "sudo is not installed: administrators get no sudo; run this again once it is"
        return 0
    fi
    if [ -e $SUDOERS_FILE ] && ! ours $SUDOERS_FILE; then
        missing "$SUDOERS_FILE was made by hand and is left alone; ours would be $SHARE/sudoers/entralogin"
        return 0
    fi
    group=$(setting Accounts.AdministratorsGroup)
    case $group in
    '' | *[!a-z0-9_-]* | [!a-z_]*) fail "AdministratorsGroup=: '$group' is not a group name" ;;
    esac
    sed "s/@ADMINS@/$group/" $SHARE/sudoers/entralogin >"$WORK/sudoers"
    client=$(setting DeviceSignIn.ClientID)
    services=$(setting DeviceSignIn.Services)
    if steps_up "$client" "$services"; then
        # Who may not be asked by a code yet keeps what there is, which is sudo without one, or none.
        if lacking=$(pam_without_step_up); then
            missing "Services= of [DeviceSignIn] names sudo, but no auth line of pam_entralogin.so is in $lacking: write it there first" \
                "(pam_entralogin(8)). Sudo is left as it is"
            return 0
        fi
        sed -i 's/NOPASSWD:/PASSWD:/; /^Defaults:/s/$/, authenticate, !passprompt_override/' "$WORK/sudoers"
    fi
    chmod 0440 "$WORK/sudoers"
    visudo -cqf "$WORK/sudoers" || fail "visudo refuses our lines; sudo is older than 1.8.23?"
    cmp -s "$WORK/sudoers" $SUDOERS_FILE && [ "$(stat -c %a:%u $SUDOERS_FILE)" = 440:0 ] && return 0
    [ -d /etc/sudoers.d ] || act install -d -m 0750 /etc/sudoers.d
    begin sudo "$WORK/sudoers"
    place "$WORK/sudoers" 0440 $SUDOERS_FILE
    visudo -cq || fail "visudo refuses the whole configuration with $SUDOERS_FILE in it"
}

# steps_up CLIENT SERVICES: sudo is to ask administrators for a code.
steps_up() {
    [ -n "$1" ] || return 1
    case " $2 " in
    *" sudo "*) return 0 ;;
    *) return 1 ;;
    esac
}

# The files of PAM in which that would ask for a password instead; fails where there is none.
pam_without_step_up() {
    lacking=
    for service in sudo sudo-i; do
        { [ -e /etc/pam.d/$service ] || [ $service = sudo ]; } || continue
        grep -qs '^auth[[:space:]].*pam_entralogin\.so' /etc/pam.d/$service || lacking="$lacking /etc/pam.d/$service"
    done
    [ -n "$lacking" ] || return 1
    printf '%s' "${lacking# }"
}

unwire_sudo() {
    [ -e $SUDOERS_FILE ] || return 0
    if ours $SUDOERS_FILE; then
        rm -f $SUDOERS_FILE || fail "$SUDOERS_FILE cannot be removed"
    else
        missing "$SUDOERS_FILE was made by hand: remove it yourself"
    fi
}

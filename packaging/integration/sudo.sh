# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# sudo for administrators. Read by configure.

# ENTRALOGIN_ADMINS_GID (entralogin_name.h)
ADMINS_GID=1879048193

wire_sudo() {
    if ! have visudo; then
        say "sudo is not installed: administrators get no sudo; run this again once it is"
        return 0
    fi
    if [ -e $SUDOERS_FILE ] && ! is_own $SUDOERS_FILE; then
        missing "$SUDOERS_FILE was made by hand and is left alone; entralogin's would be $SHARE/sudoers/entralogin"
        return 0
    fi
    sudo_rule >"$WORK/sudoers" || return 0
    client=$(setting DeviceSignIn.ClientID)
    services=$(setting DeviceSignIn.Services)
    if steps_up "$client" "$services"; then
        if is_sudo_rs; then
            missing "Services= of [DeviceSignIn] names sudo, and sudo-rs asks for no code: step-up is off here"
        # Without these auth lines sudo would ask for a password. The file stays as it is: no code, or no sudo.
        elif lacking=$(pam_without_step_up); then
            missing "Services= of [DeviceSignIn] names sudo, but no auth line of pam_entralogin.so is in $lacking: write it there first" \
                "(pam_entralogin(8)). Sudo is left as it is"
            return 0
        else
            sed -i 's/NOPASSWD:/PASSWD:/; /passprompt=/d; /pam_acct_mgmt/s/$/, authenticate, !passprompt_override/' "$WORK/sudoers"
        fi
    fi
    chmod 0440 "$WORK/sudoers"
    said=$(visudo -cqf "$WORK/sudoers" 2>&1) || fail "visudo refuses entralogin's lines: $said"
    cmp -s "$WORK/sudoers" $SUDOERS_FILE && [ "$(stat -c %a:%u $SUDOERS_FILE)" = 440:0 ] && return 0
    [ -d /etc/sudoers.d ] || act install -d -m 0750 /etc/sudoers.d
    begin sudo "$WORK/sudoers"
    place "$WORK/sudoers" 0440 $SUDOERS_FILE
    said=$(visudo -c 2>&1) || fail "visudo refuses the whole configuration with $SUDOERS_FILE in it: $said"
}

# Whether the installed sudo is sudo-rs: it prints "sudo-rs 0.2.5", that version to standard error.
is_sudo_rs() {
    case $(sudo --version 2>&1 | head -n 1) in
    sudo-rs*) return 0 ;;
    *) return 1 ;;
    esac
}

# Prints entralogin's file for the installed sudo. Says why and fails where the rule would apply to another group: an
# older sudo-rs goes by the group's name, which another name service may have taken; 0.2.5 reads no number of ten
# digits, 0.2.15 does.
sudo_rule() {
    if ! is_sudo_rs; then
        cat $SHARE/sudoers/entralogin
        return 0
    fi
    sed "s/@ADMINS@/#$ADMINS_GID/" $SHARE/sudoers/sudo-rs >"$WORK/by-number"
    if visudo -cqf "$WORK/by-number" >/dev/null 2>&1; then
        cat "$WORK/by-number"
        return 0
    fi
    group=$(setting Accounts.AdministratorsGroup)
    case $group in
    '' | *[!a-z0-9_-]* | [!a-z_]*) fail "AdministratorsGroup=: '$group' is not a group name" ;;
    esac
    number=$(getent group "$group" | cut -d: -f3 || :)
    case $number in
    '' | "$ADMINS_GID") sed "s/@ADMINS@/$group/" $SHARE/sudoers/sudo-rs ;;
    *)
        # An earlier rule of entralogin would now apply to that group.
        unwire_sudo
        missing "the group $group has the number $number, so it is another name service's, and this sudo-rs knows groups by name only:" \
            "administrators get no sudo. Name another group in AdministratorsGroup="
        return 1
        ;;
    esac
}

# steps_up CLIENT SERVICES: whether sudo is to ask administrators for a code.
steps_up() {
    [ -n "$1" ] || return 1
    case " $2 " in
    *" sudo "*) return 0 ;;
    *) return 1 ;;
    esac
}

# Prints PAM's files for sudo in which step-up would ask for a password instead of a code; fails where there are none.
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
    if is_own $SUDOERS_FILE; then
        rm -f $SUDOERS_FILE || fail "$SUDOERS_FILE cannot be removed"
    else
        missing "$SUDOERS_FILE was made by hand: remove it yourself"
    fi
}

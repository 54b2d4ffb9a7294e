# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Whether the package can be installed on this machine. Changes nothing. Read by handler.

have() { command -v "$1" >/dev/null 2>&1; }

# The kind of packages that this machine uses: deb, rpm, or nothing.
family() {
    if have apt-get && have dpkg-query; then
        echo deb
    elif have rpm && { have dnf || have tdnf || have yum || have zypper; }; then
        echo rpm
    fi
}

# Whether version $1 is at least $2.
is_at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

refuse_other_system() {
    system=$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}") || system=
    system="${system:-this system} on $(uname -m)"
    [ -d /run/systemd/system ] || refuse $OTHER_SYSTEM "$system is not supported: systemd does not run it"
    [ -n "$(family)" ] || refuse $OTHER_SYSTEM "$system is not supported: neither apt nor dnf, yum or zypper is there"
    [ -n "$(carried "$HANDLER")" ] || refuse $OTHER_SYSTEM "$system is not supported: there is no package for it here"
    # An RPM states the glibc that it needs, and its package manager checks that.
    if [ "$(family)" = deb ]; then
        libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
        is_at_least "${libc:-0}" "$GLIBC" ||
            refuse $OTHER_SYSTEM "$system is not supported: it has glibc ${libc:-none}, and $GLIBC is needed"
    fi
}

has_package() {
    case $(family) in
    deb) [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    rpm) rpm -q --quiet "$1" ;;
    esac
}

# Two products must not decide about the same users.
refuse_old_product() {
    for package in aadsshlogin aadlogin; do
        ! has_package $package || refuse $OLD_PRODUCT "the package $package is installed: remove it first"
    done
    for folder in "${HANDLER%/*}"/Microsoft.Azure.ActiveDirectory.AADSSHLoginForLinux-*; do
        grep -qs '^\(Installed\|Enabled\)' "$folder/config/HandlerState" || continue
        refuse $OLD_PRODUCT "the extension AADSSHLoginForLinux is installed: remove it first"
    done
    left_over=$(grep -ls '^[^#]*pam_aad' /etc/pam.d/* 2>/dev/null | tr '\n' ' ' || :)
    [ -z "$left_over" ] || refuse $OLD_PRODUCT "PAM still calls the module of aadsshlogin or aadlogin: ${left_over% }"
}

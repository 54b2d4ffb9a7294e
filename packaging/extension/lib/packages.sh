# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Installs and removes the package with the machine's package manager; waits
# for its locks, within a limit. Read by handler.

# Says which version of the extension owns the package: in an update the previous version is uninstalled after the new
# one is in place, and must not remove the package.
STATE=/var/lib/entralogin-extension

owner() { cat $STATE/owner 2>/dev/null || :; }
is_owner() { [ "$(owner)" = "$VERSION" ]; }
own() {
    mkdir -p $STATE
    echo "$1" >$STATE/owner.new
    mv -f $STATE/owner.new $STATE/owner
}

# carried FOLDER: the package in that folder of the extension that is for this machine, or nothing. An RPM that was
# built for this distribution comes before the one for all.
carried() {
    case $(family) in
    deb) file=$(echo "$1"/packages/entralogin_*_"$(dpkg --print-architecture)".deb) ;;
    rpm)
        file=$(echo "$1"/packages/entralogin-[0-9]*"$(rpm --eval '%{?dist}')"."$(uname -m)".rpm)
        [ -f "$file" ] || file=$(echo "$1"/packages/entralogin-[0-9]*-[0-9]."$(uname -m)".rpm)
        ;;
    esac
    [ ! -f "$file" ] || echo "$file"
}

version_of() {
    case $1 in
    *.deb) dpkg-deb -f "$1" Version ;;
    *) rpm -qp --qf '%{VERSION}-%{RELEASE}' "$1" ;;
    esac
}

installed_version() {
    case $(family) in
    deb) dpkg-query -W -f='${db:Status-Status} ${Version}' entralogin 2>/dev/null | sed -n 's/^installed //p' ;;
    rpm) ! rpm -q --quiet entralogin || rpm -q --qf '%{VERSION}-%{RELEASE}' entralogin ;;
    esac
}

is_newer() {
    case $(family) in
    deb) dpkg --compare-versions "$1" gt "$2" ;;
    rpm) [ "$1" != "$2" ] && is_at_least "$1" "$2" ;;
    esac
}

# ensure_package SECONDS: this extension's package, or a newer one that the machine's owner has put in its place.
ensure_package() {
    file=$(carried "$HANDLER")
    wanted=$(version_of "$file")
    present=$(installed_version)
    if [ "$present" = "$wanted" ]; then
        say "package $wanted is installed"
    elif [ -n "$present" ] && is_newer "$present" "$wanted"; then
        say "package $present is installed, and newer than $wanted"
    else
        say "installing package $wanted${present:+ over $present}"
        put_package "$file" "$1" || refuse_package "$file"
    fi
    own "$VERSION"
}

# put_package FILE SECONDS: installs FILE over any version. Its scripts
# leave sign-in off where it is off: enable decides.
put_package() {
    ENTRALOGIN_LEAVE_OFF=yes
    export ENTRALOGIN_LEAVE_OFF
    seconds=$(left "$2")
    case $1 in
    *.deb) apt "$seconds" --allow-downgrades install "$1" ;;
    *) install_rpm "$seconds" "$1" ;;
    esac >>"$LOG" 2>&1
}

# apt SECONDS WORDS: keeps files that the owner changed, asks no questions, and waits SECONDS for other programs' locks.
apt() {
    apt_seconds=$1
    shift
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout="$apt_seconds" -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# dnf, yum and tdnf wait for each other without a limit of their own; zypper as long as this variable says.
install_rpm() {
    if [ -n "$(installed_version)" ] && ! is_newer "$(version_of "$2")" "$(installed_version)"; then
        timeout "$1" rpm -U --oldpackage --replacepkgs "$2"
    elif have zypper; then
        ZYPP_LOCK_TIMEOUT=$1 timeout "$1" zypper --non-interactive --no-gpg-checks install --allow-unsigned-rpm "$2"
    else
        for manager in dnf tdnf yum; do
            have $manager || continue
            timeout "$1" $manager -y install "$2"
            return
        done
    fi
}

# Says why: when apt's simulation fails, this machine lacks something that the package needs.
refuse_package() {
    case $1 in
    *.deb)
        if ! apt-get -q -s install "$1" >"$WORK/simulation" 2>&1; then
            cat "$WORK/simulation" >>"$LOG"
            lacks=$(sed -n 's/^.*: Depends: //p' "$WORK/simulation" | head -n 3 | tr '\n' ';')
            refuse $MISSING "something that the package needs cannot be had: ${lacks:-see $LOG}"
        fi
        ;;
    esac
    refuse 1 "the package could not be installed: $(grep -E '^(E|dpkg|error|Error):' "$LOG" | tail -n 1)"
}

# remove_package SECONDS: settings and accounts stay, as after any removal.
remove_package() {
    [ -n "$(installed_version)" ] || return 0
    say "removing the package"
    seconds=$(left "$1")
    case $(family) in
    deb) apt "$seconds" remove entralogin ;;
    rpm) timeout "$seconds" rpm -e entralogin ;;
    esac >>"$LOG" 2>&1 || refuse 1 "the package could not be removed: $(grep -E '^(E|dpkg|entralogin|error):' "$LOG" | tail -n 1)"
}

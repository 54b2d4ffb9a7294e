# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Makes the system users and the folders, and flushes the caches of the name service. Read by configure.

make_users() {
    if have systemd-sysusers; then
        act systemd-sysusers entralogin.conf || fail "systemd-sysusers could not make the users"
    fi
    for user in entralogin entralogin-ssh entralogin-audit entralogin-sessions; do
        grep -q "^$user:" /etc/passwd && continue
        have systemd-sysusers && [ -n "$DRY" ] && continue
        grep -q "^$user:" /etc/group || act groupadd -r "$user"
        act useradd -r -g "$user" -d / -s /usr/sbin/nologin -c "Entra sign-in" "$user" ||
            fail "could not make the user $user"
    done
    # On Azure Arc only this group may read the key files of the agent, which is installed before or after entralogin.
    if grep -q '^himds:' /etc/group && ! grep -qE '^himds:.*[:,]entralogin(,|$)' /etc/group; then
        act usermod -a -G himds entralogin || missing "could not put the user entralogin into the group himds"
    fi
}

as_daemon() {
    setpriv --reuid "$(id -u entralogin)" --regid "$(id -g entralogin)" --clear-groups -- "$@"
}

make_folders() {
    [ -z "$DRY" ] || return 0
    if have systemd-tmpfiles; then
        systemd-tmpfiles --create entralogin.conf || complain "systemd-tmpfiles complained; going on"
    fi
    install -d -m 0755 -o root -g root /run/entralogin /var/lib/entralogin-sshd
    install -d -m 0755 -o entralogin -g entralogin /run/entralogin/nss /var/lib/entralogin
    # The daemon owns the folder that these are in, so root must not follow a link that the daemon may have put there.
    as_daemon install -d -m 0755 /var/lib/entralogin/nss /var/lib/entralogin/ssh ||
        complain "the folders below /var/lib/entralogin cannot be made: look at what is there"
    install -d -m 0755 -o root -g root /etc/entralogin /etc/entralogin/entralogin.conf.d
    make_sshd_folder
}

# Without /run/sshd, which sshd's own unit makes when sshd starts, sshd does not even test its configuration.
make_sshd_folder() { [ ! -d /usr/lib/openssh ] || [ -d /run/sshd ] || install -d -m 0755 -o root -g root /run/sshd; }

# nscd caches answers and the content of nsswitch.conf.
forget_names() {
    if have nscd && [ -z "$DRY" ]; then
        nscd -i passwd 2>/dev/null || :
        nscd -i group 2>/dev/null || :
    fi
}

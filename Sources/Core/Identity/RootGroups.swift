// SPDX-License-Identifier: Apache-2.0

/// Groups whose members can become root on a machine as distributions and products set it up, by name, with why.
///
/// Their own documentation names them, except for the two that read logs. The table cannot be complete: any group can
/// be given access to what root owns.
package enum RootGroups {
    /// What a member can do; nil for a group that is not in the table.
    package static func power(of group: String) -> String? { table[group] }

    private static let table: [String: String] = [
        // sudoers(5) as distributions install it; pam_wheel(8). "admin" is Ubuntu's before 12.04, and cloud images'.
        "sudo": "sudo lets its members run everything",
        "wheel": "sudo and su let its members run everything",
        "admin": "sudo lets its members run everything",
        // docs.docker.com, "Linux post-installation steps": "grants root-level privileges to the user".
        "docker": "its members start containers that have the whole file system",
        // documentation.ubuntu.com/lxd, "Security": "anyone with access to the LXD socket" is root; Incus says the same
        // of its own.
        "lxd": "its members start containers that have the whole file system",
        "incus-admin": "its members start containers that have the whole file system",
        // microk8s.io, "snap_microk8s" and "microk8s" groups.
        "microk8s": "its members administer a cluster whose containers run as root here",
        "snap_microk8s": "its members administer a cluster whose containers run as root here",
        // libvirt.org, "Daemon and driver auth": read-write access "should be considered equivalent to having the root
        // password".
        "libvirt": "its members start virtual machines that have this machine's disks",
        "libvirtd": "its members start virtual machines that have this machine's disks",
        // Debian's wiki, "SystemGroups": disk is "mostly equivalent to root access", staff writes /usr/local, shadow
        // reads /etc/shadow, kmem reads the memory.
        "disk": "its members read and write the disks themselves",
        "staff": "its members write /usr/local, where root's programs are looked for first",
        "shadow": "its members read the password hashes",
        "kmem": "its members read the machine's memory",
        // CVE-2020-8903: members of adm became root by what they read in root's logs.
        "adm": "its members read root's logs, which have led to root (CVE-2020-8903)",
        "systemd-journal": "its members read root's logs, which have led to root (CVE-2020-8903)",
    ]
}

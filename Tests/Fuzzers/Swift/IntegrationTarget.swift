// SPDX-License-Identifier: Apache-2.0

internal import Integration

// Seeds: a Debian 12 machine after `configure --enable`, and the same with one change; the result that the integration
// check records on such a machine. Tests/Fuzzers/make-seeds writes them.

/// A machine made of the texts of one input; root owns every file, and the programs exist.
private struct TextMachine: HostView {
    /// In the order of the input; the first is what `sshd -T` prints.
    static let paths = [
        "sshd -T", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/00-entralogin.conf", "/etc/pam.d/sshd",
        "/etc/pam.d/common-account", "/etc/pam.d/common-session", "/etc/pam.d/sudo", "/etc/nsswitch.conf",
        "/etc/passwd", "/run/sshd.pid",
    ]
    private static let programs = [
        "/usr/sbin/sshd", "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so.2",
        "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so", "/usr/libexec/entralogin/authorized-principals",
        "/usr/libexec/entralogin/pam-probe", "/usr/libexec/entralogin/sudo_entralogin.so",
    ]
    /// A libpam that runs entralogin's module whatever the files say, so that only the rules about files decide.
    private static let probe =
        "mark reached\nresult 10\nmodule /usr/lib/x86_64-linux-gnu/security/pam_entralogin.so\n"
    var texts: [String: String]

    func text(of path: String) throws(FileAbsence) -> String {
        guard let text = texts[path] else { throw .absent }
        return text
    }

    func status(of path: String) throws(FileAbsence) -> FileStatus {
        if texts[path] != nil { return FileStatus(kind: .file) }
        if TextMachine.programs.contains(path) { return FileStatus(kind: .file, mode: 0o755) }
        let isFolder = path == "/" || (texts.keys + TextMachine.programs).contains { $0.hasPrefix("\(path)/") }
        guard isFolder else { throw .absent }
        return FileStatus(kind: .folder, mode: 0o755)
    }

    func paths(matching pattern: String) -> [String] {
        pattern == "/etc/ssh/sshd_config.d/*.conf" ? [TextMachine.paths[2]] : texts[pattern] == nil ? [] : [pattern]
    }

    func run(_ program: String, _: [String]) -> ProgramResult {
        let isProbe = program.hasSuffix("/pam-probe")
        return ProgramResult(status: 0, output: isProbe ? TextMachine.probe : texts["sshd -T"] ?? "")
    }

    func complaintOnLoading(module _: String) -> String? { nil }
    func isRunning(pid: Int32) -> Bool { pid == 812 }
}

func takesIntegration(_ bytes: [UInt8]) -> Bool {
    let parts = bytes.split(separator: 0, maxSplits: TextMachine.paths.count - 1, omittingEmptySubsequences: false)
    let texts = zip(TextMachine.paths, parts).map { ($0, String(decoding: $1, as: UTF8.self)) }
    let machine = TextMachine(texts: Dictionary(uniqueKeysWithValues: texts))
    let verdict = StackCheck(on: machine).run()
    promise(verdict.restsOn.allSatisfy { $0.hasPrefix("/") }, "the verdict rests on no file")
    promise(!verdict.findings.isEmpty)
    guard verdict.holds else { return false }
    // If the check finds nothing wrong, each line that it requires must be there.
    let configuration = machine.texts["sshd -T"]?.lowercased().split(separator: "\n") ?? []
    for need in [
        "usepam yes", "authenticationmethods publickey", "authorizedkeysfile none", "passwordauthentication no",
        "authorizedprincipalscommand /usr/libexec/entralogin/authorized-principals %u %u %h %t %k",
    ] {
        promise(configuration.contains { $0 == need }, "the verdict holds without \(need)")
    }
    let stacks = machine.texts.filter { $0.key.hasPrefix("/etc/pam.d/") }.values.joined(separator: "\n").lowercased()
    for word in ["account", "session", "pam_entralogin.so"] {
        promise(stacks.contains(word), "the verdict holds without \(word)")
    }
    promise(machine.texts["/etc/nsswitch.conf"]?.contains("entralogin") ?? false)
    return true
}

func takesStamp(_ bytes: [UInt8]) -> Bool {
    guard let text = String(validating: bytes, as: UTF8.self), let stack = VerifiedStack(text) else { return false }
    promise(stack.text == text, "a stamp has two spellings")
    return true
}

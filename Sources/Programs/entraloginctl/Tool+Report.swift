// SPDX-License-Identifier: Apache-2.0

internal import Integration
internal import LinuxSystem
internal import Wire

// `report`: what is needed to find a fault on a machine without access to it.

extension Tool {
    /// Limits: records of the daemon, and bytes of one program's output.
    private static let recordLimit = 400
    private static let outputLimit = 256 << 10
    private static let programs: [(title: String, path: String, arguments: [String])] = [
        ("Kernel", "/usr/bin/uname", ["-srvm"]), ("OpenSSH", "/usr/sbin/sshd", ["-V"]),
        ("sudo", "/usr/bin/sudo", ["-V"]), ("systemd", "/usr/bin/systemctl", ["--version"]),
        ("glibc", "/usr/bin/ldd", ["--version"]),
        (
            "Units", "/usr/bin/systemctl",
            ["show", "--no-pager", "--property=Id,LoadState,ActiveState,SubState,Result,NRestarts", "entralogin*"]
        ),
    ]

    func report(to file: String?) -> ExitStatus {
        let text = Redaction.clean(
            sections().map { "== \($0.title)\n\($0.text.trimmingLines)\n" }.joined(separator: "\n")
        )
        guard let file else {
            if isJSON { show(["report": text]) { _ in [] } } else { Output.write(text) }
            return .success
        }
        do throws(FileError) {
            try AtomicFile(file).replace(with: Array(text.utf8), mode: 0o600)
        } catch {
            Output.complain("entraloginctl: \(error)")
            return .refused
        }
        if !isJSON { Output.say("\(printable(file)) is written. Look through it before you send it.") }
        return .success
    }

    private func sections() -> [(title: String, text: String)] {
        let about = """
            It holds names of accounts, object ids, addresses and the names of Azure resources. It holds no tokens, keys or
            passwords: what looks like one is replaced by ***. Look through it before you send it.
            """
        var sections = [("A report of entraloginctl \(ProductVersion.text), \(Text.date(now))", about)]
        sections.append(("System", (try? machine.text(of: "/etc/os-release")) ?? "unknown"))
        sections += Tool.programs.map { ($0.title, output(of: $0.path, $0.arguments)) }
        // Each in a process of its own, so that one that hangs or crashes costs only its section.
        let commands = [("Findings", ["doctor"]), ("Status", ["status", "--json"]), ("Keys", ["keys"])]
        sections += (commands + [("Settings", ["config"])]).map { ($0, output(of: "/proc/self/exe", $1)) }
        sections.append(("Records", records()))
        return sections
    }

    private func records() -> String {
        output(
            of: PersonLog.program,
            ["--quiet", "--no-pager", "--output=short-iso", "--lines=\(Tool.recordLimit)", "--unit=\(PersonLog.unit)"]
        )
    }

    private func output(of path: String, _ arguments: [String]) -> String {
        guard (try? machine.status(of: path)) != nil else { return "\(path) is not here" }
        let result = machine.run(path, arguments)
        return String((result.output + result.complaint).suffix(Tool.outputLimit))
    }
}

extension String {
    /// Without trailing line ends.
    fileprivate var trimmingLines: String {
        var text = self
        while text.last == "\n" { text.removeLast() }
        return text
    }
}

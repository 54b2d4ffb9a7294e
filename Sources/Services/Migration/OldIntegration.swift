// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Every line that calls Microsoft's programs (Documentation/azure.md), as `file:line`.
struct OldIntegration: Sendable {
    private static let program = "aad_certhandler"
    private static let mark = "aadsshlogin"

    func lines(on machine: any HostView) -> [String] { sshd(machine) + pam(machine) + names(machine) }

    /// Reports a `Match` block as a whole: without its first line, the rest would apply to every user.
    private func sshd(_ machine: any HostView) -> [String] {
        var blocks: [[SSHDFiles.Line]] = []
        for line in SSHDFiles(on: machine).lines {
            if line.keyword != "match", let last = blocks.last?.last, last.file == line.file {
                blocks[blocks.count - 1].append(line)
            } else {
                blocks.append([line])
            }
        }
        return blocks.flatMap { block -> [String] in
            let isConditional = block.first?.keyword == "match"
            let named = block.filter {
                $0.rest.contains(OldIntegration.program) || $0.rest.contains(OldIntegration.mark)
            }
            return (isConditional && !named.isEmpty ? block : named).map(\.place)
        }
    }

    private func pam(_ machine: any HostView) -> [String] {
        PAMStack.folders.flatMap { machine.paths(matching: "\($0)/*") }.flatMap { path in
            places(path, machine) { $0.contains("pam_aad.so") }
        }
    }

    private func names(_ machine: any HostView) -> [String] {
        places(NameServiceRule.path, machine) { line in
            guard let colon = line.firstIndex(of: ":") else { return false }
            return line[colon...].dropFirst().split { $0 == " " || $0 == "\t" }.contains("aad")
        }
    }

    /// Ignores comments.
    private func places(_ path: String, _ machine: any HostView, _ isOld: (Substring) -> Bool) -> [String] {
        let lines = (try? machine.text(of: path))?.lines ?? []
        return lines.enumerated().filter { isOld($0.element.prefix { $0 != "#" }) }.map { "\(path):\($0.offset + 1)" }
    }
}

// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// The state that systemd reports for a daemon that does not answer (systemctl(1), `show`).
struct ServiceState: Hashable, Sendable {
    private static let programs = ["/usr/bin/systemctl", "/bin/systemctl"]
    private static let unit = "entralogind.service"

    private let values: [String: String]

    /// Nil where systemd does not run here.
    static func ask(_ machine: any HostView) -> ServiceState? {
        guard (try? machine.status(of: "/run/systemd/system")) != nil,
            let program = programs.first(where: { (try? machine.status(of: $0)) != nil })
        else { return nil }
        let properties = "--property=ActiveState,SubState,Result,NRestarts"
        let result = machine.run(program, ["show", "--no-pager", properties, unit])
        return result.status == 0 ? ServiceState(result.output) : nil
    }

    init(_ output: String) {
        let pairs = output.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// True while it starts for the first time, or reloads: worth a longer wait.
    var isStarting: Bool {
        let isAtWork = ["start-pre", "start", "start-post"].contains(values["SubState"] ?? "")
        let isFirst = ["0", "", nil].contains(values["NRestarts"])
        return values["ActiveState"] == "activating" && isAtWork && isFirst || values["ActiveState"] == "reloading"
    }

    /// `its unit is activating (auto-restart) after exit-code, restarted 7 times`.
    var text: String {
        let state = "its unit is \(values["ActiveState"] ?? "unknown") (\(values["SubState"] ?? "unknown"))"
        let result = values["Result"].map { $0.isEmpty || $0 == "success" ? "" : " after \($0)" } ?? ""
        let restarts = values["NRestarts"].map { $0 == "0" || $0.isEmpty ? "" : ", restarted \($0) times" } ?? ""
        return state + result + restarts
    }
}

// SPDX-License-Identifier: Apache-2.0

package import Integration
internal import Synchronization

/// A machine view that reads each file once and runs each program once, however many rules ask, so that one run of
/// `doctor` reports one state. Not for the integration check, which records its result and therefore looks twice.
package final class MemoizingMachine: EnvironmentView {
    private struct Seen {
        var texts: [String: Result<String, FileAbsence>] = [:]
        var results: [[String]: ProgramResult] = [:]
    }

    private let machine: any EnvironmentView
    private let seen = Mutex(Seen())

    package init(_ machine: any EnvironmentView) { self.machine = machine }

    package func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        let command = [path] + arguments
        if let result = seen.withLock({ $0.results[command] }) { return result }
        let result = machine.run(path, arguments)
        seen.withLock { $0.results[command] = result }
        return result
    }

    package func text(of path: String) throws(FileAbsence) -> String {
        try read(path) { () throws(FileAbsence) in try machine.text(of: path) }
    }

    package func text(of path: String, limit: Int) throws(FileAbsence) -> String {
        try read("\(path) \(limit)") { () throws(FileAbsence) in try machine.text(of: path, limit: limit) }
    }

    private func read(_ key: String, _ text: () throws(FileAbsence) -> String) throws(FileAbsence) -> String {
        if let known = seen.withLock({ $0.texts[key] }) { return try known.get() }
        let result: Result<String, FileAbsence>
        do throws(FileAbsence) { result = .success(try text()) } catch { result = .failure(error) }
        seen.withLock { $0.texts[key] = result }
        return try result.get()
    }

    package func status(of path: String) throws(FileAbsence) -> FileStatus { try machine.status(of: path) }
    package func paths(matching pattern: String) -> [String] { machine.paths(matching: pattern) }
    package func complaintOnLoading(module path: String) -> String? { machine.complaintOnLoading(module: path) }
    package func isRunning(pid: Int32) -> Bool { machine.isRunning(pid: pid) }
    package func space(of folder: String) -> FileSpace? { machine.space(of: folder) }
    package func isLink(_ path: String) -> Bool { machine.isLink(path) }
    package func isUnfinishedHome(_ path: String, uid: UInt32) -> Bool { machine.isUnfinishedHome(path, uid: uid) }
}

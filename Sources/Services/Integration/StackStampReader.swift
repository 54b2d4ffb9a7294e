// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import LinuxSystem
internal import Synchronization

/// The daemon's side of the integration check: for each question it checks the recorded result (the stamp) and every
/// file that it names, with about twenty stat(2) calls. The parsed stamp is cached while its file is unchanged.
package final class StackStampReader: StackStamp {
    private struct Kept {
        let identity: FileStamp
        let stack: VerifiedStack
    }

    private let file: AtomicFile
    private let version: String
    /// The stamp and its folder are root's; only tests use another owner.
    private let owner: UInt32
    private let status: @Sendable (String) throws(FileAbsence) -> FileStatus
    private let kept = Mutex<Kept?>(nil)

    package convenience init(version: String, path: String = VerifiedStack.path) {
        self.init(version: version, path: path, owner: 0) { path throws(FileAbsence) in
            try LiveMachine.status(at: path)
        }
    }

    init(
        version: String,
        path: String,
        owner: UInt32,
        status: @escaping @Sendable (String) throws(FileAbsence) -> FileStatus
    ) {
        file = AtomicFile(path)
        self.version = version
        self.owner = owner
        self.status = status
    }

    package func refusal() -> Denial? {
        guard let problem else { return nil }
        return Denial(.stackNotVerified, detail: "\(problem); entraloginctl doctor says what is wrong")
    }

    package func withholdsAdministrators() -> Bool {
        let identity = try? FileStamp(of: file.path)
        if let kept = kept.withLock({ $0 }), kept.identity == identity { return kept.stack.withholdsAdministrators }
        guard case .success(let stack) = read() else { return false }
        return stack.withholdsAdministrators
    }

    /// Why the stamp is not valid, without a remedy; nil if it is valid.
    package var problem: String? {
        let identity = try? FileStamp(of: file.path)
        if let kept = kept.withLock({ $0 }), kept.identity == identity {
            return kept.stack.difference(seenBy: status)
        }
        switch read() {
        case .failure(let problem): return problem.text
        case .success(let stack):
            // Root replaces the file by a new one, so if the stamp is the same before and after, the content belongs to
            // it.
            if let identity, (try? FileStamp(of: file.path)) == identity {
                kept.withLock { $0 = Kept(identity: identity, stack: stack) }
            }
            return stack.difference(seenBy: status)
        }
    }

    private struct Problem: Error {
        let text: String
    }

    private func read() -> Result<VerifiedStack, Problem> {
        let bytes: [UInt8]
        do throws(FileError) {
            let requirement = FileRequirement(owners: [owner], forbiddenMode: 0o022)
            bytes = try file.read(limit: VerifiedStack.sizeLimit, requiring: requirement)
        } catch {
            let text = error.isAbsent ? "there is no stack stamp (\(file.path))" : error.description
            return .failure(Problem(text: text))
        }
        guard let text = String(validating: bytes, as: UTF8.self), let stack = VerifiedStack(text) else {
            return .failure(Problem(text: "\(file.path) cannot be read as a stack stamp"))
        }
        guard stack.version == version else {
            return .failure(Problem(text: "\(file.path) was made by another version of entralogin"))
        }
        return .success(stack)
    }
}

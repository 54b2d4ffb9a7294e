// SPDX-License-Identifier: Apache-2.0

/// Asks the machine's name services (nsswitch.conf(5)) who has a number, through getent(1): a process of its own, because a
/// module of theirs may hang, and is nobody's code to run in here.
package struct NameServiceQuery: Sendable {
    package enum Answer: Hashable, Sendable {
        case nobody
        /// The name of the user or group.
        case somebody(String)
        /// Not asked, or not answered in time; why.
        case unknown(String)
    }

    /// Bytes of a name that is passed on.
    private static let nameLimit = 128
    /// getent(1): a key is not in the database.
    private static let absent: Int32 = 2

    private let program: String

    /// Tests name another program.
    package init(program: String = "/usr/bin/getent") { self.program = program }

    /// Who has the number, as a user or as a group. Blocks until `deadline` (time since boot) at most. A service that is down,
    /// and says so at once, is one that does not have the number: getent(1) tells no difference.
    package func holder(of number: UInt32, until deadline: Duration) -> Answer {
        for database in ["passwd", "group"] {
            let answer = ask(database, number, deadline)
            guard answer == .nobody else { return answer }
        }
        return .nobody
    }

    private func ask(_ database: String, _ number: UInt32, _ deadline: Duration) -> Answer {
        let query = Subprocess(program, [database, String(number)], outputLimit: 1 << 16)
        let outcome: Subprocess.Outcome
        do throws(SubprocessError) { outcome = try query.run(until: deadline) } catch { return .unknown("\(error)") }
        switch outcome.ending {
        case .exited(0):
            let name = outcome.output.prefix { $0 != UInt8(ascii: ":") }.prefix(Self.nameLimit)
            return .somebody(String(decoding: name, as: UTF8.self))
        case .exited(Self.absent): return .nobody
        default: return .unknown("\(program) \(database) \(number): \(outcome.ending)")
        }
    }
}

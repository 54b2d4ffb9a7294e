// SPDX-License-Identifier: Apache-2.0

/// Asks the machine's name services (nsswitch.conf(5)) who has a number or a name, through getent(1). That is a
/// separate process, because a name service's module may hang, and because its code is not to run in this one.
package struct NameServiceQuery: Sendable {
    package enum Answer: Hashable, Sendable {
        case nobody
        /// The name of the user or group; where a name was asked for, its number.
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

    /// Who has the number, as a user or as a group. Blocks until `deadline` (time since boot) at most. A service that
    /// reports at once that it is down counts as one without the number: getent(1) shows no difference.
    package func holder(of number: UInt32, until deadline: Duration) -> Answer {
        ask(String(number), field: 0, deadline)
    }

    /// The number of the user or group of that name, which may begin with a minus. Deadline and a service that is down:
    /// as for `holder`.
    package func number(of name: String, until deadline: Duration) -> Answer { ask(name, field: 2, deadline) }

    /// `field` of the record, from 0: both databases have the name first and the number third.
    private func ask(_ key: String, field: Int, _ deadline: Duration) -> Answer {
        for database in ["passwd", "group"] {
            let answer = ask(database, key, field, deadline)
            guard answer == .nobody else { return answer }
        }
        return .nobody
    }

    private func ask(_ database: String, _ key: String, _ field: Int, _ deadline: Duration) -> Answer {
        let query = Subprocess(program, [database, "--", key], outputLimit: 1 << 16)
        let outcome: Subprocess.Outcome
        do throws(SubprocessError) { outcome = try query.run(until: deadline) } catch { return .unknown("\(error)") }
        switch outcome.ending {
        case .exited(0):
            let fields = outcome.output.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard field < fields.count else {
                return .unknown("\(program) \(database) \(key): no record of that database")
            }
            return .somebody(String(decoding: fields[field].prefix(Self.nameLimit), as: UTF8.self))
        case .exited(Self.absent): return .nobody
        default: return .unknown("\(program) \(database) \(key): \(outcome.ending)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

internal import LinuxSystem

/// Runs programs as children of this process, with a small fixed environment.
package struct SubprocessRunner: ProgramRunner {
    private static let timeout: Duration = .seconds(10)

    package init() {}

    package func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        do throws(SubprocessError) {
            let deadline = SystemClock.sinceBoot() + SubprocessRunner.timeout
            let outcome = try Subprocess(path, arguments).run(until: deadline)
            let output = String(decoding: outcome.output, as: UTF8.self)
            let complaint = String(decoding: outcome.errorOutput, as: UTF8.self)
            switch outcome.ending {
            case .exited(let status): return ProgramResult(status: status, output: output, complaint: complaint)
            case .killed(let signal):
                return ProgramResult(status: nil, output: output, complaint: "ended by signal \(signal)")
            }
        } catch {
            return ProgramResult(status: nil, complaint: error.description)
        }
    }
}

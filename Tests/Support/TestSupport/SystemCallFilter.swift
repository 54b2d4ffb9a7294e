// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Makes a system call fail in this process, as on an older kernel or under a service's filter (seccomp(2)). This
/// cannot be undone, so it is only for the processes of exit tests.
package enum SystemCallFilter {
    package static let pidfdOpen: UInt32 = 434

    private typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
    private static let noNewPrivileges: Int32 = 38
    private static let setFilter: Int32 = 22
    private static let filterMode: UInt = 2

    /// Makes the system call fail with that error from now on. Returns false if the kernel takes no filter.
    package static func refuse(_ number: UInt32, with error: Int32) -> Bool {
        guard let address = dlsym(nil, "prctl") else { return false }
        let prctl = unsafeBitCast(address, to: Control.self)
        // seccomp_data begins with the call's number: load it, compare it, then SECCOMP_RET_ERRNO or SECCOMP_RET_ALLOW.
        let program: [Instruction] = [
            Instruction(code: 0x20), Instruction(code: 0x15, ifNot: 1, operand: number),
            Instruction(code: 0x06, operand: 0x0005_0000 | UInt32(error)),
            Instruction(code: 0x06, operand: 0x7fff_0000),
        ]
        return program.withUnsafeBufferPointer { program in
            var described = Program(count: UInt16(program.count), instructions: program.baseAddress)
            return withUnsafePointer(to: &described) { pointer in
                prctl(noNewPrivileges, 1, 0, 0, 0) == 0
                    && prctl(setFilter, filterMode, UInt(bitPattern: pointer), 0, 0) == 0
            }
        }
    }

    /// sock_filter of linux/filter.h.
    private struct Instruction {
        var code: UInt16
        var ifSo: UInt8 = 0
        var ifNot: UInt8 = 0
        var operand: UInt32 = 0
    }

    /// sock_fprog.
    private struct Program {
        var count: UInt16
        var instructions: UnsafePointer<Instruction>?
    }
}

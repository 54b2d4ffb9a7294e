// SPDX-License-Identifier: Apache-2.0

import Authorization
import Synchronization

/// Ends nothing; records its calls, and answers as a test says.
final class FakeEnder: SessionEnder {
    struct Call: Hashable, Sendable {
        let uid: UInt32
        let cause: EndingCause
    }

    let calls = Watched<[Call]>([])
    private let answer = Mutex<Result<EndedProcesses, EndingFault>>(
        .success(EndedProcesses(ended: 3, left: 0, others: []))
    )

    func set(_ new: Result<EndedProcesses, EndingFault>) { answer.withLock { $0 = new } }

    func end(uid: UInt32, named name: String, because cause: EndingCause) async throws(EndingFault) -> EndedProcesses {
        calls.update { $0.append(Call(uid: uid, cause: cause)) }
        return try answer.withLock { $0 }.get()
    }
}

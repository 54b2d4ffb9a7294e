// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Synchronization
import TestSupport
import Testing

@Suite struct FileLockTests {
    private let folder = TemporaryFolder()

    private var path: String { "\(folder.path)/one.lock" }

    @Test("One at a time: the second begins when the first has ended, however long that takes")
    func oneAtATime() async {
        let users = Users()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { [path] in
                    FileLock.holding(path, waitingAtMost: .seconds(600)) {
                        users.enter()
                        usleep(5_000)
                        users.leave()
                    }
                }
            }
        }
        #expect(users.most == 1)
    }

    @Test("A lock that another process keeps delays, and stops nothing")
    func bounded() {
        let ran = FileLock.holding(path, waitingAtMost: .seconds(600)) {
            FileLock.holding(path, waitingAtMost: .milliseconds(30)) { true }
        }
        #expect(ran)
    }

    @Test("Only its owner can open it, a link is not followed, and a missing folder stops nothing")
    func file() {
        FileLock.holding(path, waitingAtMost: .zero) {}
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let link = "\(folder.path)/link.lock"
        symlink("\(folder.path)/elsewhere", link)
        #expect(FileLock.holding(link, waitingAtMost: .zero) { true })
        #expect(access("\(folder.path)/elsewhere", F_OK) != 0)
        #expect(FileLock.holding("/nowhere/at/all", waitingAtMost: .zero) { true })
    }
}

private final class Users: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    var most: Int { counts.withLock { $0.most } }

    func enter() {
        counts.withLock { counts in
            counts.now += 1
            counts.most = max(counts.most, counts.now)
        }
    }

    func leave() { counts.withLock { $0.now -= 1 } }
}

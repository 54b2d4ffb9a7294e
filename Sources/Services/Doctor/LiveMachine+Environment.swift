// SPDX-License-Identifier: Apache-2.0

internal import CClient
internal import Glibc
package import Integration

extension LiveMachine: EnvironmentView {
    package func space(of folder: String) -> FileSpace? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let bytes = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return FileSpace(
            freeBytes: bytes.overflow ? .max : bytes.partialValue,
            freeFiles: UInt64(status.f_favail),
            totalFiles: UInt64(status.f_files),
            isReadOnly: status.f_flag & UInt(ST_RDONLY) != 0
        )
    }

    package func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    package func isUnfinishedHome(_ path: String, uid: UInt32) -> Bool {
        entralogin_is_unfinished_home(path, ENTRALOGIN_SKELETON, 0, uid) == 1
    }
}

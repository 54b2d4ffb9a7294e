// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
package import OpenSSHCertificates

/// sshd's own copy of the CA keys that the daemon trusts.
///
/// sshd opens the file of `TrustedUserCAKeys` as root, at each attempt, before authentication, and reads it to its end
/// whatever it is (sshd_config(5)). So that file is root's, in a folder of root's; root copies it from the daemon's, which
/// is read once, bounded, and taken only as a whole, key by key (P11). What is not taken leaves the last copy in force.
package struct AuthorityCopy: Sendable {
    /// The daemon's file, in the daemon's folder.
    package static let source = "/var/lib/entralogin/ssh/trusted_user_ca_keys"
    /// What sshd reads, in root's folder.
    package static let path = "/var/lib/entralogin-sshd/trusted_user_ca_keys"

    package enum Limit {
        /// Bytes of the daemon's file; as the daemon reads it again.
        package static let bytes = 1 << 20
        /// Keys of the copy: those of four sources, and as many that were rotated out.
        package static let keys = 512
    }

    /// Why nothing was copied: one line.
    package struct Refusal: Error, Hashable, Sendable {
        package let text: String

        package init(text: String) { self.text = text }
    }

    private let source: String
    private let path: String

    /// Other paths than the two above only in tests.
    package init(from source: String = source, to path: String = path) {
        self.source = source
        self.path = path
    }

    /// Brings sshd's copy up to date, as root; how many keys it has now. `owner` is the daemon's uid, and nil where there
    /// is no such user. Throws where the daemon's file is missing or not taken; then the copy is as before. Where there
    /// is no copy yet either, as before the daemon's first start, nothing is amiss.
    @discardableResult
    package func publish(owner: UInt32?) throws(Refusal) -> Int {
        let requirement = FileRequirement(owners: Set([0, owner].compactMap(\.self)), forbiddenMode: 0o022)
        let found: [UInt8]
        do throws(FileError) {
            found = try AtomicFile(source).read(limit: Limit.bytes, requiring: requirement)
        } catch {
            guard error.isAbsent, hasNoCopy else { throw Refusal(text: "\(error)") }
            return 0
        }
        let keys = try AuthorityCopy.keys(in: found, of: source)
        let bytes = AuthorityCopy.content(keys)
        let copy = AtomicFile(path)
        guard (try? copy.read(limit: Limit.bytes, requiring: .ownOrRoots)) != bytes else { return keys.count }
        do throws(FileError) { try copy.replace(with: bytes, mode: 0o644) } catch { throw Refusal(text: "\(error)") }
        return keys.count
    }

    private var hasNoCopy: Bool {
        do throws(FileError) { _ = try AtomicFile(path).read(limit: Limit.bytes) } catch { return error.isAbsent }
        return false
    }

    /// What sshd trusts now: nothing, where there is no copy or it holds no keys; nil where this process may not read it, as
    /// sshd may, which is root.
    package func keys() -> [PublicKey]? {
        do throws(FileError) {
            let bytes = try AtomicFile(path).read(limit: Limit.bytes)
            return (try? AuthorityCopy.keys(in: bytes)) ?? []
        } catch {
            return error.isForbidden ? nil : []
        }
    }

    /// The `passwd` entry's uid of the daemon's user, from the local file.
    package static func daemonUID() -> UInt32? {
        guard let bytes = try? AtomicFile("/etc/passwd").read(limit: 1 << 24, requiring: .ofSystem) else { return nil }
        return LocalAccounts.uid(of: "entralogin", in: bytes)
    }

    /// Each key once. Comments and empty lines count for nothing; one line that is no key, and nothing is taken.
    package static func keys(in bytes: [UInt8], of file: String = path) throws(Refusal) -> [PublicKey] {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Refusal(text: "\(file): no text") }
        var keys: [PublicKey] = []
        var seen: Set<PublicKey> = []
        for (index, line) in text.lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            do throws(PublicKeyError) {
                let key = try PublicKey(line: String(line))
                if seen.insert(key).inserted { keys.append(key) }
            } catch {
                throw Refusal(text: "\(file): line \(index + 1) is no public key")
            }
            guard keys.count <= Limit.keys else { throw Refusal(text: "\(file): more than \(Limit.keys) keys") }
        }
        return keys
    }

    static func content(_ keys: [PublicKey]) -> [UInt8] {
        let head =
            "# Copied by entraloginctl keys --publish from what entralogind trusts; what is changed here is lost.\n"
        return Array((head + keys.map { "\($0.line)\n" }.joined()).utf8)
    }
}

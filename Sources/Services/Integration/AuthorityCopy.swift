// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
package import OpenSSHCertificates

/// sshd's own copy of the CA keys that the daemon trusts.
///
/// At each sign-in attempt, before authentication, sshd opens the file of `TrustedUserCAKeys` as root and reads it to
/// its end, whatever it is (sshd_config(5)). So the file and its folder are root's. Root copies it from the daemon's
/// file, which is read once, up to a limit, and accepted only if every line is a key (P11). If it is rejected, the last
/// copy stays in force.
package struct AuthorityCopy: Sendable {
    /// The daemon's file, in the daemon's folder.
    package static let source = "/var/lib/entralogin/ssh/trusted_user_ca_keys"
    /// What sshd reads, in root's folder.
    package static let path = "/var/lib/entralogin-sshd/trusted_user_ca_keys"

    package enum Limit {
        /// Bytes of the daemon's file: the daemon's own limit for reading it.
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

    /// Only tests use other paths than the two above.
    package init(from source: String = source, to path: String = path) {
        self.source = source
        self.path = path
    }

    /// Updates sshd's copy, as root, and returns its number of keys. `owner` is the daemon's uid, or nil if there is no
    /// such user. Throws if the daemon's file is missing or rejected; the copy is then unchanged. If there is no copy
    /// yet either, as before the daemon's first start, it returns 0.
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

    /// The keys that sshd trusts now: none if there is no copy or it is invalid; nil if only root, as which sshd runs,
    /// may read it.
    package func keys() -> [PublicKey]? {
        do throws(FileError) {
            let bytes = try AtomicFile(path).read(limit: Limit.bytes)
            return (try? AuthorityCopy.keys(in: bytes)) ?? []
        } catch {
            return error.isForbidden ? nil : []
        }
    }

    /// The uid of the daemon's user, from the local /etc/passwd.
    package static func daemonUID() -> UInt32? {
        guard let bytes = try? AtomicFile("/etc/passwd").read(limit: 1 << 24, requiring: .ofSystem) else { return nil }
        return LocalAccounts.uid(of: "entralogin", in: bytes)
    }

    /// Each key once. Comments and empty lines are skipped; any other line that is not a key makes the whole file
    /// invalid.
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

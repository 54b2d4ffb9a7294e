// SPDX-License-Identifier: Apache-2.0

/// The challenge of the Connected Machine agent: `Basic realm=/var/opt/azcmagent/tokens/<name>.key` (azure.md,
/// "Azure Arc"). Only the header's form is checked here; the code that reads the file checks the file.
package struct HybridChallenge: Hashable, Sendable {
    package static let folder = "/var/opt/azcmagent/tokens"
    /// Bytes of the file, checked before it is read.
    package static let maximumFileSize = 4096

    /// The file's name in `folder`.
    package let fileName: String

    /// Reads the value of `Www-Authenticate`.
    package init(parsing header: String) throws(MessageError) {
        let scheme = "Basic realm="
        guard header.hasPrefix(scheme) else { throw MessageError("the challenge is not \"Basic realm=<path>\"") }
        let path = header.dropFirst(scheme.count)
        guard path.hasPrefix("\(HybridChallenge.folder)/") else {
            throw MessageError("the challenge names another folder than \(HybridChallenge.folder)")
        }
        let name = path.dropFirst(HybridChallenge.folder.count + 1)
        guard name.hasSuffix(".key"), name.count > 4 else { throw MessageError("the challenge's file is no .key") }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, !name.hasPrefix("."), name.utf8.count <= 128 else {
            throw MessageError("the challenge's file has a name that no key file has")
        }
        fileName = String(name)
    }
}

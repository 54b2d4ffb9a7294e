// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// One critical option or extension of a certificate (PROTOCOL.certkeys).
package struct CertificateOption: Hashable, Sendable {
    /// Printable ASCII without blanks; `name@domain` where it is not OpenSSH's own.
    package let name: String
    /// The raw content: empty for a flag, else one nested `string` by convention.
    package let content: [UInt8]

    /// The content as one nested `string` that fills it; nil where it is anything else.
    package var nestedString: [UInt8]? {
        var reader = ByteReader(content)
        do {
            let value = try reader.readString(limit: content.count)
            try reader.finish()
            return value
        } catch {
            return nil
        }
    }

    /// The content as one nested `string` of valid UTF-8 without NUL; nil where it is anything else.
    package var nestedText: String? {
        guard let bytes = nestedString, !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The critical options or the extensions of a certificate: in the order of the certificate, no name twice.
package struct CertificateOptions: Hashable, Sendable {
    package enum Limit {
        /// Entra's certificates have eight extensions; no option list of OpenSSH has more than ten names.
        package static let count = 64
        package static let nameBytes = 128
        /// Bytes of one content. A `force-command` is the longest that is of use.
        package static let contentBytes = 4_096
        /// Bytes of a whole list.
        package static let listBytes = 8_192
    }

    package let all: [CertificateOption]

    /// Nil for a name that is not there.
    package subscript(name: String) -> CertificateOption? { all.first { $0.name == name } }

    /// Reads a list to its end; `list` names it in errors.
    init(reading reader: inout ByteReader, list: String) throws(CertificateFormatError) {
        var options: [CertificateOption] = []
        var names: Set<String> = []
        while !reader.isAtEnd {
            guard options.count < Limit.count else { throw CertificateFormatError(.tooLarge, in: list) }
            let option: CertificateOption
            do {
                option = CertificateOption(
                    name: try reader.readText(limit: Limit.nameBytes),
                    content: try reader.readString(limit: Limit.contentBytes)
                )
            } catch {
                throw CertificateFormatError(coding: error, in: list)
            }
            guard !option.name.isEmpty, option.name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw CertificateFormatError(.malformed, in: list)
            }
            guard names.insert(option.name).inserted else {
                throw CertificateFormatError(.optionTwice, in: list)
            }
            options.append(option)
        }
        all = options
    }
}

// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import CWire

/// The verbs of `entralogin_wire.h`. The raw value is the opcode.
package enum Verb: UInt16, Sendable, CaseIterable {
    case lookUpName = 0x0101
    case checkCertificate = 0x0201
    case authorize = 0x0301
    case openSession = 0x0302
    case closeSession = 0x0303
    case statusReport = 0x0401
    case users = 0x0402
    case explain = 0x0403
    case testCertificate = 0x0404
    case flush = 0x0405
    case retire = 0x0406
    case showUser = 0x0407
    case rebind = 0x0408
    case rename = 0x0409
    case check = 0x040a
    case sessions = 0x040b
    case keys = 0x040c
    case setShell = 0x040d
    case setHome = 0x040e
    case beginDevice = 0x0304
    case awaitDevice = 0x0305
    case endSessions = 0x0410
    case refreshKeys = 0x0411
    case lock = 0x0412
    case unlock = 0x0413
    case access = 0x0414
    case settings = 0x0415
    case add = 0x0416
}

/// Why a frame could not be read. `opcode` is what the frame carried, so that the reply can carry it too.
package enum FrameError: Error, Hashable, Sendable {
    /// Not a frame at all: it gets no reply.
    case notOurs
    /// The peer speaks another version of the protocol.
    case version(opcode: UInt16)
    /// An unknown verb, or fields that do not fit the verb.
    case malformed(opcode: UInt16)
}

/// A frame taken apart: opcode and payload, both untrusted.
struct Frame {
    let opcode: UInt16
    /// A cursor over the payload, which is exactly as long as the header says.
    var payload: ByteReader

    init(_ bytes: [UInt8]) throws(FrameError) {
        var reader = ByteReader(bytes)
        guard let magic = try? reader.readUInt32(), magic == ENTRALOGIN_MAGIC, let version = try? reader.readUInt16(),
            let opcode = try? reader.readUInt16(), let length = try? reader.readUInt32()
        else { throw .notOurs }
        guard UInt32(version) == ENTRALOGIN_VERSION else { throw .version(opcode: opcode) }
        guard bytes.count <= Int(ENTRALOGIN_FRAME_MAX), Int(length) == reader.remaining else {
            throw .malformed(opcode: opcode)
        }
        self.opcode = opcode
        payload = reader
    }

    /// A frame with the payload that `compose` writes; `tooLong` above the frame's limit.
    static func encode(
        opcode: UInt16,
        capacity: Int = 256,
        _ compose: (inout ByteWriter) throws(ByteCodingError) -> Void
    ) throws(ByteCodingError) -> [UInt8] {
        var writer = ByteWriter(capacity: capacity)
        writer.write(UInt32(ENTRALOGIN_MAGIC))
        writer.write(UInt16(ENTRALOGIN_VERSION))
        writer.write(opcode)
        writer.write(UInt32(0))
        try compose(&writer)
        guard writer.bytes.count <= Int(ENTRALOGIN_FRAME_MAX) else { throw .tooLong }
        let header = Int(ENTRALOGIN_FRAME_HEADER)
        writer.overwrite(UInt32(writer.bytes.count - header), at: header - 4)
        return writer.bytes
    }
}

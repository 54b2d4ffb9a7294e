// SPDX-License-Identifier: Apache-2.0

import CWire
import Testing

@Suite("CWire")
struct WireTests {
    private let reply = Frame().u16(0).u16(7).u32(0x0102_0304).string("text").string("").bytes(0x0101)

    @Test("A request is laid out as the header says")
    func request() {
        var bytes = [UInt8](repeating: 0xee, count: 64)
        let size = bytes.withUnsafeMutableBytes { buffer in
            var writer = entralogin_writer()
            entralogin_begin(&writer, buffer.baseAddress, buffer.count, 0x0201)
            entralogin_put_u16(&writer, 7)
            entralogin_put_u32(&writer, 0xdead_beef)
            entralogin_put_string(&writer, "häuser")
            return entralogin_finish(&writer)
        }
        #expect(Array(bytes[..<size]) == Frame().u16(7).u32(0xdead_beef).string("häuser").bytes(0x0201, reply: false))
        #expect(bytes[size...].allSatisfy { $0 == 0xee })
    }

    @Test("A request that does not fit is bad, at every capacity below its size", arguments: 0..<34)
    func capacity(_ capacity: Int) {
        var bytes = [UInt8](repeating: 0xee, count: 64)
        let (size, used) = bytes.withUnsafeMutableBytes { buffer in
            var writer = entralogin_writer()
            entralogin_begin(&writer, buffer.baseAddress, capacity, 0x0201)
            entralogin_put_u32(&writer, 1)
            entralogin_put_string(&writer, "0123456789abcdef")
            return (entralogin_finish(&writer), writer.used)
        }
        #expect(size == 0 && used <= capacity)
        #expect(bytes[capacity...].allSatisfy { $0 == 0xee })
    }

    @Test("A string of more than 65535 bytes, or none at all, is bad")
    func strings() {
        var bytes = [UInt8](repeating: 0, count: 70_000)
        for text in [String(repeating: "x", count: 65_536), nil] {
            let size = bytes.withUnsafeMutableBytes { buffer in
                var writer = entralogin_writer()
                entralogin_begin(&writer, buffer.baseAddress, buffer.count, 0x0201)
                entralogin_put_string(&writer, text)
                return entralogin_finish(&writer)
            }
            #expect(size == 0)
        }
    }

    /// Reads all fields of `reply`; nil unless every one is there and nothing is left.
    private func read(_ frame: [UInt8], opcode: UInt16 = 0x0101) -> (status: Int32, u16: UInt16, text: String)? {
        frame.withUnsafeBytes { buffer in
            var reader = entralogin_reader()
            let status = entralogin_open_reply(&reader, buffer.baseAddress, buffer.count, opcode)
            let number = entralogin_get_u16(&reader)
            let word = entralogin_get_u32(&reader)
            var length = 0
            let start = entralogin_get_string(&reader, &length)
            let text = String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
            _ = entralogin_get_string(&reader, &length)
            guard status >= 0, entralogin_consumed(&reader) != 0, word == 0x0102_0304, length == 0 else { return nil }
            return (status, number, text)
        }
    }

    @Test("A reply is read back whole")
    func reading() throws {
        let fields = try #require(read(reply))
        #expect(fields == (0, 7, "text"))
    }

    @Test("P13: A reply that is cut anywhere, or has a byte too many, is bad")
    func cuts() {
        for length in 0..<reply.count {
            #expect(read(Array(reply[..<length])) == nil)
            // The same with the matching length in the header.
            let payload = Array(reply[..<length].dropFirst(12))
            #expect(read(Frame(payload: payload).bytes(0x0101)) == nil)
        }
        #expect(read(reply + [0]) == nil)
        #expect(read(Frame(payload: Array(reply.dropFirst(12)) + [0]).bytes(0x0101)) == nil)
    }

    @Test("A reply to another verb, a request, another version and another magic are no reply")
    func headers() {
        let payload = Frame(payload: Array(reply.dropFirst(12)))
        #expect(read(payload.bytes(0x0101)) != nil)
        #expect(read(payload.bytes(0x0102)) == nil)
        #expect(read(payload.bytes(0x0101, reply: false)) == nil)
        #expect(read(payload.bytes(0x0101, version: 2)) == nil)
        #expect(read([0] + reply.dropFirst()) == nil)
    }

    @Test("A string with a NUL in it is bad")
    func nul() {
        #expect(read(Frame().u16(0).u16(7).u32(0x0102_0304).string("te\0t").string("").bytes(0x0101)) == nil)
    }
}

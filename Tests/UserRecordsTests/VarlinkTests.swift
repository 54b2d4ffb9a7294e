// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing
import UserRecords

struct VarlinkTests {
    private let sound =
        #"{"method":"io.systemd.UserDatabase.GetUserRecord","parameters":{"uid":1,"service":"io.entralogin"},"more":true}"#

    private func parse(_ text: String) -> VarlinkCall? { try? VarlinkCall(parsing: Array(text.utf8)) }

    /// Every call that the bytes hold when they come in pieces of that size; nil where they are refused.
    private func calls(_ bytes: [UInt8], by size: Int) -> [VarlinkCall]? {
        var inbox = VarlinkInbox()
        var calls: [VarlinkCall] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(min(size, inbox.room))
            rest = rest.dropFirst(piece.count)
            inbox.add(Array(piece))
            do throws(VarlinkCall.Malformed) {
                while let call = try inbox.next() { calls.append(call) }
            } catch {
                return nil
            }
        }
        return calls
    }

    @Test("a call is read with its flags; members that are null count as absent")
    func reading() throws {
        let call = try #require(parse(sound))
        #expect(call.method == "io.systemd.UserDatabase.GetUserRecord")
        #expect(call.parameters == ["uid": .number("1"), "service": .string("io.entralogin")])
        #expect(call.wantsMore)
        #expect(!call.isOneWay)
        let bare = try #require(parse(#"{"method":"a.B","parameters":null,"oneway":true,"more":false,"other":[1]}"#))
        #expect(bare.parameters.isEmpty)
        #expect(bare.isOneWay)
        #expect(parse(#"{"method":"a.B","parameters":{"uid":null}}"#)?.parameters.isEmpty == true)
    }

    @Test(
        "P13: what is no call is refused",
        arguments: [
            "", "{}", "[]", "null", "\"x\"", #"{"method":1}"#, #"{"method":""}"#, #"{"method":null}"#,
            #"{"method":"a.B","parameters":[]}"#, #"{"method":"a.B","more":1}"#, #"{"method":"a.B","oneway":"yes"}"#,
            #"{"method":"a.B","upgrade":true}"#, #"{"method":"a.B","method":"a.C"}"#, #"{"method":"a.B"}x"#,
        ]
    )
    func refused(text: String) {
        #expect(parse(text) == nil)
    }

    @Test("P13: every truncation of a call is refused")
    func truncations() {
        for length in 0..<sound.utf8.count {
            #expect((try? VarlinkCall(parsing: Array(sound.utf8.prefix(length)))) == nil)
        }
    }

    @Test("P13: a call may have as many bytes as the limit says, and not one more")
    func limit() {
        let frame = #"{"method":"a.B"}"#
        let padding = String(repeating: " ", count: VarlinkCall.byteLimit - frame.utf8.count)
        #expect(calls(Array((frame + padding).utf8) + [0], by: 1 << 20)?.count == 1)
        #expect(calls(Array((frame + padding + " ").utf8) + [0], by: 1 << 20) == nil)
        #expect(calls([UInt8](repeating: 0x20, count: VarlinkCall.byteLimit), by: 1 << 20) == [])
        #expect(calls([UInt8](repeating: 0x20, count: VarlinkCall.byteLimit + 1), by: 7) == nil)
    }

    @Test("calls are cut at their NUL, in whatever pieces they come", arguments: [1, 2, 3, 50, 1000])
    func pieces(size: Int) {
        let bytes = (0..<5).flatMap { number -> [UInt8] in Array(#"{"method":"a.B\#(number)"}"#.utf8) + [0] }
        #expect(calls(bytes, by: size)?.map(\.method) == (0..<5).map { "a.B\($0)" })
        #expect(calls(bytes + [0], by: size) == nil, "an empty call is none")
    }

    @Test("P13: random and changed bytes never trap, and never make more calls than there are NULs")
    func random() {
        var numbers = SplitMix(state: 6)
        let seed = Array(sound.utf8) + [0] + Array(#"{"method":"org.varlink.service.GetInfo"}"#.utf8) + [0]
        var taken = 0
        for round in 0..<20_000 {
            var bytes = seed
            if round.isMultiple(of: 4) {
                bytes = (0..<numbers.below(300)).map { _ in UInt8(numbers.below(256)) }
            } else {
                for _ in 0...numbers.below(4) { bytes[numbers.below(bytes.count)] = UInt8(numbers.below(256)) }
            }
            guard let found = calls(bytes, by: 1 + numbers.below(200)) else { continue }
            taken += found.count
            #expect(found.count <= bytes.count { $0 == 0 })
        }
        #expect(taken > 1000)
    }

    @Test("a reply ends with one NUL and holds no other")
    func replies() {
        let reply = VarlinkReply(["a": .string("x\u{0}y")], continues: true)
        #expect(
            String(decoding: reply.frame, as: UTF8.self)
                == "{\"continues\":true,\"parameters\":{\"a\":\"x\\u0000y\"}}\u{0}"
        )
        let error = VarlinkReply.methodNotFound("a.B")
        #expect(
            String(decoding: error.frame, as: UTF8.self)
                == #"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"a.B"}}"# + "\u{0}"
        )
    }

    @Test("many replies are made in chunks, each once, in order")
    func chunks() {
        var replies = VarlinkReplies(count: 1000) { VarlinkReply(["n": .number(String($0))], continues: $0 < 999) }
        var frames: [ArraySlice<UInt8>] = []
        var rounds = 0
        while true {
            let bytes = replies.frames(about: 1000)
            if bytes.isEmpty { break }
            rounds += 1
            #expect(bytes.count < 1100)
            frames += bytes.split(separator: 0)
        }
        #expect(rounds > 10)
        #expect(frames.count == 1000)
        #expect(frames.last.map { String(decoding: $0, as: UTF8.self) } == #"{"parameters":{"n":999}}"#)
    }
}

/// Steele and others' generator: the same bytes in every run.
struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var number = state
        number = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ (number >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((number ^ (number >> 31)) % UInt64(bound))
    }
}

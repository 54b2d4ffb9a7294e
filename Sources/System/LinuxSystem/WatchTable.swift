// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// What a watched descriptor is ready for.
package struct Readiness: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reading does not block: there is data, or the end.
    package static let readable = Readiness(rawValue: CLINUX_READABLE)
    /// Writing does not block.
    package static let writable = Readiness(rawValue: CLINUX_WRITABLE)
    /// The other side sends no more. Reported only where it was asked for.
    package static let peerShut = Readiness(rawValue: CLINUX_PEER_SHUT)
    /// Reported whether asked for or not: the next call on the descriptor returns the error, or the end.
    package static let failed = Readiness(rawValue: CLINUX_FAILED)
    package static let hungUp = Readiness(rawValue: CLINUX_HUNG_UP)
}

/// Identifies one watch of one descriptor. After the watch has ended, using it has no effect.
package struct WatchToken: Hashable, Sendable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(slot: Int, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(UInt32(slot)) }

    var slot: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
    var generation: UInt32 { UInt32(rawValue >> 32) }
}

/// The watches of a loop. A slot's generation changes when its watch ends, so that an event that epoll reported for the
/// ended watch never reaches the one that took its place in the same turn.
struct WatchTable {
    typealias Body = @Sendable (Readiness) -> Void

    private struct Slot {
        var generation: UInt32
        var descriptor: Int32
        var isOnce = false
        var body: Body?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    /// How many watches there are.
    var count: Int { slots.count - free.count }

    mutating func add(_ descriptor: Int32, once: Bool = false, _ body: @escaping Body) -> WatchToken {
        guard let slot = free.popLast() else {
            slots.append(Slot(generation: 0, descriptor: descriptor, isOnce: once, body: body))
            return WatchToken(slot: slots.count - 1, generation: 0)
        }
        slots[slot].descriptor = descriptor
        slots[slot].isOnce = once
        slots[slot].body = body
        return WatchToken(slot: slot, generation: slots[slot].generation)
    }

    /// Ends the watch and returns its descriptor; nil where it has ended already.
    mutating func remove(_ token: WatchToken) -> Int32? {
        guard body(of: token) != nil else { return nil }
        slots[token.slot].body = nil
        slots[token.slot].generation &+= 1
        free.append(token.slot)
        return slots[token.slot].descriptor
    }

    /// What to call for an event; nil where the watch has ended. A watch for one event ends here.
    mutating func take(_ token: WatchToken) -> Body? {
        guard let body = body(of: token) else { return nil }
        if slots[token.slot].isOnce { _ = remove(token) }
        return body
    }

    /// The watch's body; nil where the watch has ended.
    func body(of token: WatchToken) -> Body? {
        guard token.slot < slots.count, slots[token.slot].generation == token.generation else { return nil }
        return slots[token.slot].body
    }
}

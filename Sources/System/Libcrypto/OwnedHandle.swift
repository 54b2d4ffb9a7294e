// SPDX-License-Identifier: Apache-2.0

/// The one owner of a libcrypto object, which is freed with it. The pointer is lent for the time of a call, never given
/// away, so it cannot outlive the object.
struct OwnedHandle: ~Copyable {
    private let pointer: OpaquePointer
    private let free: @Sendable (OpaquePointer) -> Void

    /// Takes ownership of `pointer`, which a libcrypto function returned; its nil means that the function failed.
    init(
        taking pointer: OpaquePointer?,
        from function: StaticString,
        free: @escaping @Sendable (OpaquePointer) -> Void
    ) throws(LibcryptoError) {
        guard let pointer else { throw LibcryptoError(in: function) }
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }

    /// Lends the pointer to `body`; the object lives at least until that returns.
    borrowing func lend<Result: ~Copyable, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(pointer)
    }
}

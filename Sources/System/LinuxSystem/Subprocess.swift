// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Why a program gave no outcome.
package enum SubprocessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not an absolute path, or a NUL byte in an argument.
    case unusable(path: String)
    /// It could not be started or watched.
    case system(path: String, call: String, Errno)
    /// It said more than the limit, in bytes, and was killed.
    case tooMuchOutput(path: String, limit: Int)
    /// It had not ended in time, and was killed.
    case deadline(path: String)

    package var description: String {
        switch self {
        case .unusable(let path): "\(path): cannot be run: the path must be absolute, the arguments without NUL"
        case .system(let path, let call, let errno): "\(path): \(call): \(errno)"
        case .tooMuchOutput(let path, let limit): "\(path): said more than \(limit) bytes"
        case .deadline(let path): "\(path): did not end in time"
        }
    }
}

/// Runs another program to its end and collects its output. Blocks the caller.
package struct Subprocess: Sendable {
    /// How it ended.
    package enum Ending: Hashable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    package struct Outcome: Hashable, Sendable {
        package let ending: Ending
        package let output: [UInt8]
        package let errorOutput: [UInt8]
    }

    /// Milliseconds between two checks of a child where the kernel has no pidfds.
    private static let unpolledPause: Int64 = 5

    /// Absolute: no PATH is searched.
    package let path: String
    /// Without the program's name.
    package let arguments: [String]
    /// The whole environment; nothing is inherited.
    package let environment: [String]
    /// The most bytes that each of the two outputs may have.
    package let outputLimit: Int

    package init(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
        outputLimit: Int = 1 << 20
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.outputLimit = outputLimit
    }

    /// Runs it: standard input is /dev/null, no other descriptor is inherited. At `deadline` (time since boot), or when
    /// it writes too much, it is killed. Neither it nor what it started in its process group outlives this call.
    package func run(until deadline: Duration) throws(SubprocessError) -> Outcome {
        let strings = [path] + arguments + environment
        guard path.hasPrefix("/"), strings.allSatisfy({ !$0.utf8.contains(0) }) else { throw .unusable(path: path) }
        var output = try Output.open(for: self)
        var errorOutput = try Output.open(for: self)
        let pid = try start(output: output.writing(), errorOutput: errorOutput.writing())
        output.closeWriting()
        errorOutput.closeWriting()
        let watched = Result { () throws(SubprocessError) in
            try watch(pid, &output, &errorOutput, until: deadline)
        }
        // Until it is reaped, no other process can have its number.
        _ = clinux_kill_group(pid)
        let status = clinux_reap(pid)
        try watched.get()
        let ending = Ending(status: try checked(status, "waitpid"))
        return Outcome(ending: ending, output: output.bytes, errorOutput: errorOutput.bytes)
    }

    private func start(output: Int32, errorOutput: Int32) throws(SubprocessError) -> Int32 {
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for string in argv + envp { free(string) } }
        var pid: Int32 = 0
        try checked(clinux_spawn(path, &argv, &envp, output, errorOutput, &pid), "posix_spawn")
        return pid
    }

    /// Reads its output until it has ended, then what is left in the pipes, without waiting for processes that
    /// inherited them.
    private func watch(
        _ pid: Int32,
        _ output: inout Output,
        _ errorOutput: inout Output,
        until deadline: Duration
    ) throws(SubprocessError) {
        let process = Descriptor(takingOwnership: try checked(clinux_pidfd(pid), "pidfd_open"))
        let isPolled = try checked(clinux_is_pidfd(process.rawValue), "fstat") == 1
        var hasEnded = false
        while true {
            let polled = [output.reading(), errorOutput.reading(), hasEnded || !isPolled ? -1 : process.rawValue]
            var ready: [Int32] = [0, 0, 0]
            let left = deadline - SystemClock.sinceBoot()
            let wait = max(0, left.wholeNanoseconds / 1_000_000 + 1)
            let timeout = hasEnded ? 0 : Int32(clamping: isPolled ? wait : min(wait, Subprocess.unpolledPause))
            let result = clinux_poll(polled, &ready, polled.count, timeout)
            guard result != -EINTR else { continue }
            try checked(result, "poll")
            if ready[0] != 0 { try output.read() }
            if ready[1] != 0 { try errorOutput.read() }
            if ready[0] == 0 && ready[1] == 0 && hasEnded { return }
            hasEnded = hasEnded || ready[2] != 0
            if !hasEnded && !isPolled { hasEnded = try checked(clinux_child_ended(pid), "waitid") == 1 }
            if !hasEnded && left <= .zero { throw .deadline(path: path) }
        }
    }

    @discardableResult
    fileprivate func checked(_ result: Int32, _ call: String) throws(SubprocessError) -> Int32 {
        guard result >= 0 else { throw .system(path: path, call: call, Errno(-result)) }
        return result
    }
}

extension Subprocess.Ending {
    /// From the result of clinux_reap.
    fileprivate init(status: Int32) {
        self = status < 256 ? .exited(status) : .killed(signal: status - 256)
    }
}

/// One pipe from the program to this process, and what came through it.
private struct Output: ~Copyable {
    private let program: Subprocess
    private var readingEnd: Descriptor?
    private var writingEnd: Descriptor?
    private(set) var bytes: [UInt8] = []

    private init(of program: Subprocess, reading: Int32, writing: Int32) {
        self.program = program
        readingEnd = Descriptor(takingOwnership: reading)
        writingEnd = Descriptor(takingOwnership: writing)
    }

    /// Not a throwing initialiser: Swift 6.2 would destroy the half-made noncopyable value as if it were whole.
    static func open(for program: Subprocess) throws(SubprocessError) -> Output {
        var ends: [Int32] = [-1, -1]
        try program.checked(clinux_pipe(&ends), "pipe2")
        return Output(of: program, reading: ends[0], writing: ends[1])
    }

    /// The number to poll; -1 once all has been read.
    borrowing func reading() -> Int32 { readingEnd.number }

    borrowing func writing() -> Int32 { writingEnd.number }

    /// The program has it now: while this process kept it, too, the pipe would never end.
    mutating func closeWriting() { writingEnd = nil }

    /// Takes one piece. Called when the pipe is ready, so it does not wait.
    mutating func read() throws(SubprocessError) {
        var piece = [UInt8](repeating: 0, count: 16384)
        let got = Glibc.read(reading(), &piece, piece.count)
        guard got > 0 else {
            if got == 0 || errno != EINTR { readingEnd = nil }
            return
        }
        bytes += piece[..<got]
        guard bytes.count <= program.outputLimit else {
            throw .tooMuchOutput(path: program.path, limit: program.outputLimit)
        }
    }
}

extension Optional where Wrapped == Descriptor {
    fileprivate var number: Int32 {
        switch self {
        case .some(let descriptor): descriptor.rawValue
        case .none: -1
        }
    }
}

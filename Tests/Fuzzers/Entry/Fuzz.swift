// SPDX-License-Identifier: Apache-2.0

internal import Fuzzing

/// Which fuzzer this is, by the name with which the program was started, for example `fuzz-certificate`. There is one
/// program, linked once, so that all fuzzers are instrumented in the same way.
private let target: FuzzTarget = {
    let program = CommandLine.arguments.first ?? ""
    let name = program.split(separator: "/").last.map { $0.split(separator: "-").last ?? "" } ?? ""
    guard let target = FuzzTarget(rawValue: String(name)) else { fatalError("there is no fuzzer \(program)") }
    return target
}()

/// libFuzzer's entry point (https://llvm.org/docs/LibFuzzer.html). Always 0: every input may enter the corpus.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    _ = target.takes(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

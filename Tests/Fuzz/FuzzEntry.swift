internal import Glibc

/// The target that the environment names in `FUZZ_TARGET`.
private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("FUZZ_TARGET must be one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    }
    CostMeter.install()
    // What is made at first use and then kept must not be counted.
    _ = target.read([])
    return target
}()

/// What libFuzzer calls with each input (<https://llvm.org/docs/LibFuzzer.html>).
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    if getenv("FUZZ_COSTS") == nil { target.run(input) } else { target.printCosts(input) }
    return 0
}

import Foundation
@testable import Reel
import ReelTestSupport
import Testing

/// Where time goes.
@Suite struct ProfileTests {
  static let x = Tensor.iota(5 * 2 * 3, from: -1, by: 0.1, elementType: .float32).reshaped(to: [5, 2, 3])
  static let w = Tensor.iota(12, from: -0.5, by: 0.1, elementType: .float32).reshaped(to: [3, 4])

  static func recurrence(_ x: Tensor, _ w: Tensor) -> Tensor {
    Recording.inScope("cell") {
      scan(over: x, from: Tensor.zeros([x.shape[1], 4])) { h, x in
        let next = tanh(x.matmul(w) + h)
        return (next, next)
      }.outputs
    }
  }

  @Test func compiledCodeIsMeasuredByOperationAndLayer() throws {
    let step = compiled { (x: Tensor, w: Tensor) in gradient(at: w) { (Self.recurrence(x, $0) * 3).sum() } }
    let plain = try step(Self.x, Self.w)
    let run = try profile { try step(Self.x, Self.w) }
    #expect(bitDifference(run.result, plain, "measured") == nil)
    let entries = run.profile.entries
    let loops = entries.filter { $0.operation == "scan" }
    #expect(loops.map(\.calls) == [1, 1] && Set(loops.map(\.isReverse)) == [true, false], "\(run.profile)")
    // What stays in the loop runs once a step.
    #expect(entries.contains { $0.calls == 5 && $0.path == ["cell"] && !$0.isReverse }, "\(run.profile)")
    #expect(
      entries.contains { $0.isReverse && $0.path == ["cell"] && $0.operation.contains("matmul") }, "\(run.profile)")
    #expect(entries.allSatisfy { $0.seconds >= 0 && $0.calls > 0 })
    #expect(run.profile.operationSeconds > 0 && run.profile.operationSeconds <= run.profile.seconds)
    let kept = entries.reduce(0) { $0 + $1.seconds }
    for parts in [run.profile.byLayer, run.profile.byOperation] {
      #expect(abs(parts.reduce(0) { $0 + $1.seconds } - kept) < 1e-9)
    }
  }

  @Test func bytesAreThoseOfTheResults() throws {
    let step = compiled { (x: Tensor) in x.matmul(x.transposed()) }
    let x = Tensor.zeros([6, 2])
    _ = try step(x)
    let run = try profile {
      for _ in 0..<3 { _ = try step(x) }
    }
    let product = try #require(run.profile.entries.first { $0.operation == "matmul" })
    #expect(product.calls == 3 && product.byteCount == 3 * 6 * 6 * 4, "\(run.profile)")
  }

  @Test func eagerCodeIsMeasuredToo() {
    let run = profile { gradient(at: Self.w) { tanh(Self.recurrence(Self.x, $0)).sum() } }
    let entries = run.profile.entries
    #expect(entries.contains { $0.operation == "tanh" && $0.path == [] && !$0.isReverse && $0.calls == 1 })
    #expect(entries.contains { $0.operation == "multiply" && $0.isReverse }, "\(run.profile)")
    // A loop runs as a program of its own, whose parts are seen too.
    #expect(entries.contains { $0.operation == "scan" && $0.path == ["cell"] }, "\(run.profile)")
    #expect(entries.contains { $0.calls == 5 }, "\(run.profile)")
    let plain = gradient(at: Self.w) { tanh(Self.recurrence(Self.x, $0)).sum() }
    #expect(bitDifference(run.result, plain, "measured") == nil)
  }

  @Test func onlyWhatRunsInsideIsMeasured() {
    struct Stop: Error {}
    _ = tanh(Self.w)
    let first = profile { tanh(Self.w) }
    _ = tanh(Self.w)
    let nested = profile { profile { sin(Self.w) }.profile.entries.map(\.operation) }
    #expect(first.profile.entries.map(\.calls) == [1])
    #expect(nested.result == ["sin"] && nested.profile.entries.isEmpty)
    #expect(throws: Stop.self) { try profile { throw Stop() } }
    #expect(RunLog.active == nil)
  }

  @Test func loopsThatAreSplitCountTheirStepsOnce() throws {
    let x = Tensor.zeros([7, 512, 3])
    let program = compiled { (x: Tensor) in
      scan(over: x, from: Tensor.zeros([512, 3])) { h, x in (tanh(h + x), h) }.state
    }
    _ = try program(x)
    let run = try profile { try program(x) }
    #expect(run.profile.entries.contains { $0.calls == 7 }, "\(run.profile)")
    let parts = try Self.events(run.profile).map { $0["tid"] as? Int ?? -1 }
    #expect(Set(parts) == Set(0..<(Threads.shared.count > 1 ? Threads.shared.count : 1)))
  }

  static func events(_ profile: Profile) throws -> [[String: Any]] {
    let object = try JSONSerialization.jsonObject(with: Data(profile.trace().utf8)) as? [String: Any]
    #expect(object?["leftOut"] as? Int == 0)
    return try #require(object?["traceEvents"] as? [[String: Any]])
  }

  @Test func theTraceHasEveryRunWithinItsLoop() throws {
    let name = "a \"layer\"\n\\ ü"
    let step = compiled { (x: Tensor, w: Tensor) in Recording.inScope(name) { Self.recurrence(x, w) } }
    _ = try step(Self.x, Self.w)
    let run = try profile { try step(Self.x, Self.w) }
    let events = try Self.events(run.profile)
    #expect(events.count == run.profile.entries.reduce(0) { $0 + $1.calls })
    #expect(events.allSatisfy { $0["ph"] as? String == "X" && ($0["dur"] as? Double ?? -1) >= 0 })
    let layers = Set(events.compactMap { ($0["args"] as? [String: Any])?["layer"] as? String })
    #expect(layers.contains(name + ".cell"), "\(layers)")
    let loop = try #require(events.first { $0["name"] as? String == "scan" })
    let (start, length) = (loop["ts"] as! Double, loop["dur"] as! Double)
    let inside = events.filter { ($0["ts"] as! Double) > start && ($0["ts"] as! Double) < start + length }
    #expect(
      inside.count >= 5
        && inside.allSatisfy { ($0["ts"] as! Double) + ($0["dur"] as! Double) <= start + length + 0.001 })
    try TemporaryFolder.with { folder in
      try run.profile.writeTrace(to: folder + "/trace.json")
      #expect(try String(contentsOfFile: folder + "/trace.json", encoding: .utf8) == run.profile.trace())
      #expect(throws: WritingError.self) { try run.profile.writeTrace(to: folder) }
    }
  }

  @Test func tablesLineUp() throws {
    let step = compiled { (x: Tensor, w: Tensor) in gradient(at: w) { Self.recurrence(x, $0).sum() } }
    _ = try step(Self.x, Self.w)
    let run = try profile { try step(Self.x, Self.w) }
    let tables = run.profile.description.components(separatedBy: "\n\n").dropFirst()
    #expect(tables.count == 2)
    for table in tables {
      let lines = table.split(separator: "\n")
      #expect(lines[0].contains("calls") && lines[0].contains("bytes") && lines[1].allSatisfy { $0 == "-" })
      #expect(
        lines.allSatisfy { $0.count <= lines[1].count } && lines.contains { $0.count == lines[1].count }, "\(table)")
    }
    #expect(tables.last!.contains("cell") && tables.last!.contains("reverse"))
  }
}

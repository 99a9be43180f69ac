@testable import Reel
import Testing

/// Where bytes are.
@Suite struct MemoryReportTests {
  static let types = [TensorType([5, 8, 3]), TensorType([3, 4])]

  static func loop(_ x: [Tensor]) -> Tensor { ProfileTests.recurrence(x[0], x[1]) }

  @Test func argumentsResultsAndConstantsAreCounted() throws {
    let table = Tensor.iota(20, elementType: .float32)
    let graph = try Graph(tracing: [TensorType([20])]) { [$0[0] * table, $0[0].sum()] }
    let report = graph.memoryReport()
    #expect(report.inputByteCount == 80 && report.outputByteCount == 84 && report.constantByteCount == 80)
    #expect(report.residuals.isEmpty && report.residualByteCount == 0)
    #expect(report.peakByteCount == 244 + report.arenaByteCount)
  }

  @Test func theArenaIsWhatTheProgramNeeds() throws {
    // Two values are alive at once, whatever the number of steps between.
    let graph = try Graph(tracing: [TensorType([16, 16])]) { x in
      [(0..<6).reduce(x[0]) { y, _ in y.matmul(y) }]
    }
    let report = graph.memoryReport()
    #expect(report.arenaByteCount == 2 * 1024 && report.unsharedByteCount == 5 * 1024)
    #expect(report.peak == [MemoryReport.Entry(operation: "matmul", path: [], count: 2, byteCount: 2048)])
  }

  @Test func residualsAreNamedByWhatGivesThem() throws {
    let forward = try Graph(tracing: Self.types) { [Self.loop($0).sum()] }
    #expect(forward.applying(Pass.pipeline).memoryReport().residuals.isEmpty)
    let graph = try Graph(tracing: Self.types) { x in [gradient(at: x[1]) { Self.loop([x[0], $0]).sum() }] }
    for graph in [graph, graph.applying(Pass.pipeline)] {
      let report = graph.memoryReport()
      // One state of [8, 4] a step is all that the reverse loop needs.
      #expect(report.residualByteCount == 5 * 8 * 4 * 4, "\(report)\n\(graph)")
      #expect(report.residuals.map(\.path) == [["cell"]], "\(report)")
    }
    let unrolled = try Graph(tracing: Self.types) { x in
      [
        gradient(at: x[1]) { w in
          scan(over: x[0], from: Tensor.zeros([8, 4]), unroll: .full) { h, x in
            let next = tanh(x.matmul(w) + h)
            return (next, next)
          }.outputs.sum()
        }
      ]
    }
    let kept = unrolled.memoryReport().residuals.first { $0.operation == "tanh" }
    #expect(kept?.count == 5 && kept?.byteCount == 5 * 8 * 4 * 4, "\(unrolled.memoryReport())")
  }

  @Test func whatIsAliveFitsTheArena() throws {
    let graph = try Graph(tracing: Self.types) { x in [gradient(at: x[1]) { Self.loop([x[0], $0]).sum() }] }
    let report = graph.applying(Pass.pipeline).memoryReport()
    let alive = report.peak.reduce(0) { $0 + $1.byteCount }
    #expect(alive > 0 && alive <= report.arenaByteCount && report.arenaByteCount <= report.unsharedByteCount)
    let text = report.description
    for words in ["arena", "kept for the reverse sweep", "alive in the arena", "cell", "640 B"] {
      #expect(text.contains(words), "\(words) in\n\(text)")
    }
  }
}

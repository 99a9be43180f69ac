@testable import Reel
import ReelTestSupport
import Testing

/// The texts of whole programs, as traced and after every pass, are read back and compute the same bits.
@Suite struct GraphRoundTripTests {
  /// What is wrong with the texts of a program; nil if nothing is.
  static func failure(_ graph: Graph, at x: [Tensor]) throws -> String? {
    for (name, stage) in GraphCorpus.stages(of: graph) {
      if let failure = try GraphTextTests.failure(stage, at: x) { return "\(name): \(failure)" }
    }
    return nil
  }

  @Test(arguments: GraphCorpus.all)
  func everyKindOfProgramIsReadBack(program: GraphCorpus) throws {
    let graph = try program.graph()
    #expect(try Self.failure(graph, at: LoopCell.operands(of: graph, seed: 3)) == nil)
    let texts = GraphCorpus.stages(of: graph).map(\.graph.description).joined()
    for operation in program.operations { #expect(texts.contains(operation), "\(operation) in\n\(texts)") }
  }

  @Test(arguments: LoopCell.all)
  func trainingStepsAreReadBack(cell: LoopCell) throws {
    let variants = [
      LoopCell.Variant(), LoopCell.Variant(givesInputGradient: true, readsOutputs: true, isReversed: true),
    ]
    for variant in variants {
      let graph = try cell.trainingStep(LoopCell.Sizes(), variant)
      #expect(try Self.failure(graph, at: LoopCell.operands(of: graph, seed: 5)) == nil)
    }
  }

  @Test(arguments: 0..<4)
  func randomProgramsAreReadBack(group: UInt64) throws {
    for seed in group * 10..<(group + 1) * 10 {
      let program = Program.random(seed: seed)
      let x = program.arguments
      for unroll in [Unroll.never, .full] {
        let graph = try Graph(tracing: x.map(\.type)) { program($0, unroll: unroll) }
        #expect(try Self.failure(graph, at: x) == nil, "Program.random(seed: \(seed)), unroll \(unroll)")
      }
    }
  }

  @Test func everyOperationCanBeRead() throws {
    // `struct X: Operation` in the sources; an argument stands in the head of a graph.
    let declared = try SourceFile.all(under: "Sources/Reel").flatMap { file in
      file.text.matches(of: /struct (\w+): (?:Operation|OperationWithBodies)\b/).map { String($0.output.1) }
    }
    let readable = Graph.readableOperations.map { "\($0)" }
    #expect(Set(declared) == Set(readable + ["Input"]) && declared.count > 25)
  }
}

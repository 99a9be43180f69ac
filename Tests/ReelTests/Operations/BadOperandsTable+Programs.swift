@testable import Reel
import ReelTestSupport

// Operations that hold programs.
extension BadOperandsTable {
  static let programs: [Bad] = [
    Bad(
      "conditional", [f32([])],
      "conditional: a predicate of type f32[] (operands: f32[]); expected bool[], as a comparison of scalars gives"
    ) { x in
      _ = conditional(x[0]) {
        x[0]
      } else: {
        x[0]
      }
    },
    Bad(
      "conditional", [bool([]), f32([2])],
      "conditional: branches that give results of other types (operands: bool[], f32[2]); expected f32[2]"
    ) { x in
      let bodies = [Tape.staging([f32([2])]) { $0 }, Tape.staging([f32([2])]) { [$0[0].sum()] }].map(LoopBody.init)
      _ = Conditional(then: bodies[0], otherwise: bodies[1]).apply(x)
    },
    Bad(
      "repeatWhile", [f32([2])],
      "repeatWhile: a condition of type bool[2] (operands: bool[2]); expected bool[], as a comparison of scalars gives"
    ) { x in
      _ = repeatWhile(from: x[0]) {
        $0 .< 1
      } body: {
        $0 * 2
      }
    },
    Bad(
      "repeatWhileDerivative", [f32([])],
      "repeatWhileDerivative: operands that are not those of the body (operands: f32[]); expected i32[], f32[], i32[]"
    ) { x in
      let types = [f32([]), RepeatWhile.countType]
      let condition = Tape.staging(types) { [$0[0] .< 1] }
      let body = Tape.staging(types) { $0 }
      let loop = RepeatWhile(condition: LoopBody(condition), body: LoopBody(body), captureCount: 0)
      _ = RepeatWhileDerivative(loop: loop, stages: []).apply(x)
    },
    Bad(
      "rematerialized", [f32([2])],
      "rematerialized: operands that are not those of the body (operands: f32[2]); expected f32[3]"
    ) { x in
      let body = Tape.staging([f32([3])]) { [tanh($0[0])] }
      _ = Rematerialized(body: LoopBody(body)).apply(x)
    },
  ]
}

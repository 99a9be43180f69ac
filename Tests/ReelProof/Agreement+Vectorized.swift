import Reel

extension Agreement {
  /// Vectorized over a batch of inputs, all of them and some of them, against a loop over the batch.
  func vectorized() throws -> Outcome {
    let rows = [inputs] + variants
    guard rows.count > 1 else { return .undecided }
    if let witness, rows.contains(where: { witness($0).margin < 1e-6 }) { return .undecided }
    let unroll = unrolls.first ?? .full
    let types = inputs.map(\.type)
    let graphs = [
      ("value", try Graph(tracing: types) { function($0, unroll) }),
      ("gradient", try Graph(tracing: types) { gradients(at: $0, unroll) }),
    ]
    let every = [Bool](repeating: true, count: inputs.count)
    let second = inputs.indices.map { $0 % 2 == 0 }
    for (name, graph) in graphs {
      for isBatched in [every, second, second.map { !$0 }] where isBatched.contains(true) {
        if let failure = failure(of: graph, rows, isBatched, name) {
          return .fails("\(failure) of a vectorized \(name)")
        }
      }
    }
    let vectorized = vectorize { (x: [Tensor]) in function(x, unroll) }
    let stacks = inputs.indices.map { index in stacked(rows.map { $0[index] }) }
    let found = try compiled { (x: [Tensor]) in vectorized(x) }(stacks)
    let failure = closeToLoop(found, rows.map { function($0, .full) }, "compiled, vectorized") { function($0, .full) }
    return failure.map { .fails($0) } ?? .agrees
  }

  private func failure(of graph: Graph, _ rows: [[Tensor]], _ isBatched: [Bool], _ name: String) -> String? {
    let mixed = rows.map { row in inputs.indices.map { isBatched[$0] ? row[$0] : inputs[$0] } }
    if let witness, mixed.contains(where: { witness($0).margin < 1e-6 || !witness($0).isTame }) { return nil }
    let arguments = inputs.indices.map { index in
      isBatched[index] ? stacked(mixed.map { $0[index] }) : inputs[index]
    }
    let (outputs, areBatched) = graph.vectorized(arguments, isBatched: isBatched, count: rows.count)
    let found = zip(outputs, areBatched).map { output, isBatched in
      isBatched ? output : output.broadcasted(to: Shape([rows.count] + output.shape.extents))
    }
    let what = "inputs \(isBatched.indices.filter { isBatched[$0] })"
    return closeToLoop(found, mixed.map { graph($0) }, what) { graph($0) }
  }

  private func closeToLoop(
    _ found: [Tensor], _ rows: [[Tensor]], _ what: String, noise: ([Tensor]) -> [Tensor]
  ) -> String? {
    for (index, row) in rows.enumerated() {
      let part = found.map { $0[index] }
      for (output, pair) in zip(part, row).enumerated()
      where pair.0.type != pair.1.type {
        return "\(what): output \(output) has type \(pair.0.type), not \(pair.1.type)"
      }
      if let failure = close(part, row, "\(what), row \(index)", noise: noise) { return failure }
    }
    return nil
  }
}

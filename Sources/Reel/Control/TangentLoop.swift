/// A loop that carries tangents along with its values: forward mode through a loop is one loop of the same length, which
/// keeps no step.
///
///     captured ++ d captured ++ carries ++ d carries ++ sequences ++ d sequences
///                                               →  carries ++ d carries ++ slices ++ d slices
final class TangentLoop: Sendable {
  private let loop: Scan
  /// The operands of the loop without tangents that have one here, by group.
  private let captures, carries, sequences: [Int]
  /// The slices that have a tangent.
  private let slices: [Int]

  /// - Parameters:
  ///   - scan: The loop.
  ///   - isActive: Which of its operands have a tangent.
  init(_ scan: Scan, isActive: [Bool]) {
    let activeCarries = scan.activeCarries(isActive).map { $0 + scan.captureCount }
    captures = scan.captures.filter { isActive[$0] }
    carries = activeCarries.sorted()
    sequences = scan.sequences.filter { isActive[$0] }
    let types = scan.body.graph.inputTypes
    let groups = [(scan.captures, captures), (scan.carries, carries), (scan.sequences, sequences)]
    let places: [(operand: Int, isTangent: Bool)] = groups.flatMap { all, moving in
      all.map { ($0, false) } + moving.map { ($0, true) }
    }
    let carriesMoving = carries.map { $0 - scan.captureCount }
    var slicesMoving: [Int] = []
    let body = Tape.staging(places.map { types[$0.operand] }) { inputs in
      let arguments = zip(inputs, places).filter { !$0.1.isTangent }.map(\.0)
      var tangents = [Tensor?](repeating: nil, count: types.count)
      for (input, place) in zip(inputs, places) where place.isTangent { tangents[place.operand] = input }
      let (y, dy) = scan.body.graph.callWithTangents(arguments, tangents)
      slicesMoving = (scan.carryCount..<y.count).filter { dy[$0] != nil }
      return y[..<scan.carryCount] + carriesMoving.map { dy[$0] ?? .zeros(like: y[$0]) } + y[scan.carryCount...]
        + slicesMoving.map { dy[$0]! }
    }
    slices = slicesMoving
    loop = Scan(
      body: LoopBody(body), captureCount: scan.captureCount + captures.count,
      carryCount: scan.carryCount + carries.count, length: scan.length, isReversed: scan.isReversed,
      isAdjoint: scan.isAdjoint)
  }

  /// Runs the loop.
  ///
  /// - Parameters:
  ///   - scan: The loop without tangents.
  ///   - operands: Its operands.
  ///   - tangents: Their tangents.
  /// - Returns: Its results, and their tangents.
  func run(_ scan: Scan, _ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    func moving(_ places: [Int]) -> [Tensor] { places.map { tangents[$0] ?? .zeros(like: operands[$0]) } }
    let groups = [(scan.captures, captures), (scan.carries, carries), (scan.sequences, sequences)]
    var given = loop.apply(groups.flatMap { operands[$0] + moving($1) })[...]
    var results = Array(given.prefix(scan.carryCount))
    given.removeFirst(scan.carryCount)
    let sliceCount = scan.body.graph.outputs.count - scan.carryCount
    var found = [Tensor?](repeating: nil, count: scan.carryCount + sliceCount)
    for carry in carries { found[carry - scan.captureCount] = given.removeFirst() }
    results += given.prefix(sliceCount)
    given.removeFirst(sliceCount)
    for slice in slices { found[slice] = given.removeFirst() }
    return (results, found)
  }
}

extension Scan {
  private struct Directions: Hashable {
    let scan: Scan
    let isActive: [Bool]
  }

  private static let tangentLoops = LoopCache<Directions, TangentLoop>()

  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    let directions = Directions(scan: self, isActive: tangents.map { $0 != nil })
    let loop = Self.tangentLoops(directions) { TangentLoop(self, isActive: directions.isActive) }
    return loop.run(self, operands, tangents)
  }
}

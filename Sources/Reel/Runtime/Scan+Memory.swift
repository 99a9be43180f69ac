extension Scan {
  private static let costs = LoopCache<Scan, Int>()

  /// The memory that one more step makes a program need that runs the loop and its reverse, beside operands and results:
  /// residuals, and what is computed for all steps at once. The larger of the memory of eager and of compiled programs.
  var bytesPerStep: Int {
    let (short, long) = (4, 12)
    return Self.costs(with(length: 1)) {
      let passes = [Pass.pipeline, Pass.eager]
      let slopes = passes.map { passes in
        (with(length: long).reverseBytes(passes) - with(length: short).reverseBytes(passes)) / (long - short)
      }
      let elements = body.graph.inputTypes[sequences].reduce(0) { $0 + $1.byteCount }
      return slopes.max()! + elements
    }
  }

  private func with(length: Int) -> Scan {
    Scan(
      body: body, captureCount: captureCount, carryCount: carryCount, length: length, isReversed: isReversed,
      isAdjoint: isAdjoint)
  }

  private func reverseBytes(_ passes: [Pass]) -> Int {
    let reverse = ReversedBodies(
      [program], isActive: program.inputTypes.map(\.elementType.isFloatingPoint),
      hasCotangent: program.outputTypes.map(\.elementType.isFloatingPoint),
      hasSum: program.inputTypes.map { _ in false })
    return Executable(reverse.bodies[0].graph.applying(passes)).workspaceByteCount
  }
}

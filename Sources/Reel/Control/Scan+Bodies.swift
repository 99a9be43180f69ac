extension Scan {
  package func replacingBodies(_ bodies: [Graph]) -> any Operation {
    Scan(
      body: LoopBody(bodies[0]), captureCount: captureCount, carryCount: carryCount, length: length,
      isReversed: isReversed, isAdjoint: isAdjoint)
  }
}

extension OpenLoop {
  /// Where a value belongs: before the loop, after it, or inside with the carries that it waits for and that wait for it.
  /// Products of one class may become one; joined across classes, one of them would keep the others where it is.
  struct PlaceInLoop: Hashable {
    let level: Level
    let isInside: Bool
    let waitsFor, isAwaitedBy: Set<Int>

    /// Whether only results of the loop depend on the value, and no carry.
    var isAfter: Bool { !isInside && level == .carried }
  }

  /// How carries depend on each other and on the nodes of the body.
  struct Dependence {
    /// For each carry, which nodes it waits for within a step.
    let ancestors: [[Bool]]
    /// For each carry, the carries that it waits for, at whatever step.
    let waits: [Set<Int>]
  }

  func dependence() -> Dependence {
    let reach = carries.map { ancestors(of: [$0.leaving]) }
    var waits = reach.map { found in Set(carries.indices.filter { found[Int(carries[$0].inner.node)] }) }
    while true {
      let next = waits.map { $0.union($0.flatMap { waits[$0] }) }
      if next == waits { return Dependence(ancestors: reach, waits: waits) }
      waits = next
    }
  }

  /// The carries that a node waits for, at whatever step.
  func carriesAwaited(by index: Int, _ dependence: Dependence) -> Set<Int> {
    let found = ancestors(of: [Value(index)])
    let direct = carries.indices.filter { found[Int(carries[$0].inner.node)] }
    return Set(direct).union(direct.flatMap { dependence.waits[$0] })
  }

  /// The places of some nodes.
  func places(of indices: [Int]) -> [Int: PlaceInLoop] {
    if indices.isEmpty { return [:] }
    let levels = levels()
    let dependence = dependence()
    return Dictionary(
      uniqueKeysWithValues: indices.map { index in
        let awaiting = carries.indices.filter { dependence.ancestors[$0][index] }
        let place = PlaceInLoop(
          level: levels[index], isInside: !awaiting.isEmpty, waitsFor: carriesAwaited(by: index, dependence),
          isAwaitedBy: Set(
            carries.indices.filter { carry in
              awaiting.contains { $0 == carry || dependence.waits[carry].contains($0) }
            }))
        return (index, place)
      })
  }
}

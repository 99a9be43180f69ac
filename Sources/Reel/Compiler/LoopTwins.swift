extension OpenLoop {
  /// For each carry the first one that has its value at every step, which may be itself.
  ///
  /// Carries that begin alike are taken for equal. Where that does not make them equal at the next step they part, until
  /// all that are left together stay together: then they are equal at every step.
  func twins(isLive: [Bool], isNeeded: [Bool]) -> [Int] {
    var twins = Array(carries.indices)
    for index in carries.indices where isLive[index] {
      twins[index] = (0..<index).first { isLive[$0] && twins[$0] == $0 && couldBeTwins($0, index) } ?? index
    }
    while zip(twins, carries.indices).contains(where: { $0 != $1 }) {
      let leaving = leavingValues(if: twins, isLive, isNeeded)
      let parted = carries.indices.filter { leaving[$0] != leaving[twins[$0]] }
      if parted.isEmpty { break }
      let previous = twins
      for index in parted {
        // Those that leave the same carry with the same value may still be equal to each other.
        twins[index] = parted.first { previous[$0] == previous[index] && leaving[$0] == leaving[index] }!
      }
    }
    return twins
  }

  /// What can be seen without a look at the whole body: they begin alike, and come from operations of one kind.
  private func couldBeTwins(_ first: Int, _ second: Int) -> Bool {
    let (first, second) = (carries[first], carries[second])
    let (from, to) = (resolved(first.leaving), resolved(second.leaving))
    return first.initial == second.initial && from.result == to.result
      && node(from).operation.isEqual(to: node(to).operation)
  }

  /// The values that carries leave a step with, numbered so that equal ones have one number, if each carry enters the step
  /// as its twin does.
  private func leavingValues(if twins: [Int], _ isLive: [Bool], _ isNeeded: [Bool]) -> [Value?] {
    var expressions = Expressions(capacity: nodes.count)
    var copies = [[Value]](repeating: [], count: nodes.count)
    for port in captures + sequences where isNeeded[Int(port.inner.node)] {
      copies[Int(port.inner.node)] = [Value(expressions.insert(node(port.inner)))]
    }
    for (index, carry) in carries.enumerated() where isLive[index] {
      let twin = carries[twins[index]].inner
      copies[Int(carry.inner.node)] =
        twin == carry.inner ? [Value(expressions.insert(node(carry.inner)))] : copies[Int(twin.node)]
    }
    copyNodes(isNeeded, to: &expressions, &copies)
    return carries.indices.map { index in
      guard isLive[index] else { return nil }
      let value = resolved(carries[index].leaving)
      return copies[Int(value.node)][Int(value.result)]
    }
  }
}

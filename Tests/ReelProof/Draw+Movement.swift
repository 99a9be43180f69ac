import Reel

// Lines that move elements.
extension Draw {
  mutating func drawMovement() -> Bool {
    guard let x = floating(where: { $0.rank > 0 }) else { return false }
    let shape = shape(x)
    let axis = number(-shape.rank...shape.rank - 1)
    let extent = shape[axis]
    switch number(0...8) {
    case 0: return drawReshape(x)
    case 1: return add(.transpose(Array(0..<shape.rank).shuffled(using: &generator)), [x]) != nil
    case 2: return drawBroadcast(x)
    case 3, 4:
      guard extent > 0 else { return false }
      let start = number(0...extent - 1)
      return add(.slice(start: start, end: number(start + 1...extent), axis: axis, step: number(1...2)), [x]) != nil
    case 5: return add(.part(index: number(-extent...extent - 1), axis: axis), [x]) != nil
    case 6: return add(.reverse(axis: axis), [x]) != nil
    case 7:
      let value = chance(1, in: 3) ? 0.5 : 0.0
      return add(.pad(before: number(0...2), after: number(0...1), axis: axis, value: value), [x]) != nil
    default: return drawSplit(x, axis)
    }
  }

  private mutating func drawReshape(_ x: Program.Name) -> Bool {
    let extents = shape(x).extents
    var other = extents
    switch number(0...3) {
    case 0: other = [extents.reduce(1, *)]
    case 1: other.insert(1, at: number(0...extents.count))
    case 2 where extents.count > 1:
      let at = number(0...extents.count - 2)
      other.replaceSubrange(at...at + 1, with: [extents[at] * extents[at + 1]])
    case 3:
      let at = number(0...extents.count - 1)
      guard let divisor = [2, 3].first(where: { extents[at] % $0 == 0 && extents[at] > $0 }) else { return false }
      other.replaceSubrange(at...at, with: [divisor, extents[at] / divisor])
    default: other = extents.reversed()
    }
    return add(.reshape(other), [x]) != nil
  }

  private mutating func drawBroadcast(_ x: Program.Name) -> Bool {
    let widened = shape(x).extents.map { $0 == 1 ? pick(extents) : $0 }
    let leading = chance(1, in: 2) ? [pick(extents)] : []
    return add(.broadcast(leading + widened), [x]) != nil
  }

  private mutating func drawSplit(_ x: Program.Name, _ axis: Int) -> Bool {
    let extent = shape(x)[axis]
    guard extent > 1 else { return false }
    let first = number(1...extent - 1)
    return add(.split(parts: [first, extent - first], axis: axis), [x], resultCount: 2) != nil
  }

  mutating func drawJoin() -> Bool {
    guard let x = floating(where: { $0.rank > 0 }) else { return false }
    let axis = number(0...shape(x).rank - 1)
    let others = scope.filter { name in
      let other = run[name]
      return other.elementType == elementType && other.rank == shape(x).rank
        && (0..<other.rank).allSatisfy { $0 == axis || other.shape[$0] == shape(x)[$0] }
    }
    var parts = [x]
    for _ in 0..<number(1...2) { parts.append(pick(others)) }
    if chance(1, in: 3) {
      let same = parts.filter { shape($0) == shape(x) }
      return add(.stack(axis: number(0...shape(x).rank)), same) != nil
    }
    return add(.concatenate(axis: chance(1, in: 2) ? axis : axis - shape(x).rank), parts) != nil
  }

  /// Lookups and additions at indices, which are given or come from the data.
  mutating func drawGather() -> Bool {
    guard let x = floating(where: { $0.rank > 0 }) else { return false }
    let axis = number(0...shape(x).rank - 1)
    let extent = shape(x)[axis]
    guard extent > 0 else { return false }
    if chance(1, in: 4) {
      guard let best = add(.place(isMax: chance(1, in: 2), axis: axis), [x])?[0] else { return false }
      if chance(1, in: 2) { return add(.gather(axis: axis), [x, best]) != nil }
      guard let hot = add(.oneHot(depth: extent), [best])?[0] else { return false }
      return elementType == .float32 || add(.convert(elementType), [hot]) != nil
    }
    if chance(1, in: 3) {
      let rows = (0..<extent).map { _ in number(0...extent) }
      guard let indices = add(.indices(rows, shape: [extent]), [])?[0] else { return false }
      return add(.scatterAdd(extent: extent + 1, axis: axis), [x, indices]) != nil
    }
    let shape = (0..<number(0...2)).map { _ in number(1...3) }
    let places = (0..<shape.reduce(1, *)).map { _ in number(0...extent - 1) }
    guard let indices = add(.indices(places, shape: shape), [])?[0] else { return false }
    return add(.gather(axis: axis), [x, indices]) != nil
  }

  mutating func drawWindows() -> Bool {
    guard let x = floating(where: { $0.rank > 0 && $0.rank < 4 }) else { return false }
    let axis = number(0...shape(x).rank - 1)
    let extent = shape(x)[axis]
    let (size, stride, dilation) = (number(1...3), number(1...2), number(1...2))
    guard (size - 1) * dilation < extent else { return false }
    let action = Action.windows(size: size, stride: stride, dilation: dilation, axis: axis)
    guard let windows = add(action, [x])?[0] else { return false }
    if chance(1, in: 2) { return true }
    return add(.overlapAdd(extent: extent, stride: stride, dilation: dilation, axis: axis), [windows]) != nil
  }
}

extension Operation {
  /// The operation with other programs in the place of its bodies; nil if it has none, or they stay the same.
  func mapBodies(_ transform: (Graph) -> Graph) -> (any Operation)? {
    guard let outer = self as? any OperationWithBodies else { return nil }
    let (bodies, changed) = (outer.bodies, outer.bodies.map(transform))
    return changed == bodies ? nil : outer.replacingBodies(changed)
  }
}

import Reel

/// What keeps two tensors from having one shape and elements within `absolute + relative · |expected|`; nil if nothing.
/// NaN matches NaN, and infinities match themselves.
package func difference(
  _ found: Tensor, _ expected: Tensor, relative: Double = 1e-6, absolute: Double = 1e-7, _ what: String = ""
) -> String? {
  guard found.shape == expected.shape else { return "\(what) has shape \(found.shape), not \(expected.shape)" }
  for (index, (a, b)) in zip(found.numbers, expected.numbers).enumerated() {
    let isClose = a == b || (a.isNaN && b.isNaN) || abs(a - b) <= absolute + relative * abs(b)
    if !isClose { return "\(what) element \(index) of \(found.shape) is \(a), not \(b) (\(abs(a - b)) apart)" }
  }
  return nil
}

/// What keeps two tensors from having the same type and the same bits, but for the payload of NaN; nil if nothing.
package func bitDifference(_ found: Tensor, _ expected: Tensor, _ what: String = "") -> String? {
  guard found.elementType == expected.elementType, found.shape == expected.shape else {
    return "\(what) is \(found.elementType)\(found.shape), not \(expected.elementType)\(expected.shape)"
  }
  for (index, (a, b)) in zip(found.numbers, expected.numbers).enumerated()
  where a.bitPattern != b.bitPattern && !(a.isNaN && b.isNaN) {
    return "\(what) element \(index) is \(a), not \(b)"
  }
  return nil
}

import Reel
import Testing

/// Expects two tensors to have one shape and elements within `absolute + relative · |expected|`; NaN matches NaN, and
/// infinities match themselves.
public func expectClose(
  _ found: Tensor, _ expected: Tensor, relative: Double = 1e-6, absolute: Double = 1e-7, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == expected.shape else {
    Issue.record("\(what) has shape \(found.shape), not \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  for (index, (a, b)) in zip(found.numbers, expected.numbers).enumerated() {
    let isClose = a == b || (a.isNaN && b.isNaN) || abs(a - b) <= absolute + relative * abs(b)
    if !isClose {
      Issue.record(
        "\(what) element \(index) of \(found.shape) is \(a), not \(b) (\(abs(a - b)) apart)", sourceLocation: sourceLocation)
      return
    }
  }
}

/// Expects two tensors to have the same type and the same bits, but for the payload of NaN.
public func expectSameBits(
  _ found: Tensor, _ expected: Tensor, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.elementType == expected.elementType, found.shape == expected.shape else {
    Issue.record(
      "\(what) is \(found.elementType)\(found.shape), not \(expected.elementType)\(expected.shape)",
      sourceLocation: sourceLocation)
    return
  }
  for (index, (a, b)) in zip(found.numbers, expected.numbers).enumerated()
  where a.bitPattern != b.bitPattern && !(a.isNaN && b.isNaN) {
    Issue.record("\(what) element \(index) is \(a), not \(b)", sourceLocation: sourceLocation)
    return
  }
}

/// Normally distributed numbers that are the same in every run.
public func sample(_ shape: Shape, seed: UInt64, elementType: ElementType = .float64) -> Tensor {
  .randomNormal(shape, key: RandomKey(seed: seed), elementType: elementType)
}

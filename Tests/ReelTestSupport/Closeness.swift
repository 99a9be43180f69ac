import Reel
import Testing

/// What keeps two tensors from having one shape and elements within `absolute + relative · |expected|`; nil if nothing.
/// NaN matches NaN, and infinities match themselves.
public func difference(
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
public func bitDifference(_ found: Tensor, _ expected: Tensor, _ what: String = "") -> String? {
  guard found.elementType == expected.elementType, found.shape == expected.shape else {
    return "\(what) is \(found.elementType)\(found.shape), not \(expected.elementType)\(expected.shape)"
  }
  for (index, (a, b)) in zip(found.numbers, expected.numbers).enumerated()
  where a.bitPattern != b.bitPattern && !(a.isNaN && b.isNaN) {
    return "\(what) element \(index) is \(a), not \(b)"
  }
  return nil
}

/// Expects two tensors to have one shape and elements within `absolute + relative · |expected|`; NaN matches NaN, and
/// infinities match themselves.
public func expectClose(
  _ found: Tensor, _ expected: Tensor, relative: Double = 1e-6, absolute: Double = 1e-7, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if let difference = difference(found, expected, relative: relative, absolute: absolute, what) {
    Issue.record("\(difference)", sourceLocation: sourceLocation)
  }
}

/// Expects two tensors to have the same type and the same bits, but for the payload of NaN.
public func expectSameBits(
  _ found: Tensor, _ expected: Tensor, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  if let difference = bitDifference(found, expected, what) {
    Issue.record("\(difference)", sourceLocation: sourceLocation)
  }
}

/// Expects a call to throw a ``TensorError`` with a message, to the letter.
public func expectError(
  _ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error", sourceLocation: sourceLocation)
  } catch {
    let found = (error as? TensorError)?.description ?? "\(error)"
    #expect(found == message, sourceLocation: sourceLocation)
  }
}

/// Normally distributed numbers that are the same in every run.
public func sample(_ shape: Shape, seed: UInt64, elementType: ElementType = .float64) -> Tensor {
  .randomNormal(shape, key: RandomKey(seed: seed), elementType: elementType)
}

/// A `float64` scalar. `Tensor(2.5)` is a literal, which takes the element type of what it meets.
public func number(_ value: Double) -> Tensor { Tensor([value], shape: .scalar) }

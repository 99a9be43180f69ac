import Reel
// Its comparisons and its generator of numbers are the tests' too.
@_exported import ReelProof
import Testing

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

import Reel

/// A layer that makes one tensor of several, element by element.
///
/// Shapes broadcast as in Keras: the batch axis agrees, and inputs with fewer axes get new ones behind it. The output has a mask
/// where every input has one: the steps that are real in any of them.
public protocol MergingLayer: Layer where Input == [Tensor], Output == Tensor {
  /// The function of inputs with one number of axes. Each comes with its mask, if it has one, in a shape that broadcasts with it.
  func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor
}

extension MergingLayer {
  /// Applies the layer to at least one tensor.
  public func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    inOwnScope {
      let shapes = inputs.map(\.shape.description).joined(separator: ", ")
      guard let batch = inputs.first, inputs.allSatisfy({ $0.rank > 0 && $0.shape[0] == batch.shape[0] }) else {
        TensorError(
          operation: defaultName, problem: inputs.isEmpty ? "no inputs" : "inputs of shapes \(shapes)",
          expected: "at least one input, and one batch axis for all"
        ).report()
        return .zeros([1, 1])
      }
      let rank = inputs.reduce(0) { max($0, $1.rank) }
      func aligned(_ x: Tensor, to rank: Int) -> Tensor {
        x.reshaped(to: Shape([x.shape[0]] + Array(repeating: 1, count: rank - x.rank) + x.shape.extents.dropFirst()))
      }
      let parts = inputs.map { x in
        let isReal = x.mask.map { mask in
          mask.reshaped(to: Shape(mask.shape.extents + Array(repeating: 1, count: x.rank - mask.rank)))
        }
        return (x: aligned(x, to: rank), isReal: isReal.map { aligned($0, to: rank) })
      }
      let masks = inputs.compactMap(\.mask)
      let mask = masks.count == inputs.count ? masks.dropFirst().reduce(masks[0]) { $0 .| $1 } : nil
      return merged(parts).withMask(mask)
    }
  }
}

/// The sum of its inputs: Keras's `Add`.
public struct Add: MergingLayer {
  /// The layer.
  public init() {}

  /// x₁ + x₂ + …
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor {
    inputs.dropFirst().reduce(inputs[0].x) { $0 + $1.x }
  }
}

/// The difference of its two inputs: Keras's `Subtract`.
public struct Subtract: MergingLayer {
  /// The layer.
  public init() {}

  /// x₁ - x₂.
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor {
    guard inputs.count == 2 else {
      TensorError(operation: defaultName, problem: "\(inputs.count) inputs", expected: "two").report()
      return inputs[0].x
    }
    return inputs[0].x - inputs[1].x
  }
}

/// The product of its inputs, element by element: Keras's `Multiply`. A step that a mask leaves out counts as 1.
public struct Multiply: MergingLayer {
  /// The layer.
  public init() {}

  /// x₁ · x₂ · …
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor {
    let factors = inputs.map { x, isReal in isReal.map { select($0, x, 1) } ?? x }
    return factors.dropFirst().reduce(factors[0], *)
  }
}

/// The mean of its inputs: Keras's `Average`.
public struct Average: MergingLayer {
  /// The layer.
  public init() {}

  /// (x₁ + x₂ + …) / n.
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor {
    Add().merged(inputs) / Tensor(floatLiteral: Double(inputs.count))
  }
}

/// The largest of its inputs, element by element: Keras's `Maximum`. A step that a mask leaves out is left to the others.
public struct Maximum: MergingLayer {
  /// The layer.
  public init() {}

  /// max(x₁, x₂, …).
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor { extreme(of: inputs, maximum) }
}

/// The smallest of its inputs, element by element: Keras's `Minimum`. A step that a mask leaves out is left to the others.
public struct Minimum: MergingLayer {
  /// The layer.
  public init() {}

  /// min(x₁, x₂, …).
  public func merged(_ inputs: [(x: Tensor, isReal: Tensor?)]) -> Tensor { extreme(of: inputs, minimum) }
}

/// A fold without a neutral element, in which a masked element takes the value of the other side.
private func extreme(of inputs: [(x: Tensor, isReal: Tensor?)], _ fold: (Tensor, Tensor) -> Tensor) -> Tensor {
  var (y, isReal) = inputs[0]
  for (next, nextIsReal) in inputs.dropFirst() {
    let right = nextIsReal.map { select($0, next, y) } ?? next
    let left = isReal.map { select($0, y, right) } ?? y
    y = fold(left, right)
    isReal = isReal.flatMap { left in nextIsReal.map { left .| $0 } }
  }
  return y
}

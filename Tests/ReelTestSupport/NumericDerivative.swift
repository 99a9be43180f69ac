import Reel

/// The derivatives of a scalar function by central differences, and what is wrong with a gradient that should be them.
package struct NumericDerivative {
  let step: Double
  let function: ([Tensor]) -> Tensor

  /// - Parameters:
  ///   - step: How far to go to either side.
  ///   - function: A function of floating-point tensors with a scalar result.
  package init(step: Double = 1e-5, of function: @escaping ([Tensor]) -> Tensor) {
    self.step = step
    self.function = function
  }

  /// The derivative at `x` along a direction with one tensor for each argument.
  package func along(_ direction: [[Double]], at x: [Tensor]) -> Double {
    func value(_ step: Double) -> Double {
      function(
        zip(x, direction).map { x, direction in
          Tensor(zip(x.numbers, direction).map { $0 + step * $1 }, shape: x.shape).converted(to: x.elementType)
        }
      ).item
    }
    return (value(step) - value(-step)) / (2 * step)
  }

  /// The partial derivatives at `x`.
  package func gradient(at x: [Tensor]) -> [Tensor] {
    var direction = x.map { [Double](repeating: 0, count: $0.count) }
    return x.indices.map { part in
      let derivatives = direction[part].indices.map { index in
        direction[part][index] = 1
        defer { direction[part][index] = 0 }
        return along(direction, at: x)
      }
      return Tensor(derivatives, shape: x[part].shape)
    }
  }

  /// What is wrong with a gradient at `x`, element by element and along a direction; nil if nothing.
  package func difference(
    _ found: [Tensor], at x: [Tensor], relative: Double = 1e-7, absolute: Double = 1e-8, _ what: String = "gradient"
  ) -> String? {
    for (index, (found, expected)) in zip(found, gradient(at: x)).enumerated() {
      if found.elementType != x[index].elementType {
        return "\(what) \(index) has element type \(found.elementType), not \(x[index].elementType)"
      }
      let failure = ReelTestSupport.difference(
        found, expected, relative: relative, absolute: absolute, "\(what) \(index)")
      if let failure { return failure }
    }
    let direction = x.enumerated().map { index, x in Self.weights(x.count, seed: UInt64(index) + 11) }
    let projection = zip(found, direction).reduce(0) { $0 + zip($1.0.numbers, $1.1).reduce(0) { $0 + $1.0 * $1.1 } }
    let expected = along(direction, at: x)
    return abs(projection - expected) <= 10 * (absolute + relative * abs(expected))
      ? nil : "\(what) along a direction is \(projection), not \(expected)"
  }

  /// Directions and weights that are exact in every element type.
  package static func weights(_ count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix(seed: seed)
    return (0..<count).map { _ in [-1, -0.75, -0.5, 0.5, 0.75, 1].randomElement(using: &generator)! }
  }
}

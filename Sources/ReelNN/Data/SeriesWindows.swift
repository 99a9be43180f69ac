import Reel

extension Tensor {
  /// Pairs of what came and what follows, cut out of a series: the inputs `[windows, size, ...]` and, right behind each,
  /// the targets `[windows, horizon, ...]`.
  ///
  ///     let (inputs, targets) = Tensor([1, 2, 3, 4, 5]).windows(of: 3, horizon: 1)
  ///     // [[1, 2, 3], [2, 3, 4]] and [[4], [5]]
  ///
  /// For the windows alone see ``Reel/Tensor/windows(of:stride:dilation:along:)``.
  ///
  /// - Parameters:
  ///   - size: The steps of an input.
  ///   - stride: The distance between the starts of windows; 1 by default.
  ///   - horizon: The steps of a target.
  /// - Returns: As many pairs as fit. A series that is too short for one is a ``Reel/TensorError``.
  public func windows(of size: Int, stride: Int = 1, horizon: Int) -> (inputs: Tensor, targets: Tensor) {
    guard rank > 0, size > 0, stride > 0, horizon > 0, shape[0] >= size + horizon else {
      TensorError(
        operation: "windows", operands: [TensorType(shape, elementType)],
        problem: "windows of \(size) by stride \(stride) with \(horizon) steps behind each",
        expected: "a series [time, ...] with \(size + horizon) steps at least, and positive numbers"
      ).report()
      return (self, self)
    }
    let whole = windows(of: size + horizon, stride: stride, along: 0)
    return (whole.sliced(0..<size, along: 1), whole.sliced(size..<size + horizon, along: 1))
  }
}

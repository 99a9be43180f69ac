import Reel

/// The largest value of each window along time: Keras's `MaxPooling1D` with channels last.
///
/// `[batch, time, features]` → `[batch, windows, features]`. Padding never wins, NaN does. Of equal largest values the first
/// gets the derivative. A mask ends here, as in Keras.
public struct MaxPooling1D: Layer {
  /// The steps of a window.
  public let poolSize: Int
  /// The distance between the starts of windows.
  public let strides: Int
  /// What windows do at the ends.
  public let padding: WindowPadding
  private let windows: SequenceWindows

  /// - Parameters:
  ///   - poolSize: The steps of a window; 2 by default.
  ///   - strides: The distance between the starts of windows; the size of one by default.
  ///   - padding: What windows do at the ends; they stay inside by default.
  public init(_ poolSize: Int = 2, strides: Int? = nil, padding: WindowPadding = .valid) {
    self.poolSize = poolSize
    self.strides = strides ?? poolSize
    self.padding = padding
    windows = SequenceWindows(size: poolSize, stride: strides ?? poolSize, padding: padding, of: "MaxPooling1D")
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard windows.fit(x, of: self) else { return .zeros([1, 1, 1]) }
      return largest(windows(x, padding: -.infinity)).squeezed(at: 2)
    }
  }

  /// The largest element along axis 2, which stays: neighbours meet, then the winners. Not `max(along:)`, among whose equal
  /// elements the derivative is shared out.
  private func largest(_ windows: Tensor) -> Tensor {
    let (size, even) = (windows.shape[2], windows.shape[2] / 2 * 2)
    if size == 1 { return windows }
    let winners = maximum(
      windows.sliced(0..<even, along: 2, step: 2), windows.sliced(1..<even, along: 2, step: 2))
    let rest = windows.sliced(even..<size, along: 2)
    return largest(size == even ? winners : concatenated([winners, rest], along: 2))
  }
}

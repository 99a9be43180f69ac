import Reel

/// The mean of each window along time, over the steps that exist: Keras's `AveragePooling1D` with channels last.
///
/// `[batch, time, features]` → `[batch, windows, features]`. Padding does not count. A mask ends here, as in Keras.
public struct AveragePooling1D: Layer {
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
    windows = SequenceWindows(size: poolSize, stride: strides ?? poolSize, padding: padding, of: "AveragePooling1D")
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard windows.fit(x, of: self) else { return .zeros([1, 1, 1]) }
      let counts = Tensor(windows.counts(x.shape[1])).converted(to: x.elementType).expanded(at: 1)
      return windows(x).sum(along: [2]) / counts
    }
  }
}

import Reel

/// Convolution along time: activation(Σⱼ x[t · strides + j · dilationRate] · kernel[j] + bias), a cross-correlation as usual.
///
/// `[batch, time, channels]` → `[batch, windows, filters]`; ``WindowPadding`` says how many windows there are. Parameters:
/// `kernel [kernelSize, channels / groups, filters]`, `bias [filters]`. Keras's `Conv1D` with channels last; unlike there,
/// strides and dilation go together. A mask ends here, as in Keras.
public struct Conv1D: Layer {
  /// The extent of the last axis of the output.
  public let filters: Int
  /// The steps of a window.
  public let kernelSize: Int
  /// The distance between the starts of windows.
  public let strides: Int
  /// What windows do at the ends.
  public let padding: WindowPadding
  /// The distance between the steps of a window.
  public let dilationRate: Int
  /// How many parts the channels and the filters fall into, each convolved on its own.
  public let groups: Int
  /// Applied to the output; none if nil.
  public let activation: Activation?
  /// Whether there is a bias.
  public let useBias: Bool
  /// `[kernelSize, channels / groups, filters]`.
  public let kernel: Parameter
  /// `[filters]`.
  public let bias: Parameter
  /// A penalty on the output.
  public let activityRegularizer: Regularizer?
  private let windows: SequenceWindows

  /// - Parameters:
  ///   - filters: The extent of the last axis of the output; a multiple of `groups`.
  ///   - kernelSize: The steps of a window.
  ///   - strides: The distance between the starts of windows; 1 by default.
  ///   - padding: What windows do at the ends; they stay inside by default.
  ///   - dilationRate: The distance between the steps of a window; 1 by default.
  ///   - groups: How many parts the channels and the filters fall into, each convolved on its own; 1 by default.
  ///   - activation: Applied to the output; none by default.
  ///   - useBias: Whether to add a bias; true by default.
  ///   - kernelInitializer: Glorot uniform by default.
  ///   - biasInitializer: Zeros by default.
  ///   - kernelRegularizer: The penalty on the kernel; none by default.
  ///   - biasRegularizer: The penalty on the bias; none by default.
  ///   - activityRegularizer: A penalty on the output, divided by the batch size; none by default.
  ///   - kernelConstraint: What an optimizer makes of the kernel; nothing by default.
  ///   - biasConstraint: What an optimizer makes of the bias; nothing by default.
  public init(
    _ filters: Int, kernelSize: Int, strides: Int = 1, padding: WindowPadding = .valid, dilationRate: Int = 1,
    groups: Int = 1, activation: Activation? = nil, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
    kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    biasConstraint: Constraint? = nil
  ) {
    precondition(
      filters > 0 && groups > 0 && filters % groups == 0,
      "Conv1D needs at least one filter, and as many for each group, not \(filters) filters in \(groups) groups")
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilationRate = dilationRate
    self.groups = groups
    self.activation = activation
    self.useBias = useBias
    self.activityRegularizer = activityRegularizer
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    bias = Parameter(biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint)
    windows = SequenceWindows(
      size: kernelSize, stride: strides, dilation: dilationRate, padding: padding, of: "Conv1D")
  }

  /// Applies the layer to `[batch, time, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    guard windows.fit(x, of: self), channelsFallIntoGroups(x) else { return .zeros([1, 1, filters]) }
    let kernel = kernel([kernelSize, x.shape.last / groups, filters])
    var y = groups == 1 ? windows.convolved(x, kernel) : convolvedInGroups(windows(x), kernel)
    if useBias { y = y + bias([filters]) }
    y = activation?(y) ?? y
    ActivityPenalties.add(activityRegularizer, on: y)
    return y
  }

  /// A product for each group: `[batch, groups, windows, size · part] · [groups, size · part, filters / groups]`.
  private func convolvedInGroups(_ windows: Tensor, _ kernel: Tensor) -> Tensor {
    let (batch, count, part) = (windows.shape[0], windows.shape[1], kernel.shape[1])
    let rows = windows.reshaped(to: [batch, count, kernelSize, groups, part]).transposed([0, 3, 1, 2, 4])
    let columns = kernel.reshaped(to: [kernelSize, part, groups, filters / groups]).transposed([2, 0, 1, 3])
    let product = rows.flattened(from: 3).matmul(columns.reshaped(to: [groups, kernelSize * part, filters / groups]))
    return product.transposed([0, 2, 1, 3]).flattened(from: 2)
  }

  private func channelsFallIntoGroups(_ x: Tensor) -> Bool {
    if x.shape.last % groups == 0 { return true }
    TensorError(
      operation: defaultName, problem: "\(x.shape.last) channels in \(groups) groups, for input of shape \(x.shape)",
      expected: "a multiple of \(groups) channels"
    ).report()
    return false
  }
}

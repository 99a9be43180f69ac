import Reel

/// What a window that moves along time does at the ends of a sequence.
public enum WindowPadding: Sendable, Hashable {
  /// It stays inside: there are ⌊(time - reach) / strides⌋ + 1 windows.
  case valid
  /// It looks over both ends, so that there are ⌈time / strides⌉ windows; the odd step of padding is behind.
  case same
  /// It looks over the first step only, so that no window sees a step after the one it stands for: ⌈time / strides⌉ windows.
  case causal
}

/// The windows that convolution and pooling move along `[batch, time, features]`.
struct SequenceWindows {
  /// The steps of a window.
  let size: Int
  /// Between the starts of windows, and between the steps of one.
  let stride, dilation: Int
  let padding: WindowPadding

  init(size: Int, stride: Int, dilation: Int = 1, padding: WindowPadding, of layer: String) {
    precondition(
      size > 0 && stride > 0 && dilation > 0,
      "\(layer) needs windows of at least one step, and distances of at least 1, not \(size), \(stride), \(dilation)")
    self.size = size
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
  }

  /// The steps that a window reaches over.
  var reach: Int { (size - 1) * dilation + 1 }

  /// The steps of padding in front of a sequence and behind it.
  func border(_ time: Int) -> (before: Int, after: Int) {
    switch padding {
    case .valid: return (0, 0)
    case .causal: return (reach - 1, 0)
    case .same:
      let count = (time + stride - 1) / stride
      let missing = max((count - 1) * stride + reach - time, 0)
      return (missing / 2, missing - missing / 2)
    }
  }

  /// `[batch, windows, size, features]`, with a number in the place of steps that do not exist.
  func callAsFunction(_ x: Tensor, padding value: Double = 0) -> Tensor {
    let (before, after) = border(x.shape[1])
    return x.padded(before: before, after: after, along: 1, with: value)
      .windows(of: size, stride: stride, dilation: dilation, along: 1)
  }

  /// The convolution of `[batch, time, channels]` with `kernel [size, channels, filters]`: a product with the windows as
  /// rows, `[batch, windows, size · channels] · [size · channels, filters]`.
  func convolved(_ x: Tensor, _ kernel: Tensor) -> Tensor {
    self(x).flattened(from: 2).matmul(kernel.reshaped(to: [size * kernel.shape[1], kernel.shape.last]))
  }

  /// How many windows a sequence has; 0 or less if it is too short for one.
  func count(_ time: Int) -> Int {
    let (before, after) = border(time)
    return (before + time + after - reach) / stride + 1
  }

  /// How many steps that exist each window has.
  func counts(_ time: Int) -> [Double] {
    let (before, after) = border(time)
    return Swift.stride(from: 0, through: before + time + after - reach, by: stride).map { start in
      let steps = (0..<size).map { start + $0 * dilation - before }
      return Double(steps.count { (0..<time).contains($0) })
    }
  }

  /// Whether the input is a sequence that windows fit; reports it if not.
  func fit(_ x: Tensor, of layer: some Layer) -> Bool {
    guard layer.takesSequence(x) else { return false }
    guard x.elementType.isFloatingPoint else {
      TensorError(
        operation: layer.defaultName, problem: "input of type \(x.elementType)\(x.shape)",
        expected: "a floating-point element type; convert it first"
      ).report()
      return false
    }
    if padding != .valid || x.shape[1] >= reach { return true }
    TensorError(
      operation: layer.defaultName, problem: "a window that reaches over \(reach) steps, for input of shape \(x.shape)",
      expected: "at least \(reach) steps; or padding: .same"
    ).report()
    return false
  }
}

extension Layer {
  /// Whether the input is `[batch, time, features]` with at least one step; reports it if not.
  func takesSequence(_ x: Tensor) -> Bool {
    if x.rank == 3 && x.shape[1] > 0 { return true }
    TensorError(
      operation: defaultName,
      problem: x.rank == 3 ? "a sequence without steps, of shape \(x.shape)" : "input of shape \(x.shape)",
      expected: "[batch, time, features]" + (x.rank == 3 ? " with at least one step" : "")
        + (x.rank == 2 ? "; a recurrent layer in front of this one needs returnSequences: true" : "")
    ).report()
    return false
  }
}

import Reel

/// What the entries of a per-sample tensor count: sample weights and masks, checked and aligned with it.
struct EntryWeights {
  /// Weights times masks, of the rank of the entries and with extents that agree with theirs or are 1; nil if all are 1.
  let product: Tensor?
  /// The share of the entries that the masks let count, a scalar; nil without masks.
  let countedShare: Tensor?

  /// The sum of the weights, each as often as it was given; nil if all are 1.
  var total: Tensor? { product?.sum() }

  /// Weights and masks for entries; nil after reporting some that do not fit.
  init?(sampleWeight: Tensor?, masks: [Tensor?], of entries: Tensor, in operation: String) {
    guard entries.elementType.isFloatingPoint else {
      TensorError(
        operation: operation, problem: "entries of type \(entries.elementType)\(entries.shape)",
        expected: "a floating-point number for each sample"
      ).report()
      return nil
    }
    var mask: Tensor?
    for given in masks {
      guard let given else { continue }
      guard given.elementType == .bool, let aligned = Self.aligned(given, with: entries.shape) else {
        Self.report("a mask", given, entries, isMask: true, in: operation)
        return nil
      }
      mask = mask.map { $0 .& aligned } ?? aligned
    }
    let counted = mask?.converted(to: entries.elementType)
    countedShare = counted?.mean()
    guard let sampleWeight else {
      product = counted
      return
    }
    let weight = sampleWeight.labels(as: entries.elementType)
    guard weight.elementType == entries.elementType, let aligned = Self.aligned(weight, with: entries.shape) else {
      Self.report("sample weights", sampleWeight, entries, isMask: false, in: operation)
      return nil
    }
    product = counted.map { aligned * $0 } ?? aligned
  }

  /// The tensor with as many axes as the shape, aligned at the batch; nil if it does not fit.
  private static func aligned(_ tensor: Tensor, with shape: Shape) -> Tensor? {
    var extents = tensor.shape.extents
    while extents.count > shape.rank, extents.last == 1 { extents.removeLast() }
    guard extents.count <= shape.rank else { return nil }
    extents += [Int](repeating: 1, count: shape.rank - extents.count)
    guard zip(extents, shape.extents).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
    return tensor.reshaped(to: Shape(extents))
  }

  private static func report(_ what: String, _ found: Tensor, _ entries: Tensor, isMask: Bool, in operation: String) {
    let elementType = isMask ? ElementType.bool : entries.elementType
    TensorError(
      operation: operation,
      problem: "\(what) of type \(found.elementType)\(found.shape) for entries of shape \(entries.shape)",
      expected: "\(elementType)\(entries.shape), where trailing axes may be missing and extents be 1"
    ).report()
  }
}

extension Tensor {
  /// Whole numbers and truth values as floating-point numbers; floating-point numbers as they are.
  func labels(as elementType: ElementType) -> Tensor {
    self.elementType.isFloatingPoint ? self : converted(to: elementType)
  }

  /// The number, as a scalar that takes the element type of what it meets.
  static func constant(_ value: Double) -> Tensor { Tensor(floatLiteral: value) }

  /// The tensor with an axis moved to the end.
  func withLastAxis(_ axis: Int) -> Tensor {
    let front = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(front), front != rank - 1 else { return self }
    return transposed((0..<rank).filter { $0 != front } + [front])
  }
}

import Reel

/// An affine map of each feature, found from data, and its inverse.
///
/// The last axis has the features: `[samples, features]` or `[samples, time, features]`. Numbers that are NaN are left out
/// of what is found, as in scikit-learn, and stay NaN.
public protocol Scaler: Codable, Hashable, Sendable {
  /// What is subtracted from each feature.
  var center: [Double] { get }
  /// What each feature is divided by then.
  var scale: [Double] { get }
}

extension Scaler {
  /// Data on the new scale: `(x - center) / scale`, in the element type of x.
  ///
  /// - Parameter x: `[..., features]`.
  public func transform(_ x: Tensor) -> Tensor {
    guard hasFeatures(x) else { return x }
    return (x - row(center, x)) / row(scale, x)
  }

  /// Data back on the scale it came from: `x · scale + center`.
  ///
  /// - Parameter x: `[..., features]`.
  public func inverseTransform(_ x: Tensor) -> Tensor {
    guard hasFeatures(x) else { return x }
    return x * row(scale, x) + row(center, x)
  }

  /// The scaler of some of the features, to bring a prediction of these back.
  ///
  /// - Parameter features: Their places, in the order wanted.
  public func selecting(_ features: [Int]) -> AffineScaler {
    precondition(features.allSatisfy(center.indices.contains), "features \(features) of \(center.count)")
    return AffineScaler(center: features.map { center[$0] }, scale: features.map { scale[$0] })
  }

  private func row(_ numbers: [Double], _ x: Tensor) -> Tensor { Tensor(numbers).converted(to: x.elementType) }

  private func hasFeatures(_ x: Tensor) -> Bool {
    if x.rank > 0, x.shape.last == center.count, x.elementType.isFloatingPoint { return true }
    TensorError(
      operation: "scaler", operands: [TensorType(x.shape, x.elementType)],
      problem: "data for a scaler of \(center.count) features", expected: "floating-point [..., \(center.count)]"
    ).report()
    return false
  }
}

/// An affine map with given numbers.
public struct AffineScaler: Scaler {
  /// What is subtracted from each feature.
  public let center: [Double]
  /// What each feature is divided by then.
  public let scale: [Double]

  /// A map of as many features as there are numbers.
  public init(center: [Double], scale: [Double]) {
    precondition(center.count == scale.count, "a center and a scale for each feature")
    self.center = center
    self.scale = scale
  }
}

/// Mean 0 and variance 1: `(x - mean) / √variance`, with the variance of the data itself, not an estimate of another's.
/// A feature that does not vary is divided by 1. Scikit-learn's `StandardScaler`.
public struct StandardScaler: Scaler {
  /// The mean of each feature.
  public let center: [Double]
  /// The standard deviation of each feature.
  public let scale: [Double]

  /// The scaler of some data.
  ///
  /// - Parameter data: `[..., features]`.
  public init(fitting data: Tensor) {
    let features = FeatureColumns(data, "StandardScaler").columns
    let means = features.map { $0.isEmpty ? 0 : $0.reduce(0, +) / Double($0.count) }
    center = means
    scale = zip(features, means).map { column, mean in
      let squares = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return nonZero((squares / Double(max(column.count, 1))).squareRoot(), near: mean)
    }
  }
}

/// The smallest number to `lower` and the largest to `upper`. A feature that does not vary goes to `lower`. Scikit-learn's
/// `MinMaxScaler`.
public struct MinMaxScaler: Scaler {
  /// What is subtracted from each feature.
  public let center: [Double]
  /// What each feature is divided by then.
  public let scale: [Double]

  /// The scaler of some data.
  ///
  /// - Parameters:
  ///   - data: `[..., features]`.
  ///   - lower: Where the smallest number goes; 0 by default.
  ///   - upper: Where the largest number goes; 1 by default.
  public init(fitting data: Tensor, from lower: Double = 0, to upper: Double = 1) {
    precondition(lower < upper, "MinMaxScaler: from \(lower) to \(upper)")
    let features = FeatureColumns(data, "MinMaxScaler").columns
    let bounds = features.map { (low: $0.min() ?? 0, high: $0.max() ?? 0) }
    let scales = bounds.map { nonZero($0.high - $0.low, near: $0.low) / (upper - lower) }
    scale = scales
    // (x - low) / s + lower, as one difference and one quotient.
    center = zip(bounds, scales).map { $0.low - lower * $1 }
  }
}

/// Median 0 and interquartile range 1, which few far numbers cannot move: `(x - median) / (q₃ - q₁)`. Quantiles between two
/// numbers are interpolated. A feature without a range is divided by 1. Scikit-learn's `RobustScaler`.
public struct RobustScaler: Scaler {
  /// The median of each feature.
  public let center: [Double]
  /// The interquartile range of each feature.
  public let scale: [Double]

  /// The scaler of some data.
  ///
  /// - Parameter data: `[..., features]`.
  public init(fitting data: Tensor) {
    let features = FeatureColumns(data, "RobustScaler").columns.map { $0.sorted() }
    center = features.map { Self.quantile(0.5, of: $0) }
    scale = features.map { nonZero(Self.quantile(0.75, of: $0) - Self.quantile(0.25, of: $0), near: $0.last ?? 0) }
  }

  private static func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.last else { return 0 }
    let place = fraction * Double(sorted.count - 1)
    let index = Int(place)
    guard index + 1 < sorted.count else { return last }
    return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
  }
}

/// A range that is nothing but rounding is no range: then the divisor is 1.
private func nonZero(_ range: Double, near number: Double) -> Double {
  range <= 10 * .ulpOfOne * abs(number) ? 1 : range
}

/// The numbers of each feature, without those that are NaN.
private struct FeatureColumns {
  var columns: [[Double]]

  init(_ data: Tensor, _ name: String) {
    guard data.rank > 0, data.shape.last > 0, data.elementType.isNumeric else {
      TensorError(
        operation: name, operands: [TensorType(data.shape, data.elementType)], problem: "data without features",
        expected: "numbers [..., features]"
      ).report()
      columns = []
      return
    }
    let count = data.shape.last
    columns = Array(repeating: [], count: count)
    for (place, number) in data.numbers.enumerated() where !number.isNaN { columns[place % count].append(number) }
  }
}

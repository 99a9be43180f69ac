import Reel

// Losses of signs, margins and distributions.

extension Loss {
  /// The mean over the last axis of max(1 - y·p, 0), for labels y of -1 and 1. Keras's `Hinge`.
  ///
  /// If all labels of a call are 0 or 1 they are taken as -1 and 1.
  public static let hinge = elementwise("hinge") { margin($0, $1) }

  /// The mean over the last axis of max(1 - y·p, 0)², for labels as ``hinge`` takes them. Keras's `SquaredHinge`.
  public static let squaredHinge = elementwise("squaredHinge") { predicted, expected in
    let margin = margin(predicted, expected)
    return margin * margin
  }

  private static func margin(_ predicted: Tensor, _ expected: Tensor) -> Tensor {
    let isBinary = ((expected .== 0) .| (expected .== 1)).all()
    let signs = select(isBinary, 2 * expected - 1, expected)
    return maximum(1 - signs * predicted, 0)
  }

  /// max(1 + max (1 - y)·p - Σ y·p, 0) along the last axis, for one-hot labels y: how far the score of the right class is
  /// from being the best one by 1. Keras's `CategoricalHinge`.
  public static let categoricalHinge = Loss("categoricalHinge") { predicted, expected in
    guard let (predicted, expected) = distributed(predicted, expected, axis: -1) else { return .zeros([]) }
    let right = (expected * predicted).sum(along: [-1])
    let best = ((1 - expected) * predicted).max(along: [-1])
    return maximum(best - right + 1, 0)
  }

  /// Σ y·log(y / p) along the last axis, for distributions y and p, kept between 10⁻⁷ and 1. Kullback and Leibler, "On
  /// information and sufficiency" (1951); Keras's `KLDivergence`.
  public static let klDivergence = Loss("klDivergence") { predicted, expected in
    guard let (predicted, expected) = distributed(predicted, expected, axis: -1) else { return .zeros([]) }
    let p = minimum(maximum(predicted, 1e-7), 1)
    let y = minimum(maximum(expected, 1e-7), 1)
    return (y * log(y / p)).sum(along: [-1])
  }
}

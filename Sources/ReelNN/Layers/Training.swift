import Reel

/// Whether layers behave as in training: dropout drops, normalisation looks at the batch.
///
/// A gradient by the parameters of a model is taken in training (``valueWithGradient(of:training:_:)``); everything else is
/// inference, unless ``withTraining(_:_:)`` says otherwise. A `compiled` function is staged for each of the two.
public enum Training {
  /// Whether the running code is a part of training; false where nothing says so.
  public static var isActive: Bool { Recording.isTraining }
}

/// Runs `body` with layers in training, or in inference.
///
/// - Parameters:
///   - isActive: Whether it is training; true by default.
///   - body: What calls layers.
public func withTraining<Result>(_ isActive: Bool = true, _ body: () throws -> Result) rethrows -> Result {
  try Recording.$isTraining.withValue(isActive, operation: body)
}

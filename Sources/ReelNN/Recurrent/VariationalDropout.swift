import Reel
import Synchronization

/// Dropout whose mask is drawn once for each call of a recurrent layer, and shared by its steps.
///
///     struct Cell: RecurrentCell {
///       let dropout = VariationalDropout(0.2)
///       func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) { … dropout(h) … }
///
/// In training, elements are 0 with probability `rate` and else 1 / (1 - rate) times what they were; in inference nothing
/// changes. How the layer's loop is unrolled does not change the mask. Gal and Ghahramani, "A theoretically grounded
/// application of dropout in recurrent neural networks" (2016); Keras's `dropout` and `recurrent_dropout`.
public final class VariationalDropout: Sendable {
  /// The probability of an element to be dropped.
  public let rate: Double

  /// - Parameter rate: The probability of an element to be dropped, in 0...1.
  public init(_ rate: Double) {
    precondition((0...1).contains(rate), "dropout with rate \(rate), which is not in 0...1")
    self.rate = rate
  }

  /// Whether anything is dropped.
  var isActive: Bool { rate > 0 && Training.isActive }

  /// Applies one of the masks of the call that is running, drawn anew where no recurrent layer is.
  ///
  /// - Parameters:
  ///   - x: What to drop from; the mask has its shape.
  ///   - index: Which mask, for a cell with several, such as one for each gate; 0 by default.
  public func callAsFunction(_ x: Tensor, mask index: Int = 0) -> Tensor {
    guard isActive else { return x }
    let draw = { [rate] in dropoutMask(x.shape, rate: rate, elementType: x.elementType) }
    return x * (RecurrentCall.current?.shared(ObjectIdentifier(self), index, draw) ?? draw())
  }
}

/// 0 with probability `rate`, else 1 / (1 - rate).
func dropoutMask(_ shape: Shape, rate: Double, elementType: ElementType) -> Tensor {
  guard rate < 1 else { return .zeros(shape, elementType: elementType) }
  let kept = Tensor(repeating: 1 / (1 - rate), shape: [], elementType: elementType)
  return select(.randomUniform(shape, elementType: elementType) .< Tensor(rate).converted(to: elementType), 0, kept)
}

/// One call of a recurrent layer: what its steps share.
final class RecurrentCall: Sendable {
  @TaskLocal static var current: RecurrentCall?

  private struct Key: Hashable {
    let owner: ObjectIdentifier
    let index: Int
  }

  /// Where the layer is called, which is outside its loop.
  private let tape = Recording.tape
  private let known = Mutex<[Key: Tensor]>([:])

  /// What the first step makes; it is made outside the loop.
  func shared(_ owner: ObjectIdentifier, _ index: Int, _ make: () -> Tensor) -> Tensor {
    let key = Key(owner: owner, index: index)
    if let known = known.withLock({ $0[key] }) { return known }
    let made = Recording.$tape.withValue(tape, operation: make)
    known.withLock { $0[key] = made }
    return made
  }
}

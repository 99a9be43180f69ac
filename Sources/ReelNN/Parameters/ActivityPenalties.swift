import Reel
import Synchronization

/// Penalties on what layers give, which reach the loss by a side door: a layer deep in a model adds them, and the gradient
/// around the model collects them.
final class ActivityPenalties: Sendable {
  @TaskLocal private static var current: ActivityPenalties?

  private let penalties = Mutex<[Tensor]>([])

  /// Runs a computation and adds to its value what layers in it ask for.
  static func added(to computation: () -> Tensor) -> Tensor {
    let collected = ActivityPenalties()
    let value = $current.withValue(collected, operation: computation)
    return collected.penalties.withLock { $0 }.reduce(value, +)
  }

  /// Adds the penalty on an output, divided by the extent of its first axis, as Keras does.
  static func add(_ regularizer: Regularizer?, on output: Tensor) {
    guard let regularizer, let current, output.rank > 0 else { return }
    let penalty = regularizer(output) / Tensor(Double(output.shape[0])).converted(to: output.elementType)
    current.penalties.withLock { $0.append(penalty) }
  }
}

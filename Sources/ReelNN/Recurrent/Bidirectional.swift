import Reel

/// Two recurrent layers along one sequence, one from its start and one from its end: Schuster and Paliwal, "Bidirectional
/// recurrent neural networks" (1997).
///
///     Bidirectional(LSTM(24, returnSequences: true))
///     Bidirectional(LSTM(24), backward: GRU(16), merge: .concat)
///
/// With `returnSequences` the outputs of the second layer are put in the order of the sequence before they are merged;
/// without, its output is that after the first element. Keras's `Bidirectional`; the layers may differ in kind and size.
public struct Bidirectional<Forward: RecurrentCell, Backward: RecurrentCell>: Layer {
  /// How the outputs of the two layers become one.
  public enum Merge: Sendable {
    /// Side by side along the last axis, the forward layer's first.
    case concat
    /// Added.
    case sum
    /// Multiplied.
    case multiply
    /// The mean of the two.
    case average
  }

  /// The layer that goes along the sequence.
  public let forward: RNN<Forward>
  /// The layer that goes against it.
  public let backward: RNN<Backward>
  /// How the outputs become one; nil leaves them two, for ``outputs(of:initialState:)``.
  public let merge: Merge?

  /// - Parameters:
  ///   - layer: The forward layer.
  ///   - backward: The backward layer, of any kind and size. It goes against the other, whatever its `goBackwards` says, and
  ///     has the same `returnSequences`.
  ///   - merge: How the outputs become one; ``Merge/concat`` by default, and two if nil.
  public init(_ layer: RNN<Forward>, backward: RNN<Backward>, merge: Merge? = .concat) {
    precondition(
      layer.returnSequences == backward.returnSequences && layer.returnState == backward.returnState
        && layer.isStateful == backward.isStateful,
      "Bidirectional: both layers need the same returnSequences, returnState and stateful")
    let shared = Set(layer.parameters.map { ObjectIdentifier($0.parameter) })
    precondition(
      !backward.parameters.contains { shared.contains(ObjectIdentifier($0.parameter)) },
      """
      Bidirectional: both directions have the same parameters; write the layer in place, so that it is made twice, or \
      pass another with backward:
      """)
    var (forward, backward) = (layer, backward)
    backward.goBackwards = !forward.goBackwards
    forward.zeroOutputForMask = forward.returnSequences
    backward.zeroOutputForMask = forward.returnSequences
    self.forward = forward
    self.backward = backward
    self.merge = merge
  }

  /// Applies both layers to `[batch, time, features]` and merges their outputs.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, initialState: nil).output }

  /// Applies both layers, and gives the last state of each too.
  ///
  /// - Parameters:
  ///   - x: The sequence. Its mask says which steps count.
  ///   - initialState: The states before the first step of each layer; their own if nil.
  public func callAsFunction(
    _ x: Tensor, initialState: Pair<Forward.State, Backward.State>?
  ) -> (output: Tensor, state: Pair<Forward.State, Backward.State>) {
    let (first, second, state) = applied(to: x, initialState)
    guard let merge else {
      inOwnScope {
        TensorError(
          operation: layerName, problem: "a layer with merge: nil has two outputs, and one is asked for",
          expected: "outputs(of:), which gives both, or a way to merge them"
        ).report()
      }
      return (first, state)
    }
    return (inOwnScope { merge(first, second) }.withMask(forward.returnSequences ? x.mask : nil), state)
  }

  /// The outputs as Keras lists them: the merged output, or both with `merge: nil`, and with `returnState` the tensors of the
  /// forward state and of the backward state after them.
  ///
  /// - Parameters:
  ///   - x: The sequence, `[batch, time, features]`.
  ///   - initialState: The states before the first step of each layer; their own if nil.
  public func outputs(of x: Tensor, initialState: Pair<Forward.State, Backward.State>? = nil) -> [Tensor] {
    let (first, second, state) = applied(to: x, initialState)
    let outputs = merge.map { merge in [inOwnScope { merge(first, second) }] } ?? [first, second]
    return outputs + (forward.returnState ? state.tensors : [])
  }

  private func applied(
    to x: Tensor, _ initialState: Pair<Forward.State, Backward.State>?
  ) -> (Tensor, Tensor, Pair<Forward.State, Backward.State>) {
    inOwnScope {
      let (first, state) = Recording.inScope("forward") { forward(x, initialState: initialState?.first) }
      let (second, otherState) = Recording.inScope("backward") { backward(x, initialState: initialState?.second) }
      let isSequence = forward.returnSequences && second.rank > 1
      return (first, isSequence ? second.reversed(along: 1) : second, Pair(state, otherState))
    }
  }
}

extension Bidirectional where Forward == Backward {
  /// Two layers that are alike, with parameters of their own.
  ///
  /// - Parameters:
  ///   - layer: The layer, written in place: it is made twice, once for each direction.
  ///   - merge: How the outputs become one; ``Merge/concat`` by default, and two if nil.
  public init(_ layer: @autoclosure () -> RNN<Forward>, merge: Merge? = .concat) {
    self.init(layer(), backward: layer(), merge: merge)
  }
}

extension Bidirectional.Merge {
  /// The outputs of both layers as one; reports outputs that do not fit.
  fileprivate func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    guard a.shape == b.shape || self == .concat else {
      TensorError(
        operation: "bidirectional", problem: "outputs of shapes \(a.shape) and \(b.shape), to be merged by \(self)",
        expected: "layers with the same units, or merge: .concat"
      ).report()
      return a
    }
    switch self {
    case .concat: return concatenated([a, b], along: -1)
    case .sum: return a + b
    case .multiply: return a * b
    case .average: return (a + b) / 2
    }
  }
}

extension Bidirectional: NamedLayer {
  package var layerName: String { "bidirectional" }
}

import Reel
import Synchronization

/// Sums that grow from batch to batch: the state of every metric.
///
/// They are `float64` variables, so that counts stay exact, and updates are staged with whatever they are part of.
final class RunningSums: Sendable {
  private let variables = Mutex<[Variable]>([])
  private let name: String

  init(name: String) { self.name = name }

  /// The sums by now; nil before the first update.
  var values: [Tensor]? {
    let variables = variables.withLock { $0 }
    return variables.isEmpty ? nil : variables.map(\.value)
  }

  /// Adds terms of the same shapes as all before.
  func add(_ terms: [Tensor]) {
    // What comes after an error has the shapes of placeholders.
    if Recording.boundary?.hasFailed == true { return }
    let variables = variables.withLock { variables in
      if variables.isEmpty {
        variables = terms.indices.map { index in
          Variable(.zeros(terms[index].shape, elementType: .float64), name: "\(name).\(index)")
        }
      }
      return variables
    }
    guard variables.map(\.value.shape) == terms.map(\.shape) else {
      TensorError(
        operation: name, problem: "sums of shapes \(terms.map(\.shape)) after sums of shapes \(values!.map(\.shape))",
        expected: "as many classes or outputs in every update"
      ).report()
      return
    }
    for (variable, term) in zip(variables, terms) { variable.value = variable.value + term.converted(to: .float64) }
  }

  /// The sums by now, outside of any recording; none before the first update. Assigning them goes on from there.
  var stored: [Tensor] {
    get { variables.withLock { $0 }.map(\.concrete) }
    set {
      let known = variables.withLock { variables in
        if variables.isEmpty {
          variables = newValue.enumerated().map { Variable($1, name: "\(name).\($0)") }
        }
        return variables
      }
      if newValue.isEmpty { return reset() }
      for (variable, sum) in zip(known, newValue) { variable.concrete = sum }
    }
  }

  /// Starts again from 0.
  func reset() {
    for variable in variables.withLock({ $0 }) { variable.value = .zeros(like: variable.value) }
  }
}

/// What the samples of an update of a metric count.
public struct MetricWeights: Sendable {
  let sampleWeight: Tensor?
  let mask: Tensor?

  /// The weights of some entries, of the shape and element type of these: sample weights times mask, aligned at the batch
  /// and repeated along the axes that they lack. All 1 if there are none.
  public func callAsFunction(of entries: Tensor) -> Tensor {
    (optional(of: entries) ?? 1).converted(to: entries.elementType).broadcasted(to: entries.shape)
  }

  /// The same; nil if all are 1.
  func optional(of entries: Tensor) -> Tensor? {
    EntryWeights(
      sampleWeight: sampleWeight, masks: [mask], of: entries, in: Recording.path.last ?? "metric"
    )?.product?.broadcasted(to: entries.shape)
  }
}

/// Σ w·v and Σ w over the samples: what a weighted mean is made of. A sample of many entries counts as one.
func weightedMeanTerms(_ values: Tensor, _ weights: MetricWeights) -> [Tensor] {
  let batch = Tensor.constant(values.rank == 0 ? 1 : Double(values.shape[0]))
  guard let weight = weights.optional(of: values) else {
    return [values.mean() * batch, batch.converted(to: values.elementType)]
  }
  return [(values * weight).mean() * batch, weight.mean() * batch]
}

import Reel

/// A parameter as PyTorch has it: other names, transposed, gates in another order, biases in two parts.
struct PyTorchForm {
  /// A tensor of PyTorch's, and the extents it must have; nil for one that is not known.
  struct Part {
    let name: String
    let extents: [Int?]
  }

  let parameter: Parameter
  let parts: [Part]
  /// From PyTorch's tensors to the parameter's value.
  let read: ([Tensor]) -> Tensor
  /// From the parameter's value to PyTorch's tensors.
  let write: (Tensor) -> [Tensor]

  init(
    _ parameter: Parameter, _ parts: [Part], read: @escaping ([Tensor]) -> Tensor,
    write: @escaping (Tensor) -> [Tensor]
  ) {
    self.parameter = parameter
    self.parts = parts
    self.read = read
    self.write = write
  }

  /// A matrix `[outputs, inputs]` that is the transpose of a kernel; its rows may be gates in another order.
  static func matrix(
    _ parameter: Parameter, _ name: String, _ extents: [Int?], gates: GateOrder = .same
  ) -> PyTorchForm {
    PyTorchForm(parameter, [Part(name: name, extents: extents)]) {
      gates.exchanged($0[0]).transposed()
    } write: {
      [gates.exchanged($0.transposed())]
    }
  }

  /// A tensor that is the same in both.
  static func same(_ parameter: Parameter, _ name: String, _ extents: [Int?]) -> PyTorchForm {
    PyTorchForm(parameter, [Part(name: name, extents: extents)], read: { $0[0] }, write: { [$0] })
  }
}

/// The order of the gates along the leading axis.
enum GateOrder {
  /// As in Reel: an LSTM's i, f, c (PyTorch's g), o.
  case same
  /// A GRU's: r, z, n in PyTorch and z, r, h in Reel.
  case firstTwoExchanged

  /// The rows in the other order; the same step leads there and back.
  func exchanged(_ rows: Tensor) -> Tensor {
    guard self == .firstTwoExchanged else { return rows }
    let (first, second, rest): (Tensor, Tensor, Tensor) = rows.split(into: 3, along: 0)
    return concatenated([second, first, rest], along: 0)
  }
}

// MARK: - Layers

/// A module of parameters that PyTorch has too.
protocol PyTorchConvertible {
  /// The parameters in PyTorch's form.
  ///
  /// - Parameter suffix: What PyTorch puts behind the names of recurrent weights: `_l0`, `_l1_reverse`.
  func pyTorchForms(suffix: String) throws(DataError) -> [PyTorchForm]
}

/// A recurrent layer, or one that holds several, as the cells that PyTorch numbers.
protocol PyTorchRecurrent {
  /// For each layer the cell of each direction.
  var cellsByLayer: [[any RecurrentCell]] { get }
}

extension RNN: PyTorchRecurrent {
  var cellsByLayer: [[any RecurrentCell]] { (cell as? StackedRNNCells)?.cells.map { [$0] } ?? [[cell]] }
}

extension Bidirectional: PyTorchRecurrent {
  var cellsByLayer: [[any RecurrentCell]] { [[forward.cell, backward.cell]] }
}

extension Dense: PyTorchConvertible {
  func pyTorchForms(suffix: String) -> [PyTorchForm] {
    [.matrix(kernel, "weight", [units, nil])] + (useBias ? [.same(bias, "bias", [units])] : [])
  }
}

extension Embedding: PyTorchConvertible {
  func pyTorchForms(suffix: String) -> [PyTorchForm] {
    [.same(embeddings, "weight", [inputDimension, outputDimension])]
  }
}

extension SimpleRNNCell: PyTorchConvertible {
  func pyTorchForms(suffix: String) -> [PyTorchForm] {
    recurrentForms(kernel, recurrentKernel, gates: 1, units: units, suffix: suffix)
      + (useBias ? [summedBiases(bias, units, suffix: suffix)] : [])
  }
}

extension LSTMCell: PyTorchConvertible {
  func pyTorchForms(suffix: String) -> [PyTorchForm] {
    recurrentForms(kernel, recurrentKernel, gates: 4, units: units, suffix: suffix)
      + (useBias ? [summedBiases(bias, 4 * units, suffix: suffix)] : [])
  }
}

extension ProjectedLSTMCell: PyTorchConvertible {
  func pyTorchForms(suffix: String) -> [PyTorchForm] {
    var forms = recurrentForms(kernel, recurrentKernel, gates: 4, units: units, inputs: projection, suffix: suffix)
    if useBias { forms.append(summedBiases(bias, 4 * units, suffix: suffix)) }
    if let projection { forms.append(.matrix(projectionKernel, "weight_hr\(suffix)", [projection, units])) }
    return forms
  }
}

extension GRUCell: PyTorchConvertible {
  func pyTorchForms(suffix: String) throws(DataError) -> [PyTorchForm] {
    guard resetAfter else {
      throw DataError(path: "PyTorch", problem: "has no GRU with resetAfter: false")
    }
    let gates = GateOrder.firstTwoExchanged
    var forms = recurrentForms(kernel, recurrentKernel, gates: 3, units: units, suffix: suffix, order: gates)
    if useBias {
      let parts = ["bias_ih\(suffix)", "bias_hh\(suffix)"].map { PyTorchForm.Part(name: $0, extents: [3 * units]) }
      forms.append(
        PyTorchForm(bias, parts) {
          stacked($0.map(gates.exchanged))
        } write: {
          [gates.exchanged($0[0]), gates.exchanged($0[1])]
        })
    }
    return forms
  }
}

private func recurrentForms(
  _ kernel: Parameter, _ recurrentKernel: Parameter, gates: Int, units: Int, inputs: Int? = nil, suffix: String,
  order: GateOrder = .same
) -> [PyTorchForm] {
  [
    .matrix(kernel, "weight_ih\(suffix)", [gates * units, nil], gates: order),
    .matrix(recurrentKernel, "weight_hh\(suffix)", [gates * units, inputs ?? units], gates: order),
  ]
}

/// PyTorch adds two biases where one would do: they are read as their sum, and written as it and zeros.
private func summedBiases(_ bias: Parameter, _ count: Int, suffix: String) -> PyTorchForm {
  let parts = ["bias_ih\(suffix)", "bias_hh\(suffix)"].map { PyTorchForm.Part(name: $0, extents: [count]) }
  return PyTorchForm(bias, parts, read: { $0[0] + $0[1] }, write: { [$0, .zeros(like: $0)] })
}

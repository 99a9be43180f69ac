import ExampleSupport
import Reel
import ReelNN

/// The cells that are measured.
enum CellName: String, CaseIterable {
  case lstm
  case lstmGates = "lstm-gates"
  case lstmNorm = "lstm-norm"
  case gru, rnn, mgu

  func cell(units: Int, _ options: CellOptions = CellOptions()) -> any RecurrentCell {
    let activation = options.activation.activation
    return switch self {
    case .lstm:
      LSTMCell(
        units, activation: activation, dropout: options.dropout, recurrentDropout: options.recurrentDropout,
        implementation: options.implementation)
    case .lstmGates: SeparateGatesLSTM(units: units)
    case .lstmNorm: LayerNormLSTMCell(units)
    case .gru:
      GRUCell(
        units, activation: activation, dropout: options.dropout, recurrentDropout: options.recurrentDropout,
        implementation: options.implementation)
    case .rnn:
      SimpleRNNCell(
        units, activation: activation, dropout: options.dropout, recurrentDropout: options.recurrentDropout)
    case .mgu: MinimalGatedUnit(units: units)
    }
  }
}

/// What the built-in cells can be told.
struct CellOptions {
  enum ActivationName: String, CaseIterable {
    case tanh, sigmoid, relu, silu, softsign, hardSigmoid, linear

    var activation: Activation {
      switch self {
      case .tanh: .tanh
      case .sigmoid: .sigmoid
      case .relu: .relu
      case .silu: .silu
      case .softsign: .softsign
      case .hardSigmoid: .hardSigmoid
      case .linear: .linear
      }
    }
  }

  static let names = ["--dropout", "--recurrent-dropout", "--activation", "--implementation"]

  private(set) var dropout = 0.0
  private(set) var recurrentDropout = 0.0
  private(set) var activation = ActivationName.tanh
  private(set) var implementation = 2

  init() {}

  init(_ arguments: Arguments, for cell: CellName) throws {
    let known: [String] =
      switch cell {
      case .lstm, .gru: Self.names
      case .rnn: Self.names.dropLast()
      case .lstmGates, .lstmNorm, .mgu: []
      }
    for name in Self.names where arguments.has(name) && !known.contains(name) {
      throw Arguments.Problem(description: "the cell \(cell.rawValue) has no option \(name)")
    }
    dropout = try arguments.probability("--dropout")
    recurrentDropout = try arguments.probability("--recurrent-dropout")
    activation = try arguments.choice("--activation", default: .tanh)
    implementation = try arguments.count("--implementation", default: 2, atMost: 2)
  }

  func add(to report: inout Report) {
    report.add("dropout", dropout)
    report.add("recurrent_dropout", recurrentDropout)
    report.add("activation", activation.rawValue)
    report.add("implementation", implementation)
  }
}

import Foundation
import Reel

/// The list of golden cases in a folder: what `index.json` says.
public struct GoldenIndex: Decodable, Sendable {
  /// The version of the format.
  public let format: Int
  /// What computed the values: `keras` or `torch`.
  public let backend: String
  /// The cases.
  public let cases: [GoldenCase]

  /// Reads `index.json` of a folder.
  public init(folder: URL) throws {
    let data = try Data(contentsOf: folder.appendingPathComponent("index.json"))
    self = try JSONDecoder().decode(Self.self, from: data)
  }
}

/// One golden case: what was computed, with which settings, and how close a result has to come.
public struct GoldenCase: Decodable, Sendable {
  /// How far a number may be away: `|found - expected| <= absolute + relative * |expected|`.
  public struct Tolerance: Decodable, Hashable, Sendable {
    /// Times the expected number.
    public let relative: Double
    /// Whatever the expected number is.
    public let absolute: Double

    enum CodingKeys: String, CodingKey {
      case relative = "rtol"
      case absolute = "atol"
    }
  }

  /// The type of a tensor in the file.
  public struct Specification: Decodable, Hashable, Sendable {
    /// The name of the element type in the safetensors format.
    public let elementType: String
    /// The shape.
    public let shape: Shape

    /// Decodes `["F32", [2, 3]]`.
    public init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      elementType = try container.decode(String.self)
      shape = Shape(try container.decode([Int].self))
    }
  }

  /// Every k-th element of a tensor that is too large to be stored.
  public struct Sample: Decodable, Sendable {
    /// The shape of the whole tensor.
    public let shape: [Int]
    /// k.
    public let stride: Int
    /// How many are stored.
    public let count: Int
  }

  /// A tensor that is made by formula.
  public struct Formula: Decodable, Sendable {
    /// What the numbers depend on.
    public let key: String
    /// The shape.
    public let shape: [Int]
    /// The largest size of a number.
    public let scale: Double
  }

  /// The name of the case.
  public let name: String
  /// The safetensors file beside the index.
  public let file: String
  /// What kind of case it is: `layer`, `loss`, `optimizer`, …
  public let kind: String
  /// A file with the bare weights, if there is one.
  public let checkpoint: String?
  /// The class that was run.
  public let layer: String
  /// `float32` or `float64`.
  public let dtype: String
  /// Every setting, by its name in Keras or PyTorch.
  public let config: JSONValue
  /// The tensors of the file, by role.
  public let inputs, weights, cotangents, outputs: [String: Specification]
  /// The names of the gradients in the file.
  public let gradients: [String]
  /// Pairs of an output and its cotangent, or a sentence.
  public let objective: JSONValue
  /// The tolerance of the case.
  public let tolerance: Tolerance
  /// Exceptions for single tensors.
  public let tolerances: [String: Tolerance]
  /// The loss and the optimizer of a model.
  public let loss, optimizer: JSONValue
  /// How a layer is called: `training`, the number of `batches`, `reset_before_batch`.
  public let call: JSONValue
  /// Keras's number of parameters of a model.
  public let parameterCount: Int?
  /// The number of steps of an optimizer.
  public let steps: Int?
  /// The activation that made the predictions of a loss out of `logits`.
  public let activation: String?
  /// Tensors that are made by formula, and tensors stored in part.
  public let formulas: [String: Formula], samples: [String: Sample]

  private enum CodingKeys: String, CodingKey {
    case name, file, kind, checkpoint, layer, dtype, config, inputs, weights, cotangents, outputs, gradients, objective
    case tolerance, tolerances, loss, optimizer, call, parameterCount = "count_params", steps, activation
    case formulas = "formula_weights", samples
  }

  /// Decodes a case; what it does not have is empty.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func optional<Value: Decodable>(_ key: CodingKeys, or value: Value) throws -> Value {
      try container.decodeIfPresent(Value.self, forKey: key) ?? value
    }
    name = try container.decode(String.self, forKey: .name)
    file = try container.decode(String.self, forKey: .file)
    kind = try container.decode(String.self, forKey: .kind)
    checkpoint = try container.decodeIfPresent(String.self, forKey: .checkpoint)
    layer = try container.decode(String.self, forKey: .layer)
    dtype = try container.decode(String.self, forKey: .dtype)
    config = try container.decode(JSONValue.self, forKey: .config)
    inputs = try optional(.inputs, or: [:])
    weights = try optional(.weights, or: [:])
    cotangents = try optional(.cotangents, or: [:])
    outputs = try container.decode([String: Specification].self, forKey: .outputs)
    gradients = try optional(.gradients, or: [])
    objective = try optional(.objective, or: .null)
    tolerance = try container.decode(Tolerance.self, forKey: .tolerance)
    tolerances = try optional(.tolerances, or: [:])
    loss = try optional(.loss, or: .null)
    optimizer = try optional(.optimizer, or: .null)
    call = try optional(.call, or: .null)
    parameterCount = try container.decodeIfPresent(Int.self, forKey: .parameterCount)
    steps = try container.decodeIfPresent(Int.self, forKey: .steps)
    activation = try container.decodeIfPresent(String.self, forKey: .activation)
    formulas = try optional(.formulas, or: [:])
    samples = try optional(.samples, or: [:])
  }

  /// The element type of everything that is computed.
  public var elementType: ElementType { dtype == "float64" ? .float64 : .float32 }

  /// The tolerance of a tensor of the file.
  public func tolerance(of tensor: String) -> Tolerance { tolerances[tensor] ?? tolerance }
}

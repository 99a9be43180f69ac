import Reel
import ReelNN
import ReelTestSupport

// The layers around the recurrent ones, from Keras's classes and settings.

/// What makes a layer from its settings, by class.
private let makers: [String: @Sendable (JSONValue) throws -> any Layer<Tensor, Tensor>] = [
  "Conv1D": makeConvolution,
  "MaxPooling1D": { config in
    let pool = try Pool(config)
    return MaxPooling1D(pool.size, strides: pool.strides, padding: pool.padding)
  },
  "AveragePooling1D": { config in
    let pool = try Pool(config)
    return AveragePooling1D(pool.size, strides: pool.strides, padding: pool.padding)
  },
  "GlobalMaxPooling1D": { GlobalMaxPooling1D(keepDimensions: try Settings(global: $0).truth("keepdims")) },
  "GlobalAveragePooling1D": { GlobalAveragePooling1D(keepDimensions: try Settings(global: $0).truth("keepdims")) },
  "Flatten": { config in
    _ = try Settings(config, known: ["data_format"])
    return Flatten()
  },
  "Reshape": { Reshape(try Settings($0, known: ["target_shape"]).integers("target_shape")) },
  "Permute": { Permute(try Settings($0, known: ["dims"]).integers("dims")) },
  "RepeatVector": { RepeatVector(try Settings($0, known: ["n"]).integer("n")) },
  "ZeroPadding1D": { config in
    let padding = try Settings(config, known: ["padding", "data_format"]).integers("padding")
    return ZeroPadding1D(before: padding[0], after: padding.last!)
  },
  "Cropping1D": { config in
    let cropping = try Settings(config, known: ["cropping", "data_format"]).integers("cropping")
    return Cropping1D(before: cropping[0], after: cropping.last!)
  },
  "UpSampling1D": { UpSampling1D(try Settings($0, known: ["size"]).integer("size")) },
  "Masking": { Masking(maskValue: try Settings($0, known: ["mask_value"]).number("mask_value")) },
  "Embedding": { config in
    let settings = try Settings(
      config,
      known: [
        "input_dim", "output_dim", "mask_zero", "embeddings_initializer", "embeddings_regularizer",
        "activity_regularizer", "embeddings_constraint",
      ])
    return Embedding(
      try settings.integer("input_dim"), try settings.integer("output_dim"), maskZero: settings.truth("mask_zero"),
      embeddingsRegularizer: try settings.regularizer("embeddings_regularizer"),
      activityRegularizer: try settings.regularizer("activity_regularizer"),
      embeddingsConstraint: try settings.constraint("embeddings_constraint"))
  },
  "Dropout": { Dropout(try Settings($0, known: ["rate"]).number("rate")) },
  "SpatialDropout1D": { SpatialDropout1D(try Settings($0, known: ["rate"]).number("rate")) },
  "GaussianNoise": { GaussianNoise(try Settings($0, known: ["stddev"]).number("stddev")) },
  "LayerNormalization": { config in
    let settings = try Settings(config, known: normalization.union(["rms_scaling"]))
    return LayerNormalization(
      axes: try settings.integers("axis"), epsilon: try settings.number("epsilon"), center: settings.truth("center"),
      scale: settings.truth("scale"), betaRegularizer: try settings.regularizer("beta_regularizer"),
      gammaRegularizer: try settings.regularizer("gamma_regularizer"),
      betaConstraint: try settings.constraint("beta_constraint"),
      gammaConstraint: try settings.constraint("gamma_constraint"))
  },
  "BatchNormalization": { config in
    let idle: Set = ["moving_mean_initializer", "moving_variance_initializer", "renorm_momentum"]
    let settings = try Settings(config, known: normalization.union(idle).union(["momentum"]))
    return BatchNormalization(
      axis: try settings.integer("axis"), momentum: try settings.number("momentum"),
      epsilon: try settings.number("epsilon"), center: settings.truth("center"), scale: settings.truth("scale"),
      betaRegularizer: try settings.regularizer("beta_regularizer"),
      gammaRegularizer: try settings.regularizer("gamma_regularizer"),
      betaConstraint: try settings.constraint("beta_constraint"),
      gammaConstraint: try settings.constraint("gamma_constraint"))
  },
]

private let normalization: Set = [
  "axis", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer", "beta_regularizer",
  "gamma_regularizer", "beta_constraint", "gamma_constraint",
]

/// A layer that is not recurrent by its Keras class and settings; nil if the class is none of these.
func makeCompanyLayer(
  _ className: String, _ config: JSONValue, unroll: Unroll
) throws -> (any Layer<Tensor, Tensor>)? {
  guard className == "TimeDistributed" else { return try makers[className]?(config) }
  _ = try Settings(config, known: ["layer"])
  func wrapped(_ layer: some Layer<Tensor, Tensor>) -> any Layer<Tensor, Tensor> { TimeDistributed(layer) }
  let (name, settings) = (config["layer"]?["class_name"]?.string ?? "", config["layer"]?["config"] ?? .null)
  return wrapped(try makeLayer(name, settings, unroll: unroll))
}

private func makeConvolution(_ config: JSONValue) throws -> any Layer<Tensor, Tensor> {
  let settings = try Settings(
    config,
    known: [
      "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups", "activation",
      "use_bias",
    ])
  return Conv1D(
    try settings.integer("filters"), kernelSize: try settings.integers("kernel_size")[0],
    strides: try settings.integers("strides")[0], padding: try settings.padding("padding"),
    dilationRate: try settings.integers("dilation_rate")[0], groups: try settings.integer("groups"),
    activation: try settings.activation("activation"), useBias: settings.truth("use_bias"),
    kernelRegularizer: try settings.regularizer("kernel_regularizer"),
    biasRegularizer: try settings.regularizer("bias_regularizer"),
    activityRegularizer: try settings.regularizer("activity_regularizer"),
    kernelConstraint: try settings.constraint("kernel_constraint"),
    biasConstraint: try settings.constraint("bias_constraint"))
}

private struct Pool {
  let size, strides: Int
  let padding: WindowPadding

  init(_ config: JSONValue) throws {
    let settings = try Settings(config, known: ["pool_size", "strides", "padding", "data_format"])
    size = try settings.integers("pool_size")[0]
    strides = try settings.integers("strides")[0]
    padding = try settings.padding("padding")
  }
}

extension Settings {
  fileprivate init(global config: JSONValue) throws {
    try self.init(config, known: ["data_format", "keepdims"])
  }

  /// A list of integers, or one alone as a list.
  fileprivate func integers(_ key: String) throws -> [Int] {
    let list = self[key].array ?? [self[key]]
    let integers = list.compactMap(\.integer)
    guard integers.count == list.count, !integers.isEmpty else { throw UnknownSetting("\(key) = \(self[key])") }
    return integers
  }

  fileprivate func padding(_ key: String) throws -> WindowPadding {
    switch self[key].string {
    case "valid": .valid
    case "same": .same
    case "causal": .causal
    default: throw UnknownSetting("\(key) = \(self[key])")
    }
  }
}

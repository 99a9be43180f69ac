import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Mistakes with models: what is given to `fit`, `evaluate` and `predict`, and callbacks that cannot do their work.
enum TrainingMistakes {
  private typealias Samples = TrainingSamples

  private static var x: Tensor { Samples.inputs(6) }
  private static var y: Tensor { Samples.classes(6) }

  /// A call of a model whose parameters are made.
  private static func mistake(
    _ what: String, _ message: String, _ call: @escaping @Sendable (Model<Sequential>) throws -> Void
  ) -> Mistake {
    Mistake(what, message) { _ in
      let model = Samples.model()
      try model.build(inputShape: [nil, 4, 3])
      let before = weightsOf(model.network)
      defer { #expect(weightsOf(model.network) == before, "\(what) changes the model") }
      try call(model)
    }
  }

  /// Found before anything is changed.
  static let arguments: [Mistake] =
    [
      mistake(
        "`fit` with fewer targets than inputs",
        "fit: y has 5 samples (shape [5]) and x has 6 (shape [6,4,3]); expected as many in each"
      ) { try $0.fit(x, y[0..<5], verbose: 0) },
      mistake(
        "`fit` with too few weights",
        "fit: sampleWeight has 2 samples (shape [2]) and x has 6 (shape [6,4,3]); expected as many in each"
      ) { try $0.fit(x, y, sampleWeight: .ones([2]), verbose: 0) },
      mistake("`fit` with truth values as weights", "fit: sampleWeight of type bool; expected numbers") {
        try $0.fit(x, y, sampleWeight: y .> 0, verbose: 0)
      },
      mistake("`fit` without batches", "fit: a batch size of 0; expected at least 1") {
        try $0.fit(x, y, batchSize: 0, verbose: 0)
      },
      mistake("`evaluate` with a negative batch size", "evaluate: a batch size of -1; expected at least 1") {
        try $0.evaluate(x, y, batchSize: -1, verbose: 0)
      },
      mistake("`predict` without batches", "predict: a batch size of 0; expected at least 1") {
        _ = try $0.predict(x, batchSize: 0, verbose: 0)
      },
      mistake("`fit` without samples", "fit: no samples: x has shape [0,4,3]; expected at least one") {
        try $0.fit(.zeros([0, 4, 3]), Tensor([Int32]()), verbose: 0)
      },
      mistake("`predict` without samples", "predict: no samples: x has shape [0,4,3]; expected at least one") {
        _ = try $0.predict(.zeros([0, 4, 3]), verbose: 0)
      },
      mistake("`fit` with a number for targets", "fit: y is a scalar; expected [samples, ...]") {
        try $0.fit(x, .zeros([]), verbose: 0)
      },
      mistake(
        "`fit` with fewer targets than inputs to validate with",
        """
        fit, validationData: y has 2 samples (shape [2]) and x has 6 (shape [6,4,3]); expected as many in each
        """
      ) { try $0.fit(x, y, validationData: (x, y[0..<2]), verbose: 0) },
      mistake(
        "`fit` with nothing to train with", "fit: a validationSplit of 1.0; expected 0, or a part below 1"
      ) { try $0.fit(x, y, validationSplit: 1, verbose: 0) },
      mistake(
        "`fit` with next to nothing to train with",
        """
        fit: a validationSplit of 0.99 leaves 0 of 6 samples to train with and 6 to validate with; expected at least one \
        for each
        """
      ) { try $0.fit(x, y, validationSplit: 0.99, verbose: 0) },
      mistake(
        "`fit` from an epoch before the first",
        "fit: initialEpoch -1, validationFrequency 1; expected an epoch from 0, and a frequency from 1"
      ) { try $0.fit(x, y, verbose: 0, initialEpoch: -1) },
    ] + networks

  /// What does not fit the network, or its loss.
  private static let networks: [Mistake] = [
    mistake(
      "`fit` with other features than those the model was built for",
      """
      lstm: parameter 'lstm.kernel': made with shape [3,20] at its first use, but needed with shape [2,20] now: axis 0 was \
      3 and is 2; expected input with as many features as at the first call; other features need another layer
      """
    ) { try $0.fit(.zeros([6, 4, 2]), y, verbose: 0) },
    mistake(
      "`predict` without an axis for time",
      """
      lstm: input of shape [6,4]; expected [batch, time, features]; a recurrent layer in front of this one needs \
      returnSequences: true
      """
    ) { _ = try $0.predict(.zeros([6, 4]), verbose: 0) },
    mistake(
      "`fit` with one-hot targets for a loss that takes classes",
      """
      sparseCategoricalCrossEntropy: labels of type f32[6,2] for predictions of shape [6,2]; expected the class of each, \
      i32[6]
      """
    ) { try $0.fit(x, y.oneHot(2), verbose: 0) },
    mistake(
      "`classWeight` for targets that are no classes",
      """
      fit: classWeight for targets of shape [6,2,2]; expected one target of classes [samples] or one-hot [samples, \
      classes]; sampleWeight for anything else
      """
    ) { try $0.fit(x, .zeros([6, 2, 2]), classWeight: [0: 1], verbose: 0) },
    mistake(
      "`fit` with a loss that is not reduced",
      """
      meanSquaredError: a loss of shape [6]; expected one number; a loss that is trained is reduced by .sumOverBatchSize, \
      .sum or .meanWithSampleWeight
      """
    ) { model in
      let loss = Loss.meanSquaredError.reduced(by: .none)
      try model.network.compile(optimizer: SGD(), loss: loss).fit(x, .zeros([6, 2]), verbose: 0)
    },
    mistake(
      "`compile` with two losses for one output",
      "loss: 2 losses for 1 outputs and 1 targets; expected one loss and one target for each output"
    ) { model in
      let both = model.network.compile(optimizer: SGD(), losses: [.meanSquaredError, .meanSquaredError])
      try both.fit(x, .zeros([6, 2]), verbose: 0)
    },
    Mistake(
      "`predict` with a network that gives a number a batch",
      "predict: an output of shape []; expected [batch, ...], so that the batches can be put together"
    ) { _ in
      let network = Sequential { Lambda { $0.sum() } }
      _ = try network.compile(optimizer: SGD(), loss: .meanSquaredError).predict(x, batchSize: 3, verbose: 0)
    },
  ]

  private static let validationHint =
    "nothing is logged as 'val_loss', only 'loss', 'accuracy'; validation needs validationData or validationSplit"

  private static func fit(_ callbacks: any Callback...) throws {
    try Samples.model().fit(x, y, callbacks: callbacks, verbose: 0)
  }

  /// Found when a callback is to do what it cannot.
  static let callbacks: [Mistake] = [
    Mistake("`EarlyStopping` without validation", "EarlyStopping: \(validationHint)") { _ in
      try fit(EarlyStopping())
    },
    Mistake(
      "`EarlyStopping` with a name that nothing has",
      "EarlyStopping: nothing is logged as 'acuracy', only 'loss', 'accuracy'"
    ) { _ in try fit(EarlyStopping(monitor: "acuracy", mode: .max)) },
    Mistake(
      "`EarlyStopping` with a number of one's own",
      "EarlyStopping: whether 'own' is better high or low is not known; say mode: .max or .min"
    ) { _ in try fit(LambdaCallback(onEpochEnd: { _, run in run.logs["own"] = 1 }), EarlyStopping(monitor: "own")) },
    Mistake("`ReduceLROnPlateau` without validation", "ReduceLROnPlateau: \(validationHint)") { _ in
      try fit(ReduceLROnPlateau())
    },
    Mistake("`ModelCheckpoint` of the best, without validation", "ModelCheckpoint: \(validationHint)") { folder in
      try fit(ModelCheckpoint("\(folder)/best", saveBestOnly: true))
    },
    Mistake(
      "`ModelCheckpoint(\"{nothing}\")`", "ModelCheckpoint: nothing is logged as 'nothing', only 'loss', 'accuracy'"
    ) { folder in try fit(ModelCheckpoint("\(folder)/{nothing}")) },
    Mistake(
      "`ModelCheckpoint(\"{loss:7x}\")`", "{loss:7x}: '{loss:7x}': is no format; '02d' and '.3f' are"
    ) { folder in try fit(ModelCheckpoint("\(folder)/{loss:7x}")) },
    Mistake(
      "`ModelCheckpoint` in a folder that is not there", "no/c: cannot be written: No such file or directory"
    ) { folder in try fit(ModelCheckpoint("\(folder)/no/c")) },
    Mistake(
      "`BackupAndRestore` from another training",
      "backup: is the backup of a training with other callbacks, or of none"
    ) { folder in
      let model = Samples.model()
      try model.build(inputShape: [nil, 4, 3])
      try Checkpoint(of: model.network, optimizer: model.optimizer, epoch: 0, step: 0).write(to: "\(folder)/backup")
      try fit(BackupAndRestore("\(folder)/backup"))
    },
    Mistake(
      "`fit` with numbers that are not finite",
      "the loss is nan in epoch 1, batch 1 of 1; first of all, x has numbers that are not finite"
    ) { _ in try Samples.model().fit(log(x - 100), y, verbose: 0) },
  ]
}

/// Each mistake with a model is one message.
@Suite struct TrainingMistakeTests {
  @Test(arguments: TrainingMistakes.arguments + TrainingMistakes.callbacks)
  func theMessageSaysWhatIsWrong(mistake: Mistake) throws {
    try withTemporaryFolder { folder in #expect(mistake.failure(in: folder) == nil) }
  }
}

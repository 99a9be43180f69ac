import Foundation
import Reel
import ReelTestSupport
import Testing

@testable import ReelNN

@Suite struct ProgressTests {
  typealias Samples = TrainingSamples

  /// A run that shows what it does to a terminal of some columns, or to a pipe, with a clock of 25 ms a batch.
  static func text(
    columns: Int?, _ verbose: Verbosity, secondsPerBatch: Double = 0.025, epochs: Int = 2, batches: Int = 12,
    validationSplit: Double = 0
  ) throws -> String {
    var (text, time) = ("", 0.0)
    let output = ProgressOutput(columns: { columns }, now: { time }, write: { text += $0 })
    let clock = LambdaCallback(
      onEpochEnd: { _, run in
        run.logs = Logs([("loss", 0.12345), ("tiny", 0.0001234), ("none", .nan)])
      },
      onTrainBatchBegin: { _, _ in time += secondsPerBatch })
    try Samples.model().fit(
      Samples.inputs(batches), Samples.classes(batches), batchSize: 1, epochs: epochs, callbacks: [clock],
      verbose: verbose, output: output)
    return text
  }

  @Test func aPipeGetsPlainLines() throws {
    let line = "12/12 ━━━━━━━━━━━━━━━━━━━━ 0s 25ms/step - loss: 0.1235 - tiny: 1.2340e-04 - none: nan\n"
    #expect(try Self.text(columns: nil, .bar) == "Epoch 1/2\n\(line)Epoch 2/2\n\(line)")
    #expect(try Self.text(columns: nil, .bar, epochs: 1) == line)
  }

  @Test func aLineAnEpoch() throws {
    let values = "loss: 0.1235 - tiny: 1.2340e-04 - none: nan\n"
    let lines = try Self.text(columns: nil, .line)
    #expect(
      lines == "Epoch 1/2 - 12/12 - 0s - 25ms/step - \(values)Epoch 2/2 - 12/12 - 0s - 25ms/step - \(values)")
    let slow = try Self.text(columns: 80, .line, secondsPerBatch: 2, epochs: 1, batches: 3)
    #expect(slow == "3/3 - 6s - 2s/step - \(values)")
    #expect(try Self.text(columns: 80, .silent) == "")
  }

  @Test func aTerminalIsWrittenOver() throws {
    let text = try Self.text(columns: 60, .bar, epochs: 1)
    let drawings = text.components(separatedBy: "\r\u{1B}[K").dropFirst()
    // 12 batches of 25 ms, drawn at most ten times a second, and once at the end.
    #expect(drawings.count == 4)
    #expect(text.hasSuffix("\n") && text.filter { $0 == "\n" }.count == 1)
    for drawing in drawings {
      let plain = drawing.replacing(/\u{1B}\[\d+m/, with: "").trimmingCharacters(in: .newlines)
      #expect(plain.count < 60 && plain.contains("/12 ━━━━━━━━━━━━━━━━━━━━ 0s 25ms/step - loss"), "\(plain)")
    }
    #expect(drawings.first!.hasPrefix(" 1/12 \u{1B}[32m━\u{1B}[90m━━━━"))
  }

  @Test func theTimeLeftIsShown() throws {
    let text = try Self.text(columns: 200, .bar, secondsPerBatch: 500, epochs: 1, batches: 11)
    #expect(text.contains(" 1/11 ") && text.contains(" 1:23:20 500s/step - loss") && text.contains(" 8:20 500s/step"))
    #expect(text.contains("11/11") && text.contains(" 5500s 500s/step"))
  }

  @Test func testsAndPredictionsAreShownToo() throws {
    var text = ""
    let output = ProgressOutput { text += $0 }
    let model = Samples.model()
    try model.evaluate(Samples.inputs(4), Samples.classes(4), batchSize: 2, output: output)
    #expect(
      text.contains(/^2\/2 ━{20} \d+s \d+m?u?s\/step - loss: 0\.\d{4} - accuracy: \d\.\d{4}(e\+00)?\n$/), "\(text)")
    text = ""
    _ = try model.predict(Samples.inputs(4), batchSize: 2, output: output)
    #expect(text.contains(/^2\/2 ━{20} \d+s \d+m?u?s\/step\n$/), "\(text)")
  }

  @Test func whatCallbacksSayComesAfterTheLine() throws {
    var text = ""
    let output = ProgressOutput { text += $0 }
    let script = LambdaCallback(onEpochEnd: { epoch, run in run.logs["val_loss"] = Double(epoch) })
    try Samples.model().fit(
      Samples.inputs(4), Samples.classes(4), epochs: 5,
      callbacks: [script, EarlyStopping(patience: 1, restoreBestWeights: true, verbose: true)], verbose: 2,
      output: output)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines[1].hasPrefix("Epoch 2/5 - 1/1 - ") && lines[1].hasSuffix(" - val_loss: 1.0000"))
    #expect(lines[2...] == ["Epoch 2: early stopping", "Restoring the weights of the best epoch: 1"])
  }
}

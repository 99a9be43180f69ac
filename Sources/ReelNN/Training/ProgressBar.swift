import Foundation

/// Shows how far a training, a test or a prediction is, as Keras does.
///
///     12/32 ━━━━━━━━━━━━━━━━━━━━ 3s 25ms/step - loss: 0.6931 - accuracy: 0.5120
final class ProgressBar: Callback {
  /// Seconds between two drawings of the bar.
  private static let interval = 0.1
  private static let width = 20

  private let verbosity: Verbosity
  private let output: ProgressOutput
  private var start = 0.0
  /// When the first batch ended, which does what is done once; nil before.
  private var firstBatchEnd: Double?
  private var firstBatches = 0
  private var lastDrawn = -Double.infinity
  private var isDrawn = false

  init(_ verbosity: Verbosity, _ output: ProgressOutput) {
    self.verbosity = verbosity
    self.output = output
  }

  // MARK: - Moments

  func onEpochBegin(_ epoch: Int, _ run: TrainingRun) {
    begin(run)
    if verbosity == .bar && run.epochs > 1 { output.write("Epoch \(epoch + 1)/\(run.epochs)\n") }
  }

  func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) { advance(run) { run.logs } }

  func onEpochEnd(_ epoch: Int, _ run: TrainingRun) {
    finish(run, run.logs, prefix: run.epochs > 1 ? "Epoch \(epoch + 1)/\(run.epochs) - " : "")
  }

  func onTestBegin(_ run: TrainingRun) { if !run.isValidating { begin(run) } }

  func onTestBatchEnd(_ batch: Int, _ run: TrainingRun) { if !run.isValidating { advance(run) { run.logs } } }

  func onTestEnd(_ run: TrainingRun) { if !run.isValidating { finish(run, run.logs, prefix: "") } }

  func onPredictBegin(_ run: TrainingRun) { begin(run) }

  func onPredictBatchEnd(_ batch: Int, _ run: TrainingRun) { advance(run) { Logs() } }

  func onPredictEnd(_ run: TrainingRun) { finish(run, Logs(), prefix: "") }

  /// A bar that was left half way, by an error or Ctrl-C, keeps its line.
  func onTrainEnd(_ run: TrainingRun) { leaveLine() }

  func leaveLine() {
    if isDrawn { output.write("\n") }
    isDrawn = false
  }

  // MARK: - The line

  private func begin(_ run: TrainingRun) {
    leaveLine()
    start = output.now()
    firstBatchEnd = nil
    firstBatches = run.batchesDone
    lastDrawn = -.infinity
  }

  private func advance(_ run: TrainingRun, _ logs: () -> Logs) {
    guard verbosity != .silent else { return }
    let now = output.now()
    defer { firstBatchEnd = firstBatchEnd ?? now }
    // Text is dear, and the terminal is slow: most batches show nothing.
    guard verbosity == .bar, now - lastDrawn >= Self.interval, run.batchesDone < run.batchCount,
      let columns = output.columns()
    else { return }
    lastDrawn = now
    draw(line(run, at: now, logs(), columns: columns))
  }

  private func finish(_ run: TrainingRun, _ logs: Logs, prefix: String) {
    let now = output.now()
    switch verbosity {
    case .silent: return
    case .line: output.write("\(prefix)\(counts(run)) - \(elapsed(now)) - \(perStep(run, now))\(values(logs))\n")
    case .bar:
      if let columns = output.columns() {
        draw(line(run, at: now, logs, columns: columns))
        leaveLine()
      } else {
        output.write(line(run, at: now, logs, columns: nil) + "\n")
      }
    }
  }

  private func draw(_ line: String) {
    output.write("\r\u{1B}[K" + line)
    isDrawn = true
  }

  /// The line; on a terminal, cut to its width, for a longer one cannot be written over.
  private func line(_ run: TrainingRun, at now: Double, _ logs: Logs, columns: Int?) -> String {
    let head = "\(counts(run)) "
    let isDone = run.batchesDone >= run.batchCount
    let time = isDone ? elapsed(now) : remaining(run, now)
    let tail = " \(time) \(perStep(run, now))\(values(logs))"
    let filled = Self.width * min(run.batchesDone, run.batchCount) / max(run.batchCount, 1)
    let bar = String(repeating: "━", count: Self.width)
    guard let columns else { return head + bar + tail }
    let room = max(columns - 1 - head.count - Self.width, 0)
    guard columns > head.count + Self.width else { return String(head.prefix(max(columns - 1, 0))) }
    // Green for what is done, grey for the rest.
    let coloured = "\u{1B}[32m\(bar.prefix(filled))\u{1B}[90m\(bar.dropFirst(filled))\u{1B}[0m"
    return head + coloured + tail.prefix(room)
  }

  private func counts(_ run: TrainingRun) -> String {
    let total = "\(run.batchCount)"
    let done = "\(run.batchesDone)"
    return String(repeating: " ", count: max(total.count - done.count, 0)) + "\(done)/\(total)"
  }

  /// Seconds a step, without the first, which does what is done once.
  private func secondsPerStep(_ run: TrainingRun, _ now: Double) -> Double {
    let done = run.batchesDone - firstBatches
    guard done > 0 else { return 0 }
    guard done > 1, let firstBatchEnd else { return now - start }
    return (now - firstBatchEnd) / Double(done - 1)
  }

  private func perStep(_ run: TrainingRun, _ now: Double) -> String {
    let seconds = secondsPerStep(run, now)
    if seconds >= 1 || seconds == 0 { return String(format: "%.0fs/step", seconds) }
    return seconds >= 1e-3
      ? String(format: "%.0fms/step", seconds * 1e3) : String(format: "%.0fus/step", seconds * 1e6)
  }

  private func elapsed(_ now: Double) -> String { String(format: "%.0fs", now - start) }

  private func remaining(_ run: TrainingRun, _ now: Double) -> String {
    let seconds = Int(secondsPerStep(run, now) * Double(run.batchCount - run.batchesDone))
    if seconds > 3600 { return String(format: "%d:%02d:%02d", seconds / 3600, seconds % 3600 / 60, seconds % 60) }
    return seconds > 60 ? String(format: "%d:%02d", seconds / 60, seconds % 60) : "\(seconds)s"
  }

  private func values(_ logs: Logs) -> String { logs.entries.map { " - \($0.name): \(Self.text($0.value))" }.joined() }

  /// A number as Keras shows it.
  static func text(_ value: Double) -> String {
    String(format: abs(value) > 1e-3 ? "%.4f" : "%.4e", value)
  }
}

import Foundation
import Testing

/// A training that is killed at any moment and started again ends as one that was never killed, bit for bit.
@Suite struct ResumeTests {
  static let program = ExampleProcess("training-process")

  /// Starts the training, and kills it after some seconds if it has not ended.
  ///
  /// - Returns: Whether it came to its end.
  static func run(_ folder: String, every batches: Int, killedAfter seconds: Double?) throws -> Bool {
    let process = try program.started(["\(folder)/backup", "\(folder)/result", "\(batches)"])
    if let seconds {
      Thread.sleep(forTimeInterval: seconds)
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    if process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL { return false }
    #expect(process.terminationStatus == 0)
    return true
  }

  /// The result and the lines of the log.
  static func files(_ folder: String) throws -> [Data] {
    try ["result", "result.csv"].map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
  }

  @Test(arguments: [0, 2]) func aKilledTrainingGoesOn(every batches: Int) throws {
    let clock = ContinuousClock()
    var seconds = 0.0
    let expected = try withFolder { folder in
      var hasEnded = false
      let time = try clock.measure { hasEnded = try Self.run(folder, every: batches, killedAfter: nil) }
      #expect(hasEnded)
      seconds = time / .seconds(1)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/backup"))
      return try Self.files(folder)
    }
    var (kills, trainings, resumed) = (0, 0, 0)
    while kills < 10 {
      try withFolder { folder in
        for attempt in 0... {
          // Some moments are before the first step, some in the middle of a file; a training is killed five times at most.
          let moment = attempt < 5 ? Double.random(in: 0...seconds) : nil
          if try Self.run(folder, every: batches, killedAfter: moment) { break }
          kills += 1
          if FileManager.default.fileExists(atPath: "\(folder)/backup") { resumed += 1 }
        }
        #expect(try Self.files(folder) == expected, "training \(trainings)")
        trainings += 1
      }
    }
    #expect(resumed > 0, "none of the \(kills) killed trainings had anything to go on with")
  }
}

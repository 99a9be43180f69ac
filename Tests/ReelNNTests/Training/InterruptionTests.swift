import Foundation
import Reel
import ReelNN
import Testing

/// Ctrl-C, in processes of their own.
@Suite struct InterruptionTests {
  typealias Samples = TrainingSamples

  /// The process that runs tests may have signals blocked, which its children inherit; a program's own do not.
  static func receiveSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  static func train(raisingAt batch: Int, times: Int = 1) throws -> (History, Model<Sequential>) {
    let model = Samples.model()
    var count = 0
    let signal = LambdaCallback(onTrainBatchEnd: { _, _ in
      count += 1
      if count == batch { for _ in 0..<times { raise(SIGINT) } }
    })
    let history = try model.fit(
      Samples.inputs(8), Samples.classes(8), batchSize: 2, epochs: 5, shuffle: false, callbacks: [signal], verbose: 0)
    return (history, model)
  }

  @Test func theFirstEndsTheTrainingAfterTheBatch() async {
    await #expect(processExitsWith: .success) {
      Self.receiveSignals()
      let (history, model) = try Self.train(raisingAt: 6)
      precondition(history.ending == .interrupted && history.epochs == [0])
      let twin = Samples.model()
      try twin.fit(Samples.inputs(8), Samples.classes(8), batchSize: 2, shuffle: false, verbose: 0)
      for start in [0, 2] {
        let range = start..<start + 2
        try twin.trainOnBatch(Samples.inputs(8)[range], Samples.classes(8)[range])
      }
      precondition(weightsOf(model.network) == weightsOf(twin.network))
      // A training after it is a training as any other.
      let next = try twin.fit(Samples.inputs(8), Samples.classes(8), verbose: 0)
      precondition(next.ending == .completed)
    }
  }

  @Test func theSecondKills() async {
    await #expect(processExitsWith: .signal(SIGINT)) {
      Self.receiveSignals()
      _ = try Self.train(raisingAt: 2, times: 2)
    }
  }

  @Test func theHandlerIsRestored() async {
    await #expect(processExitsWith: .exitCode(7)) {
      Self.receiveSignals()
      signal(SIGINT) { _ in exit(7) }
      _ = try Self.train(raisingAt: 3)
      raise(SIGINT)
    }
    await #expect(processExitsWith: .success) {
      Self.receiveSignals()
      signal(SIGINT, SIG_IGN)
      let (history, _) = try Self.train(raisingAt: 3, times: 2)
      precondition(history.ending == .completed)
    }
  }
}

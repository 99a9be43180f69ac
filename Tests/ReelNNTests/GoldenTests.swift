import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What real Keras and PyTorch computed, against what Reel computes: every case of the indices, by its settings, eagerly and
/// compiled, as a loop, in blocks and unrolled. A setting that nothing here knows fails its case.
///
/// `REEL_GOLDEN` names another folder with cases, such as one with other sizes and settings.
@Suite struct GoldenTests {
  /// How the cases of each kind are checked.
  static var checks: [String: (GoldenCase) throws -> Void] {
    [
      "layer": { try LayerCase(keras: $0).check() },
      "layer_stateful": { try LayerCase(keras: $0).check() },
      "torch_layer": { try TorchCase($0).check() },
      "torch_model": { try TorchCase($0).check() },
      "loss": { try LossCase($0).check() },
      "metric": checkMetric,
      "optimizer": checkOptimizer,
      "schedule": checkSchedule,
      "initializer": checkInitializer,
      "activation": checkActivations,
      "regularizer": { try RegularizerCase($0).check() },
      "constraint": checkConstraint,
      "model": { try ModelCase($0).check() },
    ]
  }

  @Test(arguments: Golden.cases)
  func agrees(golden: GoldenCase) throws {
    let check = try #require(Self.checks[golden.kind], "cases of kind \(golden.kind)")
    try check(golden)
  }

  @Test func everyFileOfTheFolderIsThatOfACase() throws {
    #expect(Golden.cases.count > 300)
    for backend in Golden.backends {
      let cases = try Golden.index(of: backend).cases
      let files = cases.map(\.file) + cases.compactMap(\.checkpoint)
      let found = try FileManager.default.contentsOfDirectory(
        atPath: Golden.folder.appendingPathComponent(backend).path)
      #expect(Set(found).symmetricDifference(files + ["index.json"]) == [])
      #expect(Set(cases.map(\.name)).count == cases.count)
    }
  }
}

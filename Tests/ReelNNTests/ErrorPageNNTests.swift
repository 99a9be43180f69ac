import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The sections of `Docs/Errors.md` about everything but tensors are those of the tables that the other tests run.
@Suite(.serialized) struct ErrorPageNNTests {
  private typealias Row = ErrorPage.Row

  private static func expectInPage(_ section: String, _ rows: [Row]) throws {
    try ErrorPage(section: section, columns: "Done", "Message", rows: rows).expectInPage()
  }

  @Test func layersAreInThePage() throws {
    try Self.expectInPage(
      "layers",
      ErrorTests.layers.map { Row($0.what, $0.message) }
        + CompanyErrorTests.rows.map { Row(message: $0.message, operands: [$0.input]) }
        + CompanyErrorTests.merges.map { Row(message: $0.message, operands: $0.inputs) })
  }

  @Test func activationsInitializersAndRegularizersAreInThePage() throws {
    try Self.expectInPage(
      "parts",
      ActivationTests.mistakes.map { Row(message: $0.message) }
        + InitializerTests.mistakes.map { Row("an initializer for shape \($0.shape)", $0.message) }
        + RegularizerTests.mistakes.map(Row.init(_:)))
  }

  @Test func lossesAreInThePage() throws {
    let mistakes = ErrorTests.losses + LossErrorTests.operands + LossErrorTests.weights + LossErrorTests.metrics
    try Self.expectInPage("losses", mistakes.map { Row(message: $0.message, operands: $0.inputs) })
  }

  @Test func optimizersAreInThePage() throws {
    try Self.expectInPage("optimizers", OptimizerErrorTests.settings.map { Row($0.what, $0.words) })
  }

  @Test func trainingIsInThePage() throws {
    try Self.expectInPage("training", TrainingMistakes.arguments.map(Row.init(_:)))
    try Self.expectInPage("callbacks", TrainingMistakes.callbacks.map(Row.init(_:)))
  }

  @Test func dataAreInThePage() throws {
    try Self.expectInPage("data", (DataMistakes.datasets + DataMistakes.vocabularies).map(Row.init(_:)))
  }

  @Test func filesAreInThePage() throws {
    func row(_ kind: String, _ place: String, _ problem: String) -> Row {
      Row(kind, DataError(path: "file", place: place, problem: problem).description)
    }
    try Self.expectInPage(
      "files",
      DataMistakes.files.map(Row.init(_:))
        + CSVFileTests.refused.map { row("CSV", $0.place, $0.problem) }
        + IDXFileTests.refused.map { row("IDX", "", $0.problem) }
        + NumPyFileTests.refused.map { row("npy", "", $0.problem) }
        + NumPyFileTests.refusedArchives.map { row("npz", $0.place, $0.problem) }
        + SafetensorsTests.refused.map { row("safetensors", $0.place, $0.problem) })
  }

  @Test func weightsAreInThePage() throws {
    let mistakes = WeightsMistakes.weights + WeightsMistakes.checkpoints + WeightsMistakes.conversions
    try Self.expectInPage("weights", mistakes.map(Row.init(_:)))
  }
}

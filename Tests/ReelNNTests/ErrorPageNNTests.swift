import ReelNN
import ReelTestSupport
import Testing

/// The sections of `Docs/Errors.md` about layers, losses, optimizers and files are those of the tables that the other tests
/// run.
@Suite(.serialized) struct ErrorPageNNTests {
  @Test func layersAreInThePage() throws {
    let messages =
      ErrorTests.layers.map(\.message) + CompanyErrorTests.rows.map(\.message) + CompanyErrorTests.merges.map(\.message)
    try ErrorPage(
      section: "layers", columns: "Layer", "Message", rows: messages.map(ErrorPage.Row.init(message:))
    ).expectInPage()
  }

  @Test func lossesAreInThePage() throws {
    let mistakes = ErrorTests.losses + LossErrorTests.operands + LossErrorTests.weights + LossErrorTests.metrics
    try ErrorPage(
      section: "losses", columns: "Loss or metric", "Message", rows: mistakes.map { ErrorPage.Row(message: $0.message) }
    ).expectInPage()
  }

  @Test func optimizersAreInThePage() throws {
    try ErrorPage(
      section: "optimizers", columns: "Message", rows: OptimizerErrorTests.settings.map { ErrorPage.Row($0.words) }
    ).expectInPage()
  }

  @Test func filesAreInThePage() throws {
    func row(_ kind: String, _ place: String, _ problem: String) -> ErrorPage.Row {
      ErrorPage.Row(kind, DataError(path: "path", place: place, problem: problem).description)
    }
    let rows =
      CSVFileTests.refused.map { row("CSV", $0.place, $0.problem) }
      + IDXFileTests.refused.map { row("IDX", "", $0.problem) }
      + NumPyFileTests.refused.map { row("NumPy", "", $0.problem) }
      + SafetensorsTests.refused.map { row("safetensors", $0.place, $0.problem) }
    try ErrorPage(section: "files", columns: "File", "Message", rows: rows).expectInPage()
  }
}

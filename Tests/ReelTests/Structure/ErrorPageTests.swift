import ReelTestSupport
import Testing

/// The sections of `Docs/Errors.md` about tensors are those of the tables that the other tests run.
@Suite(.serialized) struct ErrorPageTests {
  @Test func operationsAreInThePage() throws {
    try ErrorPage(
      section: "operations", columns: "Done", "Message", rows: BadOperandsTable.rows.map(ErrorPage.Row.init(_:))
    ).expectInPage()
  }

  @Test func tensorsLoopsAndDerivativesAreInThePage() throws {
    try ErrorPage(
      section: "tensors", columns: "Done", "Message", rows: PublicErrors.rows.map(ErrorPage.Row.init(_:))
    ).expectInPage()
  }

  @Test func graphsAsTextAreInThePage() throws {
    let rows = GraphSyntaxTests.rows.map { text, message in
      let shown = text.count > 120 ? "\(text.prefix(60))…" : text
      return ErrorPage.Row(shown.isEmpty ? "no text" : "`\(shown.replacing("\n", with: " "))`", message)
    }
    try ErrorPage(section: "graphs", columns: "Done", "Message", rows: rows).expectInPage()
  }
}

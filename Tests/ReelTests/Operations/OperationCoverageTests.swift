import Reel
import ReelTestSupport
import Testing

/// An operation without a row in the operation table fails the suite.
@Suite struct OperationCoverageTests {
  /// What an expression's first group finds in the sources of Reel.
  static func found(_ pattern: some RegexComponent<(Substring, Substring)>, in file: String = "") throws -> [String] {
    try SourceFile.all(under: "Sources/Reel").filter { $0.path.hasSuffix(file) }
      .flatMap { $0.text.matches(of: pattern).map { String($0.output.1) } }
  }

  static var names: Set<String> { Set(OperationTable.rows.map(\.name)) }

  @Test func everyOperationHasARow() throws {
    let declared = try Set(Self.found(/struct (\w+)[^{\n]*: [^{\n]*Operation(?:WithBodies)?\b[^{\n]*\{/))
    #expect(declared.isSuperset(of: ["Elementwise", "MatrixProduct", "Scan", "Input"]), "\(declared)")
    let tried = try OperationTable.rows.reduce(into: Set<String>()) { $0.formUnion(try $1.operationTypes()) }
    #expect(declared.subtracting(tried).sorted() == [])
  }

  @Test func everyElementwiseOperationHasARow() throws {
    let declared =
      try Self.found(/static let \w+ = (?:unary|binary|comparison)\(\s*"(\w+)"/) + Self.found(/row: Row\(\s*"(\w+)"/)
    #expect(Set(declared).isSuperset(of: ["add", "select", "tanh", "less"]), "\(declared)")
    #expect(Set(declared).count == declared.count, "names are unique")
    #expect(Set(declared).subtracting(Self.names).sorted() == [])
    // No row of the table of elementwise operations is written in a way that the expressions above do not see.
    #expect(try Self.found(/static let (\w+) = (?:unary|binary|comparison|Elementwise)\(/).count == declared.count)
  }

  @Test func everyReductionHasARow() throws {
    let list = try Self.found(/enum Kind: String[^{]*\{\s*case ([\w, ]+)\n/, in: "Reduction.swift")
    let kinds = list.flatMap { $0.split(separator: ", ").map(String.init) }
    #expect(kinds.contains("argMax"))
    #expect(Set(kinds).subtracting(Self.names).sorted() == [])
  }

  @Test func everyOperationThatRefusesOperandsHasAMessage() {
    let takesAnything: Set = [
      "input", "constant", "identity", "stopGradient", "convert", "accumulate", "customPullback", "fused",
    ]
    let refusing = Set(BadOperandsTable.rows.map(\.operation))
    #expect(Self.names.subtracting(takesAnything).subtracting(refusing).sorted() == [])
    #expect(refusing.isDisjoint(with: takesAnything))
  }
}

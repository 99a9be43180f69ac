import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Tables of text: what is in them, and where they are wrong.
@Suite struct CSVFileTests {
  static let weather = #"""
    day,place,temperature,rain
    1,"Rome, ""the city""",21.5,0
    2,"two
    lines",,1e-1

    3,Oslo,-4, NA
    """#

  @Test func readsQuotesLineEndsAndNames() throws {
    for ending in ["\n", "\r\n"] {
      let csv = try CSVFile(text: Self.weather.replacing("\n", with: ending))
      #expect(csv.columns == ["day", "place", "temperature", "rain"] && csv.rowCount == 3)
      #expect(try csv.text("place") == ["Rome, \"the city\"", "two\(ending)lines", "Oslo"])
      #expect(try csv.numbers("day") == [1, 2, 3])
    }
    let bare = try CSVFile(text: "1;2\n3;4\n", separator: ";", hasHeader: false)
    #expect(bare.columns == ["0", "1"])
    expectSameBits(try bare.tensor(), Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
    expectSameBits(
      try bare.tensor(["1", "0"], elementType: .int32), Tensor([2, 1, 4, 3] as [Int32], shape: [2, 2]))
    #expect(try CSVFile(text: "a,b\n").rowCount == 0)
    #expect(try CSVFile(text: "a,b\n,\n\"\",x").text("a") == ["", ""])
  }

  @Test func missingNumbersAreRefusedOrReplaced() throws {
    let csv = try CSVFile(text: Self.weather, path: "w.csv")
    #expect(throws: DataError(path: "w.csv", place: "line 3, column 'temperature'", problem: "has no value")) {
      try csv.numbers("temperature")
    }
    #expect(try csv.numbers("temperature", missing: .value(7)) == [21.5, 7, -4])
    #expect(try csv.numbers("temperature", missing: .previous) == [21.5, 21.5, -4])
    #expect(try csv.numbers("rain", missing: .nan).map(\.isNaN) == [false, false, true])
    #expect(try csv.droppingMissing().numbers("day") == [1])
    #expect(try csv.droppingMissing(in: ["rain"]).numbers("day") == [1, 2])
    #expect(
      throws: DataError(
        path: "csv", place: "line 2, column 'a'", problem: "has no value, and there is no row before it")
    ) { try CSVFile(text: "a,b\n,1").numbers("a", missing: .previous) }
    let own = try CSVFile(text: "a\n-\n1", missingValues: ["-"])
    #expect(try own.numbers("a", missing: .value(0)) == [0, 1])
  }

  static let refused: [(text: String, place: String, problem: String)] = [
    ("", "", "is empty"), ("\n\n", "", "is empty"),
    ("a,b\n1,2\n3", "line 3", "has 1 values for 2 columns"),
    ("a,b\n\"x\ny\",2\n1,2,3", "line 4", "has 3 values for 2 columns"),
    ("a,b\n1,\"2", "line 2, column 2", "has a quote that is not closed, or text after one that is"),
    ("a,b\n\"1\"x,2", "line 2, column 1", "has a quote that is not closed, or text after one that is"),
    ("a,b,a\n", "line 1", "has the column 'a' twice"),
  ]

  @Test(arguments: refused.indices)
  func refuses(index: Int) {
    let (text, place, problem) = Self.refused[index]
    #expect(throws: DataError(path: "t.csv", place: place, problem: problem)) {
      try CSVFile(text: text, path: "t.csv")
    }
  }

  @Test func readsFilesWithAByteOrderMarkAndCompressedOnes() throws {
    let marked = [0xEF, 0xBB, 0xBF] + Array("a\n1".utf8)
    #expect(try withFile(marked) { try CSVFile(path: $0).numbers("a") } == [1])
    // "hello hello hello hello", compressed with the name of a file in the header.
    let compressed = bytes(base64: "H4sICAAAAAAC/25hbWUudHh0AMtIzcnJV8hAJwHjUT2NFwAAAA==")
    let columns = { (bytes: [UInt8]) in try withFile(bytes, name: "a.csv.gz") { try CSVFile(path: $0).columns } }
    #expect(try columns(compressed) == ["hello hello hello hello"])
    // Two members, and zeros behind them.
    #expect(try columns(compressed + compressed + [0, 0, 0]) == ["hello hello hello hellohello hello hello hello"])
    try withFile(compressed + [1], name: "a.csv.gz") { path in
      #expect(throws: DataError(path: path, problem: "is no complete gzip file")) { try CSVFile(path: path) }
    }
  }
}

import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Mistakes with data that is there: datasets, windows, scalers, sequences and vocabularies; and with the columns of tables.
enum DataMistakes {
  static let datasets: [Mistake] = [
    Mistake("`Dataset` without inputs", "dataset: no inputs; expected inputs [samples, ...]") { _ in
      _ = try Dataset(inputs: [])
    },
    Mistake("`Dataset` of a number", "dataset: an input without axes; expected inputs [samples, ...]") { _ in
      _ = try Dataset(inputs: [.zeros([])])
    },
    Mistake(
      "`Dataset` with fewer targets than inputs",
      "dataset: target 0 of shape [2] beside input 0 of shape [3,4]; expected 3 samples along the leading axis of each"
    ) { _ in _ = try Dataset(.zeros([3, 4]), .zeros([2])) },
    Mistake(
      "`Dataset` with weights that are whole numbers",
      "dataset: sample weights of another kind (operands: i32[3]); expected floating-point [samples]"
    ) { _ in _ = try Dataset(.zeros([3, 4]), .zeros([3]), sampleWeights: .zeros([3], elementType: .int32)) },
    Mistake(
      "`Dataset(windowsOver:)` a series that is too short",
      """
      dataset: windows of 5 by stride 1 with 1 steps behind each (operands: f32[5]); expected a series [time, ...] with 6 \
      steps at least, and positive numbers
      """
    ) { _ in _ = try Dataset(windowsOver: .zeros([5]), of: 5) },
    Mistake(
      "`windows(of:stride:horizon:)` without steps between them",
      """
      windows: windows of 2 by stride 0 with 1 steps behind each (operands: f32[5]); expected a series [time, ...] with 3 \
      steps at least, and positive numbers
      """
    ) { _ in _ = Tensor.zeros([5]).windows(of: 2, stride: 0, horizon: 1) },
    Mistake(
      "`transform` of a scaler of other features",
      "scaler: data for a scaler of 3 features (operands: f32[2,4]); expected floating-point [..., 3]"
    ) { _ in _ = StandardScaler(fitting: ScalerTests.data).transform(.zeros([2, 4])) },
    Mistake(
      "`StandardScaler(fitting:)` a number",
      "StandardScaler: data without features (operands: f32[]); expected numbers [..., features]"
    ) { _ in _ = StandardScaler(fitting: .zeros([])) },
    Mistake(
      "`padSequences` of vectors of different sizes",
      """
      padSequences: sequences of different types (operands: f32[2,3], f32[2,4]); expected sequences [time, features] that \
      differ in time only
      """
    ) { _ in _ = padSequences([.zeros([2, 3]), .zeros([2, 4])]) },
    Mistake(
      "`padSequences` of no vectors",
      "padSequences: no sequences; expected sequences [time, features] that differ in time only"
    ) { _ in _ = padSequences([] as [Tensor]) },
  ]

  private static let letters = Vocabulary(charactersOf: ["hello"])

  static let vocabularies: [Mistake] = [
    Mistake("`encode` of a character that is not known", "vocabulary: token 1 of the text: 'x' is not known") { _ in
      _ = try letters.encode("hx")
    },
    Mistake("`decode` of a number that stands for nothing", "vocabulary: number 1: 4 is not in 0..<4") { _ in
      _ = try letters.decode([0, 4])
    },
  ]

  private static func read(_ text: String, _ name: String, _ read: (String) throws -> Void, in folder: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    try read("\(folder)/\(name)")
  }

  private static func vocabulary(_ what: String, _ text: String, _ message: String) -> Mistake {
    Mistake("a vocabulary \(what)", message) { folder in
      try read(text, "v.json", { _ = try Vocabulary(path: $0) }, in: folder)
    }
  }

  private static func table(
    _ what: String, _ message: String, _ use: @escaping @Sendable (CSVFile) throws -> Void
  ) -> Mistake {
    Mistake("a table \(what)", message) { folder in
      try read(CSVFileTests.weather, "w.csv", { try use(try CSVFile(path: $0)) }, in: folder)
    }
  }

  /// What is only found when the contents of a file are used, or what no table of refused bytes has.
  static let files: [Mistake] = [
    Mistake("a file that is not there", "t.csv: no such file") { _ = try CSVFile(path: "\($0)/t.csv") },
    Mistake("a folder for a file", "t.npy: cannot be read") { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/t.npy", withIntermediateDirectories: false)
      _ = try NumPyFile(path: "\(folder)/t.npy")
    },
    Mistake("a compressed file that is cut off", "t.gz: is no complete gzip file") { folder in
      try Data([0x1F, 0x8B, 8]).write(to: URL(fileURLWithPath: "\(folder)/t.gz"))
      _ = try IDXFile(path: "\(folder)/t.gz", rank: 1)
    },
    table("with text for a number", "w.csv: line 2, column 'place': 'Rome, \"the city\"' is no number") {
      _ = try $0.tensor(["day", "place"])
    },
    table("without a number", "w.csv: line 3, column 'temperature': has no value") {
      _ = try $0.numbers("temperature")
    },
    table("without a column", "w.csv: has no column 'wind', only 'day', 'place', 'temperature', 'rain'") {
      _ = try $0.numbers("wind")
    },
    Mistake("a table separated by quotes", "csv: cannot be separated by '\"'") { _ in
      _ = try CSVFile(text: "a", separator: "\"")
    },
    Mistake("a table that is no text", "t.csv: is no text in UTF-8") { folder in
      try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: "\(folder)/t.csv"))
      _ = try CSVFile(path: "\(folder)/t.csv")
    },
    vocabulary("that is not complete", #"{"unit":"words"}"#, "v.json: is no vocabulary"),
    vocabulary(
      "with a token twice", #"{"unit":"words","tokens":["a","b","a"]}"#, "v.json: token 2: 'a' is there twice"),
    vocabulary(
      "without the token for the unknown", #"{"unit":"words","tokens":["a"],"unknown":"?"}"#,
      "v.json: has no token '?' to stand for the unknown"),
    Mistake("a file in a folder that is not there", "no/w: cannot be written: No such file or directory") { folder in
      try Safetensors(["a": .zeros([1])]).write(to: "\(folder)/no/w")
    },
  ]
}

/// Each mistake with data is one message.
@Suite struct DataMistakeTests {
  @Test(arguments: DataMistakes.datasets + DataMistakes.vocabularies + DataMistakes.files)
  func theMessageSaysWhatIsWrong(mistake: Mistake) throws {
    try withTemporaryFolder { folder in #expect(mistake.failure(in: folder) == nil) }
  }
}

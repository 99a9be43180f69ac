import Foundation
import Reel

/// The tokens of texts, characters or words, and their numbers.
///
///     let letters = Vocabulary(charactersOf: ["hihello"])           // e, h, i, l, o: 0 to 4
///     try letters.encode("hello")                                   // [1, 0, 3, 3, 4]
///     let words = Vocabulary(wordsOf: reviews, limit: 10_000, reserved: ["<pad>", "<unk>"], unknown: "<unk>")
///     padSequences(try reviews.map(words.encode), length: 200)
///
/// Tokens that are reserved have the first numbers, in their order. A vocabulary is `Codable`; ``save(to:)`` writes a file.
public struct Vocabulary: Hashable, Sendable, Codable {
  /// What a text is cut into.
  public enum Unit: String, Hashable, Sendable, Codable {
    /// Characters as a reader sees them.
    case characters
    /// Words in lower case; white space and punctuation, but for apostrophes, separate them.
    case words
  }

  /// What a text is cut into.
  public let unit: Unit
  /// The tokens; the number of one is its place.
  public let tokens: [String]
  /// What stands for tokens that are not in the list; nil if they are errors.
  public let unknown: String?
  private let numbers: [String: Int]

  /// A vocabulary of given tokens.
  ///
  /// - Parameters:
  ///   - tokens: The tokens in the order of their numbers.
  ///   - unit: What a text is cut into.
  ///   - unknown: The token, one of the list, for all that are not in it; they are errors if nil, the default.
  /// - Throws: ``DataError`` if a token occurs twice, or the unknown token not at all.
  public init(tokens: [String], unit: Unit, unknown: String? = nil) throws(DataError) {
    var numbers: [String: Int] = [:]
    for (number, token) in tokens.enumerated() where numbers.updateValue(number, forKey: token) != nil {
      throw DataError(path: "vocabulary", place: "token \(number)", problem: "'\(token)' is there twice")
    }
    if let unknown, numbers[unknown] == nil {
      throw DataError(path: "vocabulary", problem: "has no token '\(unknown)' to stand for the unknown")
    }
    (self.tokens, self.unit, self.unknown, self.numbers) = (tokens, unit, unknown, numbers)
  }

  /// The characters of some texts, in the order of their code points.
  ///
  /// - Parameters:
  ///   - texts: The texts.
  ///   - reserved: Tokens before the others, for padding and the like; none by default.
  ///   - unknown: The token for all that are not in the texts; put behind the reserved ones if it is none of them. Nil by
  ///     default: they are errors.
  public init(charactersOf texts: [String], reserved: [String] = [], unknown: String? = nil) {
    let found = Set(texts.joined().map(String.init))
    self.init(
      ordered: found.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }, .characters, reserved,
      unknown)
  }

  /// The words of some texts, the most frequent first, and words that are as frequent in the order of their appearance.
  ///
  /// - Parameters:
  ///   - texts: The texts.
  ///   - limit: The largest number of tokens, the reserved ones among them; none if nil.
  ///   - reserved: Tokens before the others, for padding and the like; none by default.
  ///   - unknown: The token for all that are not in the list; put behind the reserved ones if it is none of them. Nil by
  ///     default: they are errors.
  public init(wordsOf texts: [String], limit: Int? = nil, reserved: [String] = [], unknown: String? = nil) {
    var counts: [String: (count: Int, place: Int)] = [:]
    for word in texts.lazy.flatMap({ Self.pieces(of: $0, .words) }) {
      let place = counts.count
      counts[word, default: (0, place)].count += 1
    }
    let words = counts.sorted { ($1.value.count, $0.value.place) < ($0.value.count, $1.value.place) }.map(\.key)
    self.init(ordered: words, .words, reserved, unknown, limit: limit)
  }

  private init(ordered found: [String], _ unit: Unit, _ reserved: [String], _ unknown: String?, limit: Int? = nil) {
    let first = reserved + (unknown.map { reserved.contains($0) ? [] : [$0] } ?? [])
    let known = Set(first)
    precondition(known.count == first.count, "Vocabulary: a reserved token is there twice: \(reserved)")
    let tokens = first + found.filter { !known.contains($0) }
    self.tokens = limit.map { Array(tokens.prefix(max($0, first.count))) } ?? tokens
    self.unit = unit
    self.unknown = unknown
    numbers = Dictionary(uniqueKeysWithValues: self.tokens.enumerated().map { ($1, $0) })
  }

  /// The number of tokens.
  public var count: Int { tokens.count }

  /// The number of a token; nil if it is not in the list.
  public subscript(token: String) -> Int? { numbers[token] }

  // MARK: - Texts and numbers

  /// The numbers of the tokens of a text.
  ///
  /// - Throws: ``DataError`` for a token that is not in the list, if there is no token for those.
  public func encode(_ text: String) throws(DataError) -> [Int] {
    var encoded: [Int] = []
    for token in Self.pieces(of: text, unit) {
      guard let number = numbers[token] ?? unknown.flatMap({ numbers[$0] }) else {
        throw DataError(
          path: "vocabulary", place: "token \(encoded.count) of the text", problem: "'\(token)' is not known")
      }
      encoded.append(number)
    }
    return encoded
  }

  /// The text of some numbers: characters one after another, words with spaces between them.
  ///
  /// - Throws: ``DataError`` for a number that no token has.
  public func decode(_ numbers: [Int]) throws(DataError) -> String {
    var pieces: [String] = []
    for number in numbers {
      guard tokens.indices.contains(number) else {
        throw DataError(
          path: "vocabulary", place: "number \(pieces.count)", problem: "\(number) is not in 0..<\(tokens.count)")
      }
      pieces.append(tokens[number])
    }
    return pieces.joined(separator: unit == .words ? " " : "")
  }

  /// The tokens of a text as unit vectors: `[tokens, count]`.
  ///
  /// - Throws: ``DataError`` for a token that is not in the list, if there is no token for those.
  public func oneHot(_ text: String, elementType: ElementType? = nil) throws(DataError) -> Tensor {
    Tensor(try encode(text).map(Int32.init)).oneHot(count, elementType: elementType)
  }

  private static func pieces(of text: String, _ unit: Unit) -> [String] {
    switch unit {
    case .characters: text.map(String.init)
    case .words:
      text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "’") }.map(String.init)
    }
  }

  // MARK: - Files

  private enum CodingKeys: CodingKey { case unit, tokens, unknown }

  /// Decodes a vocabulary; tokens that occur twice are an error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      tokens: try container.decode([String].self, forKey: .tokens),
      unit: try container.decode(Unit.self, forKey: .unit),
      unknown: try container.decodeIfPresent(String.self, forKey: .unknown))
  }

  /// Writes a file in JSON.
  ///
  /// - Throws: ``DataError`` if it cannot be written; a file that was there is then as before.
  public func save(to path: String) throws(DataError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(self) else { throw DataError(path: path, problem: "cannot be encoded") }
    try AtomicFile.replace(path) { (file) throws(DataError) in try file.append(Array(json)) }
  }

  /// Reads a file that ``save(to:)`` wrote.
  ///
  /// - Throws: ``DataError`` if it is missing or no vocabulary.
  public init(path: String) throws(DataError) {
    let bytes = try FileBytes.read(path)
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch let error as DataError {
      throw DataError(path: path, place: error.place, problem: error.problem)
    } catch {
      throw DataError(path: path, problem: "is no vocabulary")
    }
  }
}

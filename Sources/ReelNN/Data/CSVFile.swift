import Foundation
import Reel

/// A table of text: values separated by commas, a line for each row, and mostly a line of names above them (RFC 4180).
///
///     let weather = try CSVFile(path: "weather.csv")
///     let series = try weather.tensor(["temperature", "pressure"], missing: .previous)     // [rows, 2]
///     let places = try weather.text("place")
///
/// A value in quotes may hold separators, line ends, and quotes written twice. Lines may end as on any system; empty ones
/// are passed over.
public struct CSVFile: Sendable {
  /// What stands for a number that is missing.
  public enum Missing: Hashable, Sendable {
    /// An error that says where.
    case refused
    /// Not a number.
    case nan
    /// A number.
    case value(Double)
    /// The number in the row before; an error in the first row.
    case previous
  }

  /// What the file is called.
  public let path: String
  /// The names of the columns: those of the header, or "0", "1", …
  public let columns: [String]
  /// Values that say that there is none.
  public let missingValues: Set<String>
  private let rows: [CSVRecord]

  /// The values that say that there is none, unless a reader says otherwise.
  public static let commonMissingValues: Set<String> = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file, in UTF-8; if its name ends in `.gz` it is decompressed.
  ///   - separator: Between values; a comma by default.
  ///   - hasHeader: Whether the first line has the names of the columns; true by default.
  ///   - missingValues: Values that say that there is none; ``commonMissingValues`` by default.
  /// - Throws: ``DataError`` that names line and column: for quotes that are not closed or followed by text, rows of
  ///   another length than the first, names that occur twice.
  public init(
    path: String, separator: Character = ",", hasHeader: Bool = true,
    missingValues: Set<String> = CSVFile.commonMissingValues
  ) throws(DataError) {
    try self.init(
      text: try FileBytes.readText(path), path: path, separator: separator, hasHeader: hasHeader,
      missingValues: missingValues)
  }

  /// Reads a text, with the parameters of a file.
  ///
  /// - Throws: ``DataError``, as for a file.
  public init(
    text: String, path: String = "csv", separator: Character = ",", hasHeader: Bool = true,
    missingValues: Set<String> = CSVFile.commonMissingValues
  ) throws(DataError) {
    guard let byte = separator.asciiValue, !"\"\r\n".utf8.contains(byte) else {
      throw DataError(path: path, problem: "cannot be separated by '\(separator)'")
    }
    var rows = try CSVRecord.records(Array(text.utf8), separator: byte, path: path)
    guard let first = rows.first else { throw DataError(path: path, problem: "is empty") }
    if hasHeader { rows.removeFirst() }
    columns = hasHeader ? first.fields : first.fields.indices.map(String.init)
    for row in rows where row.fields.count != columns.count {
      throw DataError(
        path: path, place: "line \(row.line)", problem: "has \(row.fields.count) values for \(columns.count) columns")
    }
    let names = Dictionary(columns.map { ($0, 1) }, uniquingKeysWith: +)
    if let twice = columns.first(where: { names[$0]! > 1 }) {
      throw DataError(path: path, place: "line \(first.line)", problem: "has the column '\(twice)' twice")
    }
    self.path = path
    self.rows = rows
    self.missingValues = missingValues
  }

  private init(_ file: CSVFile, rows: [CSVRecord]) {
    path = file.path
    columns = file.columns
    missingValues = file.missingValues
    self.rows = rows
  }

  /// The number of rows, without the header.
  public var rowCount: Int { rows.count }

  // MARK: - Values

  /// The values of a column as they stand in the file.
  ///
  /// - Throws: ``DataError`` if there is no such column.
  public func text(_ column: String) throws(DataError) -> [String] {
    let index = try index(of: column)
    return rows.map { $0.fields[index] }
  }

  /// The values of a column as numbers.
  ///
  /// - Parameters:
  ///   - column: The name of the column.
  ///   - missing: What stands for a missing number; an error by default.
  /// - Throws: ``DataError`` if there is no such column, or that names the line of what is no number.
  public func numbers(_ column: String, missing: Missing = .refused) throws(DataError) -> [Double] {
    let index = try index(of: column)
    var numbers: [Double] = []
    numbers.reserveCapacity(rows.count)
    for row in rows {
      let text = row.fields[index].trimmingCharacters(in: .whitespaces)
      func fail(_ problem: String) -> DataError {
        DataError(path: path, place: "line \(row.line), column '\(column)'", problem: problem)
      }
      guard missingValues.contains(text) else {
        guard let number = Double(text) else { throw fail("'\(text)' is no number") }
        numbers.append(number)
        continue
      }
      switch missing {
      case .refused: throw fail("has no value")
      case .nan: numbers.append(.nan)
      case .value(let number): numbers.append(number)
      case .previous:
        guard let previous = numbers.last else { throw fail("has no value, and there is no row before it") }
        numbers.append(previous)
      }
    }
    return numbers
  }

  /// Columns of numbers side by side: `[rows, columns]`.
  ///
  /// - Parameters:
  ///   - columns: Their names, in the order wanted; all columns if nil.
  ///   - missing: What stands for a missing number; an error by default.
  ///   - elementType: ``Reel/ElementType/default`` if nil.
  /// - Throws: ``DataError``, as for one column.
  public func tensor(
    _ columns: [String]? = nil, missing: Missing = .refused, elementType: ElementType? = nil
  ) throws(DataError) -> Tensor {
    let columns = columns ?? self.columns
    var elements = [Double](repeating: 0, count: rows.count * columns.count)
    for (place, column) in columns.enumerated() {
      for (row, number) in try numbers(column, missing: missing).enumerated() {
        elements[row * columns.count + place] = number
      }
    }
    return Tensor(elements, shape: [rows.count, columns.count]).converted(to: elementType ?? .default)
  }

  /// The table without the rows that have no value in some columns.
  ///
  /// - Parameter columns: Their names; all columns if nil.
  /// - Throws: ``DataError`` if there is no such column.
  public func droppingMissing(in columns: [String]? = nil) throws(DataError) -> CSVFile {
    var indices: [Int] = []
    for column in columns ?? self.columns { indices.append(try index(of: column)) }
    let whole = rows.filter { row in
      !indices.contains { missingValues.contains(row.fields[$0].trimmingCharacters(in: .whitespaces)) }
    }
    return CSVFile(self, rows: whole)
  }

  private func index(of column: String) throws(DataError) -> Int {
    guard let index = columns.firstIndex(of: column) else {
      let names = columns.map { "'\($0)'" }.joined(separator: ", ")
      throw DataError(path: path, problem: "has no column '\(column)', only \(names)")
    }
    return index
  }
}

/// A row of the file, and the line it begins in.
private struct CSVRecord: Sendable {
  let line: Int
  var fields: [String] = []

  static func records(_ bytes: [UInt8], separator: UInt8, path: String) throws(DataError) -> [CSVRecord] {
    var records: [CSVRecord] = []
    var (position, line) = (0, 1)
    while position < bytes.count {
      var record = CSVRecord(line: line)
      var isEnd = false
      while !isEnd {
        let place = "line \(line), column \(record.fields.count + 1)"
        guard let field = field(bytes, &position, &line, separator: separator) else {
          throw DataError(
            path: path, place: place, problem: "has a quote that is not closed, or text after one that is")
        }
        record.fields.append(field)
        isEnd = position >= bytes.count || bytes[position] != separator
        if !isEnd { position += 1 }
      }
      skipLineEnd(bytes, &position)
      line += 1
      if record.fields != [""] { records.append(record) }
    }
    return records
  }

  /// Carriage return, line feed, or both.
  private static func skipLineEnd(_ bytes: [UInt8], _ position: inout Int) {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
    if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
  }

  /// The value that begins at a position, which moves to the separator or line end behind it.
  private static func field(_ bytes: [UInt8], _ position: inout Int, _ line: inout Int, separator: UInt8) -> String? {
    let quote = UInt8(ascii: "\"")
    func isEnd(_ byte: UInt8) -> Bool { byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    guard position < bytes.count, bytes[position] == quote else {
      let end = bytes[position...].firstIndex(where: isEnd) ?? bytes.count
      defer { position = end }
      return String(decoding: bytes[position..<end], as: UTF8.self)
    }
    var text: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == quote {
        guard position < bytes.count, bytes[position] == quote else {
          return position == bytes.count || isEnd(bytes[position]) ? String(decoding: text, as: UTF8.self) : nil
        }
        position += 1
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      text.append(byte)
    }
    return nil
  }
}

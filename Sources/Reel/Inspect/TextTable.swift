/// Rows of words in columns of one width: words to the left, numbers to the right.
struct TextTable {
  private let numbersFrom: Int
  private var rows: [[String]]

  /// - Parameters:
  ///   - head: What stands above the columns.
  ///   - numbersFrom: The first of the columns that hold numbers.
  init(_ head: [String], numbersFrom: Int) {
    self.numbersFrom = numbersFrom
    rows = [head]
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    let used = widths.indices.filter { widths[$0] > 0 }
    let lines = rows.map { row in
      var line = used.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < numbersFrom ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
    let rule = String(repeating: "-", count: used.reduce(-2) { $0 + widths[$1] + 2 })
    return ([lines[0], rule] + lines[1...]).joined(separator: "\n")
  }

  /// A number of bytes as people read it, by powers of 1024.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (Double(count), 0)
    while value >= 1024 && unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    let digits = unit == 0 ? value : (value * 10).rounded() / 10
    return "\(Drawing.number(digits)) \(units[unit])"
  }
}

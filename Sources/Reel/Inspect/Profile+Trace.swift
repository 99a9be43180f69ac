extension Profile {
  /// Every run of every operation in the trace-event format of Chromium, which `chrome://tracing` and ui.perfetto.dev draw:
  /// a JSON object with complete events, times in microseconds, a row for each thread of a split loop.
  ///
  /// At most a million events are kept; the key `leftOut` says how many were not.
  public func trace() -> String {
    let (events, leftOut) = runs.events
    let origins = runs.totals.map(\.origin)
    let lines = events.sorted { ($0.start, $1.duration) < ($1.start, $0.duration) }.map { event in
      let origin = origins[event.origin]
      let isReverse = origin.path.contains(Recording.reverseMark)
      let layer = Self.layer(origin.path.filter { $0 != Recording.reverseMark })
      return """
        {"name":\(Self.quoted(origin.name)),"cat":"\(isReverse ? "reverse" : "forward")","ph":"X",\
        "ts":\(Self.microseconds(event.start)),"dur":\(Self.microseconds(event.duration)),"pid":1,\
        "tid":\(event.part),"args":{"layer":\(Self.quoted(layer)),"bytes":\(origin.byteCount)}}
        """
    }
    return "{\"displayTimeUnit\":\"ns\",\"leftOut\":\(leftOut),\"traceEvents\":[\n"
      + lines.joined(separator: ",\n") + "\n]}\n"
  }

  /// Writes ``trace()`` to a file, which is replaced in one step.
  ///
  /// - Parameter path: The file; its folder exists.
  /// - Throws: ``WritingError``; an old file is then as it was.
  public func writeTrace(to path: String) throws(WritingError) { try WritingError.write(trace(), to: path) }

  /// Nanoseconds as microseconds, to the last digit.
  private static func microseconds(_ nanoseconds: Int) -> String {
    let rest = "\(nanoseconds % 1000)"
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

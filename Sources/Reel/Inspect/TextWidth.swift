/// How wide a text is, without a font: the widths of the common sans serif letters, a little on the wide side.
package enum TextWidth {
  /// The width of a text in pixels at a font size; of `mono`, of letters that are all of one width.
  package static func of(_ text: String, size: Double = 12, mono: Bool = false) -> Double {
    text.unicodeScalars.reduce(0) { $0 + (mono && $1.value < 0x1100 ? 0.61 : share(of: $1)) } * size
  }

  /// The text, cut short where it is wider than `width`.
  package static func fitted(_ text: String, to width: Double, size: Double = 12, mono: Bool = false) -> String {
    if of(text, size: size, mono: mono) <= width { return text }
    var kept = text[...]
    while !kept.isEmpty, of(kept + "…", size: size, mono: mono) > width { kept.removeLast() }
    return kept + "…"
  }

  private static func of(_ text: Substring, size: Double, mono: Bool) -> Double {
    of(String(text), size: size, mono: mono)
  }

  /// The width of a character as a part of the font size.
  private static func share(of scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "I", "'", "|", ".", ",", ":", ";", "!": 0.32
    case "f", "r", "t", "(", ")", "[", "]", "{", "}", "-", "/", "\\", " ", "\"", "`": 0.4
    case "m", "w", "M", "W", "@", "%", "…", "—": 0.95
    case "A"..."Z", "&", "+", "=", "<", ">", "~", "^", "×", "∇": 0.74
    case "a"..."z", "0"..."9", "_", "?", "$", "#", "*", "–": 0.62
    case "\u{0300}"..."\u{036F}": 0
    case "\u{0}"..."\u{10FF}": 0.68
    default: 1.05
    }
  }
}

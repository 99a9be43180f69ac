/// The colours and letters of all pictures, as classes: once for light surroundings and once for dark ones.
///
/// Text has a contrast of at least 4.5 to 1 against the page in both, curves one of at least 3 to 1. The colours of series
/// differ in lightness too, and the first four are told apart with every kind of colour vision.
package enum DrawingStyle {
  /// How many series have a colour of their own; then the colours begin again, with dashes.
  package static let seriesCount = 8

  /// A colour that stands for `share` from 0 to 1 of the largest value, by opacity over the page.
  package static func opacity(_ share: Double) -> String {
    "fill-opacity:\(Drawing.number(0.06 + 0.94 * min(max(share, 0), 1)))"
  }

  /// The class of letters on a cell that is coloured by ``opacity(_:)``.
  package static func letters(on share: Double) -> String { share > 0.78 ? "onFull" : share > 0.55 ? "onHalf" : "ink" }

  private struct Palette {
    let page, ink, quiet, grid, axis, panel, forward, reverse, given, loop, positive, negative, onHalf, onFull: String
    let series: [String]
  }

  private static let light = Palette(
    page: "#ffffff", ink: "#1c2330", quiet: "#566072", grid: "#e4e8ee", axis: "#8791a1", panel: "#f7f9fb",
    forward: "#dceafd", reverse: "#fde6d2", given: "#eceff3", loop: "#f4f7fb", positive: "#1f5fc4", negative: "#c2410c",
    onHalf: "#1c2330", onFull: "#ffffff",
    series: ["#1f5fc4", "#c2410c", "#0f7a55", "#8b3fc7", "#a16207", "#0e7490", "#be185d", "#4b5563"])

  private static let dark = Palette(
    page: "#12161d", ink: "#e8ecf2", quiet: "#a3adbd", grid: "#2a313c", axis: "#6f7a8b", panel: "#181d26",
    forward: "#1d3557", reverse: "#5a3214", given: "#2a313c", loop: "#171d27", positive: "#7db2ff", negative: "#ff9d66",
    onHalf: "#10141b", onFull: "#10141b",
    series: ["#7db2ff", "#ff9d66", "#4fd1a1", "#c9a0f5", "#e5c35c", "#56cfe1", "#ff8fb8", "#aab4c3"])

  private static func rules(_ palette: Palette) -> String {
    let fills: [(String, String)] = [
      ("page", palette.page), ("panel", palette.panel), ("ink", palette.ink), ("title", palette.ink),
      ("strong", palette.ink), ("quiet", palette.quiet), ("mono", palette.quiet), ("onHalf", palette.onHalf),
      ("onFull", palette.onFull),
      ("positive", palette.positive), ("negative", palette.negative), ("forward", palette.forward),
      ("reverse", palette.reverse), ("given", palette.given), ("loop", palette.loop),
    ]
    let strokes: [(String, String)] = [
      ("grid", palette.grid), ("axis", palette.axis), ("edge", palette.axis), ("mark", palette.quiet),
      ("forward", palette.series[0]), ("reverse", palette.series[1]), ("given", palette.axis), ("loop", palette.axis),
    ]
    var rules = fills.map { ".\($0){fill:\($1)}" } + strokes.map { ".\($0){stroke:\($1)}" }
    for (index, color) in palette.series.enumerated() {
      rules.append(".s\(index){stroke:\(color)}.f\(index){fill:\(color)}")
    }
    return rules.joined()
  }

  /// The style sheet of a picture.
  static let css: String = {
    let family = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
    let shapes = [
      "text{font:12px \(family)}", ".title{font-size:15px;font-weight:600}", ".strong{font-weight:600}",
      ".small{font-size:11px}", ".mono{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
      ".grid,.axis{stroke-width:1}", ".curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}",
      ".dashed{stroke-dasharray:6 4}", ".edge{fill:none;stroke-width:1.2}",
      ".mark{stroke-width:1;stroke-dasharray:3 3}",
      ".forward,.reverse,.given,.loop{stroke-width:1}",
    ].joined()
    return shapes + rules(light) + "@media (prefers-color-scheme:dark){" + rules(dark) + "}"
  }()
}

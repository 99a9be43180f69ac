import Reel

/// Charts of what a training logs, and of what a model gives.
extension Chart {
  /// One chart for the loss and each metric over the epochs, what belongs to the validation data beside what belongs to the
  /// training data.
  ///
  /// - Parameters:
  ///   - names: What was logged; `val_` in front means the validation data.
  ///   - values: A number for each epoch, by name; NaN where there is none.
  ///   - epochs: The epochs, from 0; axes count from 1. Those of the values by default.
  static func training(names: [String], values: [String: [Double]], epochs: [Int]? = nil) -> [Chart] {
    let prefix = "val_"
    var subjects: [String] = []
    for name in names {
      let subject = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      if !subjects.contains(subject) { subjects.append(subject) }
    }
    return subjects.map { subject in
      let parts = [(subject, "training"), (prefix + subject, "validation")].enumerated().compactMap {
        index, part -> Series? in
        guard names.contains(part.0) else { return nil }
        let y = values[part.0] ?? []
        let x = epochs?.count == y.count ? epochs! : Array(y.indices)
        return Series(part.1, y, x: x.map { Double($0 + 1) }, color: index)
      }
      return Chart(
        title: subject.replacing("_", with: " "), x: "epoch", series: parts, countsX: true)
    }
  }

  /// A chart of the norm of the gradient over the steps of a training: of all parameters together, or one curve for each
  /// name.
  ///
  /// - Parameter norms: By name, a number for each step, as `gradients.globalNorm` gives it.
  public static func gradientNorms(_ norms: KeyValuePairs<String, [Double]>) -> Chart {
    Chart(
      title: "Norm of the gradient", x: "step", series: norms.map { Series($0.key, $0.value) }, countsX: true)
  }

  /// A chart of a forecast against the truth.
  ///
  /// - Parameters:
  ///   - history: What was known.
  ///   - truth: What came after it; may be empty.
  ///   - forecasts: By name, what was said to come after it.
  ///   - title: What stands above the chart.
  public static func forecast(
    after history: [Double], truth: [Double], _ forecasts: KeyValuePairs<String, [Double]>, title: String = "Forecast"
  ) -> Chart {
    // Every curve of the future begins at the present, so that they hang together.
    let present = Double(history.count - 1)
    func future(_ name: String, _ values: [Double], _ color: Int, _ style: Series.Style) -> Series {
      let y = (history.last.map { [$0] } ?? []) + values
      return Series(
        name, y, x: y.indices.map { Double($0) + (history.isEmpty ? 0 : present) }, style: style, color: color)
    }
    var series: [Series] = []
    if !history.isEmpty { series.append(Series("history", history, color: 7)) }
    if !truth.isEmpty { series.append(future("truth", truth, 0, .line)) }
    for (index, forecast) in forecasts.enumerated() {
      series.append(future(forecast.key, forecast.value, index + 1, .dashed))
    }
    return Chart(title: title, x: "step", series: series, countsX: true, mark: history.isEmpty ? nil : present)
  }
}

extension SVG {
  /// A picture of what a training logged: a chart for the loss and one for each metric, with training and validation.
  ///
  /// - Parameters:
  ///   - values: A number for each epoch, by name; `val_` in front of a name means the validation data. Numbers that are
  ///     not finite leave a gap.
  ///   - names: The names in the order of the charts; by default `loss` first, then the others by the alphabet.
  ///   - epochs: The epochs that the numbers belong to, from 0; all from the first on by default. Axes count from 1.
  public static func training(
    _ values: [String: [Double]], names: [String]? = nil, epochs: [Int]? = nil
  ) -> SVG {
    let names = names ?? values.keys.sorted { ($0 == "loss" ? "" : $0) < ($1 == "loss" ? "" : $1) }
    let charts = Chart.training(names: names, values: values, epochs: epochs)
    return Figure(charts.isEmpty ? [Chart(title: "Training", x: "epoch")] : charts).svg(title: "Training")
  }
}

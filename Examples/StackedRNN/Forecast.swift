import ExampleSupport
import Foundation
import Reel
import ReelNN

/// The task: windows of the weather, the temperature some hours behind each, and what networks make of it.
struct Forecast {
  /// What a network said about the windows that it was not trained with.
  struct Result {
    let name: String
    /// °C.
    let said: [Double]
  }

  private let epochs, window, ahead: Int
  private let seed: UInt64
  private let series: Tensor
  private let scaler: StandardScaler
  /// `[windows, time, features]` and `[windows, 1]`, scaled; the first part is for training.
  private let x, y: Tensor
  private let border: Int

  init(_ arguments: Arguments) throws {
    let hours = try arguments.count("--hours", default: 3000, atMost: 1_000_000)
    window = try arguments.count("--window", default: 24, atMost: 10_000)
    ahead = try arguments.count("--ahead", default: 6, atMost: 10_000)
    epochs = try arguments.count("--epochs", default: 5)
    seed = try arguments.seed()
    _ = try arguments.newFile("--plot")
    guard window >= 2 else { throw Arguments.Problem(description: "--window takes two hours at least") }
    let windows = hours - window - ahead + 1
    guard windows >= 10 else {
      throw Arguments.Problem(
        description: "--hours \(hours) is too short for ten windows of \(window) hours and \(ahead) ahead")
    }
    try Arguments.requireModest(windows, window, WeatherModel.features.count)
    border = windows * 4 / 5
    series = WeatherModel.series(hours: hours, seed: seed)
    // The scale is that of the training data: what comes later is not known yet.
    scaler = StandardScaler(fitting: series[0..<border + window])
    let (inputs, following) = scaler.transform(series).windows(of: window, horizon: ahead)
    x = inputs
    y = following.part(at: -1, along: 1).sliced(0..<1, along: 1)
  }

  func describe() throws {
    print("\(series.shape[0]) hours of weather, the first day at 6, 12 and 18 o'clock:")
    print(Self.row(WeatherModel.features))
    for hour in [6, 12, 18] where hour < series.shape[0] {
      print(Self.row(series[hour].numbers.map { String(format: "%.1f", $0) }))
    }
    print(
      "\(border) windows of \(window) hours to train with, \(x.shape[0] - border) to forecast, \(ahead) hours ahead\n")
  }

  private static func row(_ cells: [String]) -> String {
    cells.map { String(repeating: " ", count: max(12 - $0.count, 1)) + $0 }.joined()
  }

  /// Trains a network and has it foretell the windows that it has not seen.
  func train(_ name: String, _ network: () -> Sequential) throws -> Result {
    seedRandomness(seed)
    let network = network()
    print("\(name):\n\(try network.summary(inputShape: [nil, window, x.shape.last]))")
    let model = network.compile(optimizer: Adam(), loss: .meanSquaredError)
    let train = (x: x[0..<border], y: y[0..<border])
    try model.fit(train.x, train.y, batchSize: 64, epochs: epochs, validationSplit: 0.1, seed: seed, verbose: .bar)
    let said = try model.predict(x[border..<x.shape[0]], verbose: 0)
    print("")
    return Result(name: name, said: degrees(said))
  }

  /// The mean errors, beside those of two forecasts that need no network.
  func compare(_ results: [Result]) {
    let truth = degrees(y[border..<y.shape[0]])
    let now = degrees(x[border..<x.shape[0]].part(at: -1, along: 1))
    var rows = [Result(name: "as it is now", said: now)]
    if window > 24 - ahead && ahead <= 24 {
      let dayBefore = degrees(x[border..<x.shape[0]].part(at: window - 1 - (24 - ahead), along: 1))
      rows.append(Result(name: "as it was a day before", said: dayBefore))
    }
    print("mean error of the temperature in \(ahead) hours, over \(truth.count) hours:")
    for row in rows + results {
      let errors = zip(row.said, truth).map { abs($0 - $1) }
      let mean = errors.reduce(0, +) / Double(errors.count)
      print("  \(row.name.padding(toLength: 24, withPad: " ", startingAt: 0))" + String(format: "%5.2f °C", mean))
    }
  }

  /// The forecasts of the last five days against the truth.
  func chart(_ results: [Result]) -> Chart {
    let truth = degrees(y[border..<y.shape[0]])
    let shown = min(truth.count, 120)
    let start = Double(series.shape[0] - shown)
    let places = (0..<shown).map { start + Double($0) }
    var chart = Chart(title: "Temperature, foretold \(ahead) hours before", x: "hour", y: "°C", countsX: true)
    chart.series = [Chart.Series("truth", Array(truth.suffix(shown)), x: places)]
    chart.series += results.map { Chart.Series($0.name, Array($0.said.suffix(shown)), x: places, style: .dashed) }
    return chart
  }

  /// Scaled temperatures, the first feature of each row, in °C.
  private func degrees(_ scaled: Tensor) -> [Double] {
    scaler.selecting([0]).inverseTransform(scaled.sliced(0..<1, along: -1)).flattened().numbers
  }
}

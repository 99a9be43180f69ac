import Foundation
import Reel
import ReelNN

/// A series cut into windows, for a network without memory, which sees a window at once.
enum Series {
  /// The numbers 1 to 10 in windows of four.
  static func plain(_ settings: Settings) throws {
    print("4. Windows of 1 … 10 for a plain network")
    let series = Tensor((1...10).map(Float.init))
    let (x, y) = series.windows(of: 4, horizon: 1)
    print("the first window \(x[0]) and what follows \(y[0]); windows \(x.shape)")
    let model = network().compile(optimizer: Adam(learningRate: 0.01), loss: .meanSquaredError)
    try model.fit(x, y, batchSize: 1, epochs: settings.epochs ?? 300, seed: settings.seed, verbose: 0)
    let next = try model.number(for: [7, 8, 9, 10])
    print("after 7 8 9 10 comes \(text(next)), should be 11\n")
  }

  /// The numbers 1 to 100, brought to one scale first, and what comes after them.
  static func scaled(_ settings: Settings) throws {
    print("5. Windows of 1 … 100 with a scaler, and on beyond them")
    let series = Tensor((1...100).map(Float.init))
    let truth = (101...110).map(Double.init)
    var forecasts: [(name: String, numbers: [Double])] = []
    for scaler in [nil, StandardScaler(fitting: series.expanded(at: 1))] {
      seedRandomness(settings.seed)
      let numbers = try forecast(series, steps: truth.count, scaler, settings)
      let name = scaler == nil ? "raw" : "scaled"
      let worst = zip(numbers, truth).map { abs($0 - $1) }.max() ?? .nan
      print("\(name.padding(toLength: 7, withPad: " ", startingAt: 0))\(numbers.map(text).joined(separator: " "))")
      print("       off by \(text(worst)) at most")
      forecasts.append((name, numbers))
    }
    guard let plot = settings.plot else { return }
    let chart = Chart.forecast(
      after: Array(series.numbers.suffix(20)), truth: truth,
      ["raw numbers": forecasts[0].numbers, "with a scaler": forecasts[1].numbers], title: "After 81 … 100")
    try chart.svg().write(to: plot)
    print("wrote \(plot)")
  }

  /// Trains on the windows of a series, and then takes what it says as the next number, again and again.
  private static func forecast(
    _ series: Tensor, steps: Int, _ scaler: StandardScaler?, _ settings: Settings
  ) throws -> [Double] {
    let numbers = scaler.map { $0.transform(series.expanded(at: 1)).flattened() } ?? series
    let (x, y) = numbers.windows(of: 4, horizon: 1)
    let model = network().compile(optimizer: Adam(), loss: .meanSquaredError)
    try model.fit(x, y, batchSize: 8, epochs: settings.epochs ?? 100, seed: settings.seed, verbose: 0)
    var known = numbers
    for _ in 0..<steps {
      let next = try model.predict(known[known.count - 4..<known.count].expanded(at: 0), verbose: 0)
      known = concatenated([known, next.flattened()])
    }
    let said = known[series.count..<known.count]
    return (scaler.map { $0.inverseTransform(said.expanded(at: 1)).flattened() } ?? said).numbers
  }

  private static func network() -> Sequential {
    Sequential {
      Dense(32, activation: .relu)
      Dense(16, activation: .relu)
      Dense(1)
    }
  }
}

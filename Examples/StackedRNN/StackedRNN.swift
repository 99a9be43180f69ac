// Forecasts the temperature from six measurements with stacks of recurrent layers.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum StackedRNN {
  enum Choice: String, CaseIterable { case stacked, convolutional, both }

  static let command = Command(
    "stacked-rnn", "forecasts a temperature with stacked and bidirectional layers",
    options: [
      .init("--network", "NAME", "stacked, convolutional or both (default both)"),
      .init("--hours", "N", "length of the series (default 3000)"),
      .init("--window", "N", "hours that are read (default 24)"),
      .init("--ahead", "N", "hours from the last one read to the one foretold (default 6)"),
      .init("--epochs", "N", "passes over the training windows (default 5)"),
      .init("--seed", "N", "of weather, weights and order (default 0)"),
      .init("--plot", "FILE", "an SVG of the forecasts for the last days"),
    ])

  static func main() {
    command.run { arguments in
      let choice = try arguments.choice("--network", default: Choice.both)
      let forecast = try Forecast(arguments)
      try forecast.describe()
      var results: [Forecast.Result] = []
      if choice != .convolutional {
        results.append(try forecast.train("LSTM, GRU", Networks.stacked))
      }
      if choice != .stacked {
        results.append(try forecast.train("convolution, two ways", Networks.convolutional))
      }
      forecast.compare(results)
      if let plot = try arguments.newFile("--plot") {
        try forecast.chart(results).svg().write(to: plot)
        print("wrote \(plot)")
      }
    }
  }
}

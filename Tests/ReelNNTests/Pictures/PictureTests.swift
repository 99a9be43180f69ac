import Foundation
import Reel
@testable import ReelNN
import ReelTestSupport
import Testing

/// Pictures of trainings and models: whole documents in which every text is there, uncut and uncovered.
@Suite struct PictureTests {
  static func curve(_ count: Int, _ value: (Double) -> Double) -> [Double] { (0..<count).map { value(Double($0)) } }

  static let trainings: [(name: String, values: [String: [Double]])] = [
    ("nothing", [:]),
    ("no epoch", ["loss": [], "val_loss": []]),
    ("one epoch", ["loss": [0.7], "val_loss": [0.9], "accuracy": [0.5]]),
    ("two equal epochs", ["loss": [0.5, 0.5]]),
    ("zeros", ["loss": [0, 0, 0], "accuracy": [0, 0, 0]]),
    ("no numbers", ["loss": [.nan, .nan], "val_loss": [.infinity, -.infinity]]),
    ("gaps", ["loss": [1, .nan, 0.5, 0.4, .nan, 0.3], "val_loss": [.nan, .nan, 0.8, .nan, .nan, .nan]]),
    (
      "many epochs",
      [
        "loss": curve(1000) { 2 / (1 + $0 / 40) + 0.05 * sin($0) }, "val_loss": curve(1000) { 2 / (1 + $0 / 60) },
        "accuracy": curve(1000) { 1 - 1 / (1 + $0 / 50) }, "val_accuracy": curve(1000) { 0.97 - 1 / (1 + $0 / 50) },
        "learning_rate": curve(1000) { 0.001 * pow(0.995, $0) },
      ]
    ),
    ("a hundred thousand", ["loss": curve(100_000) { 1e-7 / (1 + $0) }]),
    ("large", ["loss": [1e12, 3e12, 2e12], "tiny": [1e-12, 3e-12, 5e-13], "negative": [-3, -2.5, -700]]),
    (
      "long names",
      [
        "a_metric_with_a_name_that_goes_on_and_on_far_beyond_what_a_chart_has_room_for_in_its_title": [1, 2],
        "loss & <more>": [1, 2],
      ]
    ),
  ]

  @Test(arguments: trainings.indices)
  func everyTrainingIsReadable(index: Int) throws {
    let (name, values) = Self.trainings[index]
    let picture = SVG.training(values)
    #expect(try XMLChecker.failure(picture.text) == nil, "\(name)")
    #expect(try PictureText(picture).failure == nil, "\(name)")
    #expect(!picture.text.contains("nan") && !picture.text.contains("\"inf"), "\(name)")
    #expect(picture.text.utf8.count < 400_000, "\(name)")
    // Every subject has a chart, and validation stands beside training.
    let texts = try PictureText(picture).lines.map(\.text)
    #expect(texts.contains("epoch"))
    if values["val_loss"] != nil { #expect(texts.contains { $0.hasPrefix("validation") }, "\(name)") }
  }

  @Test func pointsStandWhereTheirValuesAre() throws {
    let picture = SVG.training(["loss": [4, 2, 0]]).text
    let circles = picture.matches(of: /<circle class="f0" cx="([\d.]+)" cy="([\d.]+)"/).map {
      (x: Double($0.output.1)!, y: Double($0.output.2)!)
    }
    #expect(circles.count == 3)
    #expect(abs(circles[1].x - (circles[0].x + circles[2].x) / 2) < 0.02)
    #expect(abs(circles[1].y - (circles[0].y + circles[2].y) / 2) < 0.02)
    #expect(circles[0].y < circles[2].y, "greater values stand higher")
    // The sample in the legend is a line too.
    let lines = [[1, 2, 3, 2, 1], [1, 2, .nan, 2, 1]].map { values in
      SVG.training(["loss": values]).text.matches(of: /<polyline class="curve s0"/).count
    }
    #expect(lines == [1 + 1, 1 + 2], "a gap parts the curve")
  }

  @Test func aHistoryIsDrawnInItsOrder() throws {
    let history = History(
      epochs: [3, 4, 5], names: ["loss", "accuracy", "val_loss"],
      values: ["loss": [3, 2, 1], "accuracy": [0.1, 0.2, .nan], "val_loss": [3, 3, 2]])
    let lines = try PictureText(history.svg()).lines.map(\.text)
    #expect(lines.firstIndex(of: "loss")! < lines.firstIndex(of: "accuracy")!)
    #expect(lines.contains("4") && lines.contains("6"), "epochs count from 1: \(lines)")
    #expect(try PictureText(History().svg()).failure == nil)
  }

  @Test func ticksAreNice() {
    #expect(Ticks(covering: [0, 1]).labels == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Ticks(covering: [0.013, 0.087]).labels == ["0.00", "0.02", "0.04", "0.06", "0.08", "0.10"])
    #expect(
      Ticks(covering: [1, 10], count: 7, wholeNumbers: true, isTight: true).labels == ["2", "4", "6", "8", "10"])
    #expect(Ticks(covering: [1, 2], wholeNumbers: true, isTight: true).labels == ["1", "2"])
    #expect(Ticks(covering: [-3e-7, 4e-7]).labels.contains("2e-7"))
    #expect(Ticks(covering: [0, 4e9]).labels == ["0", "1e9", "2e9", "3e9", "4e9"])
    #expect(Ticks(covering: [.nan]).range == -0...1 || Ticks(covering: [.nan]).labels.count > 1)
    var generator = SplitMix(seed: 3)
    for _ in 0..<500 {
      let size = pow(10, Double.random(in: -12...12, using: &generator))
      let low = Double.random(in: -1...1, using: &generator) * size
      let high = low + Double.random(in: 1e-3...1, using: &generator) * size
      for count in [3, 5, 9] {
        let ticks = Ticks(covering: [low, high], count: count)
        #expect(ticks.range.lowerBound <= low + 1e-9 * size && ticks.range.upperBound >= high - 1e-9 * size)
        #expect((2...2 * count + 2).contains(ticks.values.count), "\(low) to \(high): \(ticks.labels)")
        #expect(Set(ticks.labels).count == ticks.labels.count, "\(low) to \(high): \(ticks.labels)")
      }
    }
  }

  @Test func longCurvesKeepTheirExtremes() {
    var points = (0..<50_000).map { (x: Double($0), y: sin(Double($0) / 900)) }
    points[31_234].y = 9
    points[7_000].y = -7
    let thinned = ChartPicture.thinned(points)
    #expect(thinned.count <= 1200 && thinned.first!.x == 0 && thinned.last!.x == 49_999)
    #expect(thinned.contains { $0.y == 9 } && thinned.contains { $0.y == -7 })
    #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.x < $1.x })
  }

  @Test func forecasts() throws {
    let history = Self.curve(60) { sin($0 / 5) }
    let truth = Self.curve(20) { sin(($0 + 60) / 5) }
    let chart = Chart.forecast(
      after: history, truth: truth, ["LSTM": truth.map { $0 * 0.9 }, "GRU": truth.map { $0 + 0.1 }])
    #expect(chart.series.map(\.name) == ["history", "truth", "LSTM", "GRU"])
    #expect(chart.series[1].x.first == 59 && chart.series[1].y.first == history.last && chart.mark == 59)
    for chart in [chart, .forecast(after: [], truth: [], [:]), .forecast(after: [1], truth: [], ["a": [2, .nan, 3]])] {
      #expect(try XMLChecker.failure(chart.svg().text) == nil)
      #expect(try PictureText(chart.svg()).failure == nil)
    }
  }

  @Test func manyCurvesHaveNamesAndColours() throws {
    var chart = Chart(title: "Norm of the gradient", x: "step", y: "norm")
    chart.series = (0..<14).map { index in
      Chart.Series("layer_\(index).recurrentKernel", Self.curve(30) { 1 / ($0 + Double(index) + 1) })
    }
    let picture = chart.svg()
    #expect(try PictureText(picture).failure == nil)
    #expect(try PictureText(picture).lines.count { $0.text.hasPrefix("layer_") } == 14)
    #expect(picture.text.contains("curve s5 dashed"), "colours that come again are dashed")
    let norms = Chart.gradientNorms(["all": [1, 2, 3], "lstm": [0.5, .nan, 1]])
    #expect(try PictureText(norms.svg()).failure == nil)
  }
}

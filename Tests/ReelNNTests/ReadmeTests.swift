import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of the README, compiled and run. What it shows and what is here are compared line by line.
@Suite struct ReadmeTests {
  // README: block 1
  struct MinimalGatedUnit: RecurrentCell {
    let units: Int
    let kernel = Parameter(.glorotUniform)
    let recurrentKernel = Parameter(.orthogonal)
    let bias = Parameter(.zeros)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let input = x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])
      let (xf, xn) = input.split(into: 2)
      let (uf, un) = recurrentKernel([units, 2 * units]).split(into: 2)
      let forget = sigmoid(xf + h.matmul(uf))
      let candidate = tanh(xn + (forget * h).matmul(un))
      let next = (1 - forget) * h + forget * candidate
      return (next, next)
    }
  }
  // README: end

  @Test func theSecondBlockTrains() throws {
    // README: block 2
    let model = Sequential {
      RNN(MinimalGatedUnit(units: 64), unroll: false)
      Dense(10)
    }
    let adam = Adam()
    let step = compiled { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      adam.update(model, along: gradients)
      return loss
    }
    try checkGradients(of: model, at: Tensor.random([2, 5, 3]))
    // README: end
    let (images, labels) = (sample([4, 3, 6], seed: 1, elementType: .float32), Tensor([3, 1, 4, 1] as [Int32]))
    let losses = try (0..<8).map { _ in try step(images, labels).item }
    #expect(losses.last! < losses.first!)
  }

  @Test func theBlocksAreThoseOfTheReadme() throws {
    let source = try Self.lines(of: URL(filePath: #filePath))
    let blocks = try Self.lines(of: URL(filePath: #filePath).appending(path: "../../../README.md").standardizedFileURL)
      .split(separator: "```swift").dropFirst().map { Array($0.prefix { $0 != "```" }) }
    for number in [1, 2] {
      let start = try #require(source.firstIndex { $0.hasSuffix("// README: block \(number)") }) + 1
      let end = try #require(source[start...].firstIndex { $0.hasSuffix("// README: end") })
      let indentation = source[start].prefix { $0 == " " }.count
      let shown = source[start..<end].map { String($0.dropFirst(indentation)) }
      #expect(shown == blocks[number - 1], "block \(number)")
    }
  }

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
  }
}

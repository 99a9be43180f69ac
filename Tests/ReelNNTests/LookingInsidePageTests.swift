import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of `Docs/LookingInside.md`, compiled and run.
@Suite struct LookingInsidePageTests {
  @Test func theTextOfAGraph() throws {
    // Page: block 1
    let graph = try Graph(tracing: [TensorType([3, 4]), TensorType([5, 2, 3])]) { x in
      [
        gradient(at: x[0]) { w in
          scan(over: x[1], from: Tensor.zeros([2, 4])) { h, x in
            let next = tanh(x.matmul(w) + h)
            return (next, next)
          }.state.sum()
        }
      ]
    }
    print(graph)
    let again = try Graph(parsing: graph.description)
    // Page: end
    #expect(again.description == graph.description)
    try TemporaryFolder.with { folder in
      // Page: block 2
      try graph.svg().write(to: folder + "/graph.svg")
      try Data(graph.dot().utf8).write(to: URL(filePath: folder + "/graph.dot"))
      // Page: end
      #expect(FileManager.default.fileExists(atPath: folder + "/graph.svg"))
    }
  }

  @Test func timeAndMemory() throws {
    let model = Sequential {
      LSTM(64)
      Dense(10)
    }
    let sgd = SGD(learningRate: 0.1)
    let images = sample([128, 28, 28], seed: 1, elementType: .float32)
    let labels = Tensor((0..<128).map { Int32($0 % 10) })
    // Page: block 3
    let step = compiled { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      sgd.update(model, along: gradients)
      return loss
    }
    _ = try step(images, labels)
    let run = try profile { try step(images, labels) }
    print(run.profile)
    // Page: end
    #expect(run.profile.byLayer.contains { !$0.path.isEmpty && $0.isReverse })
    try TemporaryFolder.with { folder in
      // Page: block 4
      try run.profile.writeTrace(to: folder + "/step.json")
      // Page: end
      #expect(FileManager.default.fileExists(atPath: folder + "/step.json"))
    }
    // Page: block 5
    print(try step.graph(for: images, labels).memoryReport())
    // Page: end
  }

  @Test func picturesForPeople() throws {
    let counts = Tensor([50.0, 3, 7, 940], shape: [2, 2])
    let forget = sigmoid(sample([28, 64], seed: 3, elementType: .float32))
    let known = (0..<60).map { sin(Double($0) / 5) }
    let truth = (60..<80).map { sin(Double($0) / 5) }
    let forecast = truth.map { $0 * 0.9 }
    let norms = (0..<200).map { 1 / (1 + Double($0) / 20) }
    try TemporaryFolder.with { folder in
      // Page: block 6
      let losses = ["loss": [1.2, 0.6, 0.4], "val_loss": [1.3, 0.8, 0.7], "accuracy": [0.5, 0.8, 0.9]]
      try SVG.training(losses).write(to: folder + "/training.svg")
      try SVG.confusionMatrix(counts, classes: ["rare", "common"]).write(to: folder + "/confusion.svg")
      try SVG.gates(["forget": forget]).write(to: folder + "/gates.svg")
      try Chart.forecast(after: known, truth: truth, ["LSTM": forecast]).svg().write(to: folder + "/forecast.svg")
      try Chart.gradientNorms(["all parameters": norms]).svg().write(to: folder + "/norms.svg")
      // Page: end
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 5)
    }
  }

  @Test func thePageHasThisCode() throws {
    try expectBlocks(of: "Docs/LookingInside.md")
  }
}

import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// One training step of every cell gives the same loss, gradients and parameters, bit for bit, on every instruction set
/// and any number of threads. Both are chosen once in a process, so every combination runs in one of its own.
@Suite struct SameBitsTests {
  /// A user's cell, so that nothing here is known to the library.
  struct Leaky: RecurrentCell {
    let units: Int
    let kernel = Parameter(.glorotUniform)
    let recurrentKernel = Parameter(.orthogonal)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let z = x.matmul(kernel([x.shape.last, units])) + h.matmul(recurrentKernel([units, units]))
      let next = 0.9 * h + 0.1 * erf(z) * sin(z)
      return (next, next)
    }
  }

  static let units = 19

  static func layers() -> [any Layer<Tensor, Tensor>] {
    [
      SimpleRNN(units), LSTM(units), GRU(units), GRU(units, resetAfter: false), LSTM(units, unroll: 2),
      RNN(Leaky(units: units)),
    ]
  }

  /// The numbers of one step of each cell, as bytes folded to 64 bits (FNV-1a).
  static func digest() throws -> String {
    var words: [String] = []
    for layer in layers() {
      seedRandomness(1)
      let model = Sequential([layer, Dense(5)])
      let optimizer = Adam(learningRate: 0.01)
      let x = Tensor.randomNormal([61, 7, 6], key: RandomKey(seed: 2))
      let labels = Tensor((0..<61).map { Int32($0 % 5) })
      var made = false
      let step = compiled { (x: Tensor, labels: Tensor) -> [Tensor] in
        let (loss, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy(logits: model(x), labels: labels) }
        optimizer.update(model, along: gradients)
        made = true
        return [loss] + gradients.parameters.map { gradients[$0.parameter]! }
      }
      let results = try step(x, labels) + step(x, labels)
      precondition(made)
      words.append(hash(results + model.parameters.map { $0.parameter.value! }))
    }
    return words.joined(separator: " ")
  }

  private static func hash(_ tensors: [Tensor]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for tensor in tensors {
      for number in tensor.scalars(as: Float.self) { hash = (hash ^ UInt64(number.bitPattern)) &* 0x100_0000_01B3 }
    }
    return String(hash, radix: 16)
  }

  @Test func everyInstructionSetAndThreadCountGivesTheSameBits() async throws {
    var found: [String: String] = [:]
    for instructionSet in Runtime.supportedInstructionSets {
      for threads in ["1", "2", "3", "7"] {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
          [instructionSet = instructionSet as String, threads = threads as String] in
          setenv("REEL_ISA", instructionSet, 1)
          setenv("REEL_THREADS", threads, 1)
          print("digest", try SameBitsTests.digest())
        }
        let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        let digest = try #require(output.split(separator: "\n").first { $0.contains("digest") }, "\(output)")
        found["\(instructionSet), \(threads) threads"] = String(digest.drop { $0 != "d" })
      }
    }
    #expect(found.count >= 4)
    #expect(Set(found.values).count == 1, "\(found)")
  }
}

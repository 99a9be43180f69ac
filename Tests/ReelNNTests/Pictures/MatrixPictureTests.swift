import Reel
@testable import ReelNN
import ReelTestSupport
import Testing

/// Confusion matrices and gates.
@Suite struct MatrixPictureTests {
  static let matrices: [(counts: [Double], names: [String]?)] = [
    ([5], nil), ([0, 0, 0, 0], ["yes", "no"]), ([50, 3, 7, 940], ["rare", "common"]),
    ((0..<100).map { $0 % 11 == 0 ? 980 : Double($0 % 7) }, nil),
    (
      (0..<25).map { Double($0 * $0 * 100_000) },
      ["walking", "standing upright", "a", "sitting down on a chair", "<&>"]
    ),
    ((0..<3600).map { Double($0 % 61) }, (0..<60).map { "class \($0)" }),
    ([1.5, 0.25, 3, 2], nil),
  ]

  @Test(arguments: matrices.indices)
  func everyMatrixIsReadable(index: Int) throws {
    let (counts, names) = Self.matrices[index]
    let size = Int(Double(counts.count).squareRoot())
    let picture = try SVG.confusionMatrix(Tensor(counts, shape: [size, size]), classes: names)
    #expect(try XMLChecker.failure(picture.text) == nil)
    let text = try PictureText(picture)
    #expect(text.failure == nil)
    #expect(picture.text.matches(of: /<rect class="(?:positive|negative)"/).count == counts.count)
  }

  @Test func totalsRecallAndAccuracyAreThere() throws {
    let picture = try SVG.confusionMatrix(Tensor([50.0, 3, 7, 940], shape: [2, 2]), classes: ["rare", "common"])
    let texts = try PictureText(picture).lines.map(\.text)
    for text in [
      "accuracy 99.0 %, 990 of 1,000 correct", "53", "947", "57", "943", "94.3 %", "99.3 %", "rare", "common",
    ] {
      #expect(texts.contains(text), "\(text) in \(texts)")
    }
    #expect(picture.text.contains("rare taken for common: 3, 5.7 %"))
  }

  static let errors: [(Tensor, [String]?, String)] = [
    (Tensor([1.0, 2]), nil, "counts of shape [2] (operands: f64[2]); expected [classes, classes]"),
    (Tensor.zeros([2, 3]), nil, "counts of shape [2,3] (operands: f32[2,3]); expected [classes, classes]"),
    (Tensor.zeros([2, 2]), ["a"], "1 names for 2 classes (operands: f32[2,2]); expected a name for each class"),
    (
      Tensor([-1.0], shape: [1, 1]), nil,
      "counts that are negative or not finite (operands: f64[1,1]); expected numbers of at least 0"
    ),
  ]

  @Test(arguments: errors.indices)
  func whatIsNoMatrixIsAnError(index: Int) {
    let (counts, names, message) = Self.errors[index]
    let error = #expect(throws: TensorError.self) { try SVG.confusionMatrix(counts, classes: names) }
    #expect(error?.description == "confusionMatrix: " + message)
  }

  @Test(arguments: [(1, 1), (28, 64), (3, 500), (2000, 2), (1, 20), (0, 4), (5, 0)])
  func gatesOfEverySize(time: Int, units: Int) throws {
    let forget = sigmoid(Tensor.iota(time * units, from: -3, by: 0.01, elementType: .float32)).reshaped(to: [
      time, units,
    ])
    let state = (forget - 0.6) * 3
    let picture = try SVG.gates(["forget": forget, "a state with a rather long name, longer than most": state])
    #expect(try XMLChecker.failure(picture.text) == nil)
    let text = try PictureText(picture)
    #expect(text.failure == nil)
    #expect(text.lines.contains { $0.text == "forget" } && text.lines.contains { $0.text == "0 to 1" })
    if time * units == 0 { #expect(text.lines.contains { $0.text == "no values" }) }
    #expect(picture.text.utf8.count < 12_000_000)
  }

  @Test func gatesOfAnotherShapeAreAnError() {
    let error = #expect(throws: TensorError.self) { try SVG.gates(["forget": .zeros([3])]) }
    #expect(error?.description == "gates: 'forget' of shape [3] (operands: f32[3]); expected [time, units]")
  }

  @Test func cellsThatAreNoNumbersStayEmpty() throws {
    let picture = try SVG.gates(["forget": Tensor([0.5, .nan, 1, 0], shape: [2, 2])])
    #expect(picture.text.matches(of: /<rect class="positive" x="[\d.]+" y="[\d.]+" width="280"/).count == 3)
  }
}

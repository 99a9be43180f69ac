import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Penalties and constraints beyond their golden values.
@Suite struct RegularizerTests {
  static let regularizers: [Regularizer] = [
    .l1(), .l2(), .l1l2(l1: 0.3, l2: 0.2), .orthogonal(), .orthogonal(0.5, mode: .columns),
  ]

  @Test(arguments: regularizers.indices)
  func derivativesPassToSecondOrder(index: Int) throws {
    let report = try checkGradients(of: { Self.regularizers[index]($0) }, at: sample([4, 3], seed: 1), order: 2)
    #expect(report.kinks == 0 && report.worstRelativeError < 1e-6)
  }

  @Test func defaultsAreKerass() {
    let w = Tensor([Float(1), -2, 3, -4], shape: [2, 2])
    #expect(Regularizer.l1()(w).numbers == [Double(Float(0.01) * 10)])
    #expect(Regularizer.l2()(w).numbers == [Double(Float(0.01) * 30)])
    #expect(Regularizer.l1l2()(w).numbers == [0])
    #expect(Regularizer.l1()(w).elementType == .float32)
    #expect(Regularizer.l1()(.zeros([0])).numbers == [0])
  }

  @Test func orthogonalVectorsHaveNoPenalty() {
    let rotated = ElementType.withDefault(.float64) { Initializer.orthogonal([3, 5]) }
    #expect(Regularizer.orthogonal(1)(rotated).item < 1e-15)
    #expect(Regularizer.orthogonal(1, mode: .columns)(rotated.transposed()).item < 1e-15)
    // All at 60°.
    let (half, rest) = (0.5, 0.75.squareRoot())
    let triangle = Tensor([1, 0, 0, half, rest, 0, half, rest / 3, (2.0 / 3).squareRoot()], shape: [3, 3])
    expectClose(Regularizer.orthogonal(1)(triangle * 7), Tensor(0.5), relative: 1e-14)
    #expect(Regularizer.orthogonal(1)(Tensor([1.0, 2], shape: [1, 2])).item == 0)
    let (value, slope) = valueWithGradient(at: Tensor([1.0, 2, 0, 0], shape: [2, 2])) { Regularizer.orthogonal(1)($0) }
    #expect(value.item == 0 && slope.numbers.allSatisfy { $0.isFinite }, "a row of zeros")
  }

  @Test func aPenaltyIsTheSumOverTrainableParameters() throws {
    struct Weights: Module {
      let first = Parameter(.constant(2), regularizer: .l2(1))
      let second = Parameter(.constant(3), regularizer: .l1(1))
      let free = Parameter(.constant(5))
      let fixed = Parameter(.constant(7), isTrainable: false, regularizer: .l1(1))
      let unused = Parameter(.constant(11), regularizer: .l1(1))
    }
    let weights = Weights()
    #expect(weights.penalty == nil, "nothing has been made")
    for parameter in [weights.first, weights.second, weights.free, weights.fixed] { _ = parameter([3]) }
    #expect(weights.penalty?.numbers == [12 + 9])
    // The parameter itself is in the model twice.
    struct Twice: Module { let one, other: Weights }
    #expect(Twice(one: weights, other: weights).penalty?.numbers == [21])
    let run = { () -> [Tensor] in
      let (value, gradients) = valueWithGradient(of: weights) { (weights.first([3]) * 10).sum() }
      return [value] + gradients.parameters.map { gradients[$0.parameter]! }
    }
    let expected: [[Double]] = [[60 + 21], [14, 14, 14], [1, 1, 1]]
    #expect(run().map(\.numbers) == expected)
    #expect(try compiled(run)().map(\.numbers) == expected)
  }

  @Test func denseHasAllOfThem() {
    let layer = Dense(
      2, kernelInitializer: .constant(1), biasInitializer: .constant(-1), kernelRegularizer: .l1(1),
      biasRegularizer: .l2(1), activityRegularizer: .l1(1), kernelConstraint: .nonNegative, biasConstraint: .unitNorm())
    // Outputs are 2: their penalty is 16/4.
    let (value, _) = valueWithGradient(of: layer) { layer(.ones([4, 3])).sum() }
    #expect(value.numbers == [16 + 6 + 2 + 4])
    #expect(layer.kernel.constraint?.name == "nonNegative" && layer.bias.constraint?.name == "unitNorm")
  }

  // MARK: - Constraints

  @Test func defaultsOfConstraintsAreKerass() {
    let w = Tensor([3.0, 0, 4, 0], shape: [2, 2])
    expectClose(Constraint.unitNorm()(w), Tensor([0.6, 0, 0.8, 0], shape: [2, 2]), relative: 1e-7)
    expectClose(Constraint.maxNorm()(w), Tensor([1.2, 0, 1.6, 0], shape: [2, 2]), relative: 1e-7)
    expectClose(Constraint.minMaxNorm()(w), Tensor([0.6, 0, 0.8, 0], shape: [2, 2]), relative: 1e-7)
    expectClose(
      Constraint.minMaxNorm(min: 10, max: 20, rate: 0.25, along: [0, 1])(w),
      w * 1.25, relative: 1e-7)
    expectClose(Constraint.maxNorm(5, along: [0, 1])(w), w, relative: 1e-7)
    #expect(Constraint.nonNegative(Tensor([-1.0, 0, 2])).numbers == [0, 0, 2])
  }

  @Test func projectionsStayWhereTheyAre() {
    let w = sample([4, 3], seed: 2)
    for constraint in [Constraint.unitNorm(along: [1]), .maxNorm(0.5), .minMaxNorm(min: 0.7, max: 0.9), .nonNegative] {
      let once = constraint(w)
      expectClose(constraint(once), once, relative: 1e-6, constraint.name)
      #expect(bitDifference(once, w) != nil, "\(constraint.name) changes something")
    }
  }

  static let mistakes: [Mistake] = [
    Mistake(
      "`Regularizer.orthogonal` of a vector",
      "regularizer: the angles of a value of shape [3] (operands: f32[3]); expected a matrix"
    ) { _ in _ = Regularizer.orthogonal()(.zeros([3])) },
    Mistake(
      "`Constraint.unitNorm` of a vector along axis 1",
      "sum: axis 1 of an operand of shape [3]; expected an axis in -1...0"
    ) { _ in _ = Constraint.unitNorm(along: [1])(.zeros([3])) },
  ]

  @Test(arguments: mistakes)
  func mistakesAreErrors(mistake: Mistake) { #expect(mistake.failure() == nil) }
}

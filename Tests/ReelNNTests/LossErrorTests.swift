import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Each mistake that a user of losses and metrics can make is one message, before anything is computed.
@Suite struct LossErrorTests {
  private static func mistake(
    _ loss: Loss, _ inputs: [TensorType], _ message: String, weight: Int? = nil, mask: Int? = nil
  ) -> ErrorTests.Mistake {
    ErrorTests.Mistake(what: message, inputs: inputs, message: message) {
      { x in
        loss(predicted: x[0], expected: x[1], sampleWeight: weight.map { x[$0] }, mask: mask.map { x[$0] })
      }
    }
  }

  private static func mistake(
    _ metric: @escaping () -> Metric, _ inputs: [TensorType], _ message: String
  ) -> ErrorTests.Mistake {
    ErrorTests.Mistake(what: message, inputs: inputs, message: message) {
      let metric = metric()
      return { x in
        metric.update(predicted: x[0], expected: x[1], sampleWeight: x.count > 2 ? x[2] : nil)
        return metric.result
      }
    }
  }

  private static func float(_ shape: Shape) -> TensorType { TensorType(shape) }
  private static func labels(_ shape: Shape) -> TensorType { TensorType(shape, .int32) }

  static var operands: [ErrorTests.Mistake] {
    [
      mistake(
        .meanSquaredError, [float([2, 3]), float([2, 1])],
        """
        meanSquaredError: predictions of type f32[2,3] for values of type f32[2,1]; expected one shape for both, which \
        nothing is broadcast to, and one floating-point type
        """),
      mistake(
        .huber(), [float([2, 3]), TensorType([2, 3], .float64)],
        """
        huber: predictions of type f32[2,3] for values of type f64[2,3]; expected one shape for both, which nothing is \
        broadcast to, and one floating-point type
        """),
      mistake(
        .binaryCrossEntropy(), [labels([2, 1]), labels([2, 1])],
        "binaryCrossEntropy: predictions of type i32[2,1]; expected floating point [..., features]"),
      mistake(
        .hinge, [float([]), float([])],
        "hinge: predictions of type f32[]; expected floating point [..., features]"),
      mistake(
        .cosineSimilarity(along: 2), [float([2, 3]), float([2, 3])],
        "cosineSimilarity: sum: axis 2 of an operand of shape [2,3]; expected an axis in -2...1"),
      mistake(
        .categoricalCrossEntropy(), [float([2, 3]), labels([2])],
        """
        categoricalCrossEntropy: labels of type i32[2] for predictions of shape [2,3]; expected the probabilities of the \
        classes, f32[2,3]; sparse losses and metrics take classes
        """),
      mistake(
        .sparseCategoricalCrossEntropy(), [float([2, 3]), float([2, 3])],
        """
        sparseCategoricalCrossEntropy: labels of type f32[2,3] for predictions of shape [2,3]; expected the class of each, \
        i32[2]
        """),
      mistake(
        .sparseCategoricalCrossEntropy(ignoreClass: 0), [float([2, 5, 3]), labels([2])],
        """
        sparseCategoricalCrossEntropy: labels of type i32[2] for predictions of shape [2,5,3]; expected the class of each, \
        i32[2,5]
        """),
      mistake(
        .klDivergence, [float([]), float([])],
        "klDivergence: predictions of type f32[]; expected floating-point scores of the classes along axis -1"),
      mistake(
        .categoricalFocalCrossEntropy(along: 3), [float([2, 3]), float([2, 3])],
        """
        categoricalFocalCrossEntropy: predictions of type f32[2,3]; expected floating-point scores of the classes along \
        axis 3
        """),
    ]
  }

  static var weights: [ErrorTests.Mistake] {
    [
      mistake(
        .meanSquaredError, [float([2, 3]), float([2, 3]), float([3])],
        """
        meanSquaredError: sample weights of type f32[3] for entries of shape [2]; expected f32[2], where trailing axes may \
        be missing and extents be 1
        """, weight: 2),
      mistake(
        .meanSquaredError, [float([2, 5, 3]), float([2, 5, 3]), float([2, 5, 3])],
        """
        meanSquaredError: sample weights of type f32[2,5,3] for entries of shape [2,5]; expected f32[2,5], where trailing \
        axes may be missing and extents be 1
        """, weight: 2),
      mistake(
        .poisson, [float([2, 3]), float([2, 3]), TensorType([2], .float64)],
        """
        poisson: sample weights of type f64[2] for entries of shape [2]; expected f32[2], where trailing axes may be \
        missing and extents be 1
        """, weight: 2),
      mistake(
        .logCosh, [float([2, 5, 3]), float([2, 5, 3]), float([2, 5])],
        """
        logCosh: a mask of type f32[2,5] for entries of shape [2,5]; expected bool[2,5], where trailing axes may be \
        missing and extents be 1
        """, mask: 2),
      mistake(
        .logCosh, [float([2, 5, 3]), float([2, 5, 3]), TensorType([2, 4], .bool)],
        """
        logCosh: a mask of type bool[2,4] for entries of shape [2,5]; expected bool[2,5], where trailing axes may be \
        missing and extents be 1
        """, mask: 2),
      mistake(
        Loss("whole") { $0.argMax() + $1 }, [float([2, 3]), labels([2])],
        "whole: entries of type i32[2]; expected a floating-point number for each sample"),
    ]
  }

  static var metrics: [ErrorTests.Mistake] {
    [
      mistake(
        { .accuracy() }, [float([2, 3]), float([2])],
        "accuracy: labels of type f32[2] for predictions of shape [2,3]; expected the class of each, i32[2]"),
      mistake(
        { .exactAccuracy() }, [float([2]), labels([2])],
        "exactAccuracy: predictions of type f32[2] for values of type i32[2]; expected one type for both"),
      mistake(
        { .auc() }, [float([2, 3]), float([2, 4])],
        """
        auc: predictions of type f32[2,3] for values of type f32[2,4]; expected one shape for both, which nothing is \
        broadcast to, and one floating-point type
        """),
      mistake(
        { .auc(labelWeights: [1, 2]) }, [float([2, 3]), float([2, 3])],
        "auc: 2 label weights for predictions of shape [2,3]; expected one for each"),
      mistake(
        { .precision(classID: 3) }, [float([2, 3]), float([2, 3])],
        "precision: class 3 of predictions of shape [2,3]; expected a class below the last extent"),
      mistake(
        { .confusionMatrix(classes: 4) }, [float([2, 3]), labels([2])],
        """
        confusionMatrix: predictions of type f32[2,3] for values of type i32[2]; expected scores [..., 4] or i32[...] \
        classes of each, for the same samples
        """),
      mistake(
        { .recall() }, [float([2, 3]), float([2, 3]), float([3])],
        """
        recall: sample weights of type f32[3] for entries of shape [2,3]; expected f32[2,3], where trailing axes may be \
        missing and extents be 1
        """),
      mistake(
        {
          let metric = Metric.f1Score()
          metric.update(predicted: .ones([1, 4]), expected: .ones([1, 4]))
          return metric
        }, [float([2, 3]), float([2, 3])],
        """
        f1Score: sums of shapes [[3], [3], [3]] after sums of shapes [[4], [4], [4]]; expected as many classes or outputs \
        in every update
        """),
    ]
  }

  @Test(arguments: operands.indices)
  func ofOperands(index: Int) { ErrorTests.check(Self.operands[index]) }

  @Test(arguments: weights.indices)
  func ofWeights(index: Int) { ErrorTests.check(Self.weights[index]) }

  @Test(arguments: metrics.indices)
  func ofMetrics(index: Int) { ErrorTests.check(Self.metrics[index]) }

  /// A failed update leaves the sums as they were, or unmade.
  @Test func aFailedUpdateAddsNothing() throws {
    let metric = Metric.f1Score(average: .macro)
    let update = compiled { (p: Tensor, y: Tensor) -> Tensor in
      metric.update(predicted: p, expected: y)
      return metric.result
    }
    #expect(throws: TensorError.self) { try update(.ones([2, 3]), .ones([2, 4])) }
    let first = try update(.ones([2, 3]), .ones([2, 3]))
    #expect(throws: TensorError.self) { try update(.ones([2, 3]), .ones([2, 4])) }
    expectSameBits(metric.result, first)
  }
}

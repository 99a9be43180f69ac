import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of `Docs/Derivatives.md`, compiled and run. What it shows and what is here are compared line by line.
@Suite struct DerivativesPageTests {
  @Test func theDerivativesAreTheOnesSaid() {
    // Page: block 1
    let x = Tensor([0.5, -1.5, 2])
    let v = Tensor([1.0, 0, 0])
    let f = { (x: Tensor) in (x * x * x).sum() }

    let slope = gradient(at: x, of: f)  // 3x²
    let (value, along) = valueWithDerivative(at: x, along: v, of: f)  // f(x), 3x² · v
    let curvature = hessianVectorProduct(at: x, along: v, of: f)  // 6x * v
    let matrix = hessian(at: x, of: f)  // diag(6x)
    let rows = jacobian(at: x) { $0 * $0 }  // diag(2x), of shape [3, 3]
    // Page: end
    expectClose(slope, Tensor([0.75, 6.75, 12]), relative: 1e-14)
    expectClose(value, Tensor(4.75), relative: 1e-14)
    expectClose(along, Tensor(0.75), relative: 1e-14)
    expectClose(curvature, Tensor([3.0, 0, 0]), relative: 1e-14)
    expectClose(matrix, Tensor([3.0, 0, 0, 0, -9, 0, 0, 0, 12], shape: [3, 3]), relative: 1e-14)
    expectClose(rows, Tensor([1.0, 0, 0, 0, -3, 0, 0, 0, 4], shape: [3, 3]), relative: 1e-14)
  }

  @Test func theBlocksOfModelsRun() throws {
    let model = Sequential {
      GRU(2)
      Dense(3)
    }
    let (x, labels) = (sample([2, 3, 2], seed: 1, elementType: .float32), Tensor([2, 0] as [Int32]))
    // Page: block 2
    let (loss, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy(logits: model(x), labels: labels) }
    let curved = hessianVectorProduct(of: model, along: gradients) {
      softmaxCrossEntropy(logits: model(x), labels: labels)
    }
    let product = gaussNewtonVectorProduct(of: model, along: gradients, outputs: { model(x) }) {
      softmaxCrossEntropy(logits: $0, labels: labels)
    }
    let (logits, jacobian) = valueWithJacobian(of: model) { model(x) }
    // Page: end
    #expect(loss.item > 0 && logits.shape == [2, 3])
    for (name, gradient) in zip(gradients.tensorPaths, gradients.tensors) {
      #expect(curved[name]!.shape == gradient.shape && product[name]!.shape == gradient.shape)
      #expect(jacobian[name]!.shape == Shape([2, 3] + gradient.shape.extents))
    }
    // Page: block 3
    let perExample = vectorize { (x: Tensor, label: Tensor) in
      valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(x.expanded(at: 0)), labels: label.expanded(at: 0))
      }.gradients
    }
    let each = perExample(x, labels)  // dense.kernel: [batch, features, units]
    // Page: end
    #expect(each["dense.kernel"]!.shape == [2, 2, 3])
    for (found, expected) in zip(each.tensors, gradients.tensors) {
      expectClose(found.mean(along: [0]), expected, relative: 1e-4, absolute: 1e-6)
    }
    // Page: block 4
    try checkGradients(of: model, at: x, order: 3, mode: .directional)
    // Page: end
  }

  @Test func theBlocksAreThoseOfThePage() throws { try expectBlocks(of: "Docs/Derivatives.md") }
}

import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Each mistake with a layer around the recurrent ones is one message, thrown by whatever traces it.
@Suite struct CompanyErrorTests {
  typealias Row = (input: TensorType, layer: any Layer<Tensor, Tensor>, message: String)

  private static func f32(_ shape: Shape) -> TensorType { TensorType(shape, .float32) }

  private static let matrix =
    "input of shape [2,3]; expected [batch, time, features]; a recurrent layer in front of this one needs returnSequences: true"
  private static let noSteps =
    "a sequence without steps, of shape [2,0,3]; expected [batch, time, features] with at least one step"

  static var rows: [Row] {
    [
      (f32([2, 3]), Conv1D(2, kernelSize: 2), "conv1D: " + matrix),
      (f32([2, 3]), MaxPooling1D(), "maxPooling1D: " + matrix),
      (f32([2, 3]), AveragePooling1D(), "averagePooling1D: " + matrix),
      (f32([2, 3]), GlobalMaxPooling1D(), "globalMaxPooling1D: " + matrix),
      (f32([2, 3]), GlobalAveragePooling1D(), "globalAveragePooling1D: " + matrix),
      (f32([2, 3]), ZeroPadding1D(), "zeroPadding1D: " + matrix), (f32([2, 3]), Cropping1D(), "cropping1D: " + matrix),
      (f32([2, 3]), UpSampling1D(), "upSampling1D: " + matrix),
      (f32([2, 3]), SpatialDropout1D(0.5), "spatialDropout1D: " + matrix),
      (f32([2, 0, 3]), GlobalAveragePooling1D(), "globalAveragePooling1D: " + noSteps),
      (f32([2, 0, 3]), Conv1D(2, kernelSize: 2, padding: .same), "conv1D: " + noSteps),
      (
        TensorType([2, 5, 3], .int32), MaxPooling1D(),
        "maxPooling1D: input of type i32[2,5,3]; expected a floating-point element type; convert it first"
      ),
      (
        f32([2, 4, 3]), Conv1D(2, kernelSize: 3, dilationRate: 2),
        "conv1D: a window that reaches over 5 steps, for input of shape [2,4,3]; expected at least 5 steps; or padding: .same"
      ),
      (
        f32([2, 1, 3]), MaxPooling1D(),
        "maxPooling1D: a window that reaches over 2 steps, for input of shape [2,1,3]; expected at least 2 steps; or padding: .same"
      ),
      (
        f32([2, 4, 3]), Conv1D(4, kernelSize: 2, groups: 2),
        "conv1D: 3 channels in 2 groups, for input of shape [2,4,3]; expected a multiple of 2 channels"
      ),
      (
        f32([]), Flatten(), "flatten: flattened: axes from 1 on (operands: f32[]); expected a first axis in 0...0"
      ),
      (
        f32([2, 5]), ReelNN.Reshape([3, -1]),
        "reshape: samples of 5 elements, of input of shape [2,5]; expected [batch, ...] with samples that fill [3, -1]"
      ),
      (
        f32([2, 5]), Permute([2, 1]),
        "permute: input of shape [2,5]; expected a batch of samples with 2 axes, for the order [2, 1]"
      ),
      (f32([2, 5, 3]), RepeatVector(2), "repeatVector: input of shape [2,5,3]; expected [batch, features]"),
      (
        f32([2, 4, 3]), Cropping1D(2),
        "cropping1D: 4 steps to leave out, for input of shape [2,4,3]; expected more steps"
      ),
      (f32([2, 3]), Masking(), "masking: input of shape [2,3]; expected [batch, time, features]"),
      (
        TensorType([2, 3], .bool), Embedding(4, 2), "embedding: ids of type bool[2,3]; expected i32[batch, time]"
      ),
      (
        f32([2, 3]), LayerNormalization(axes: [0]),
        "layerNormalization: the axes [0] of input of shape [2,3]; expected each axis once, and not the batch"
      ),
      (
        f32([2, 3]), LayerNormalization(axes: [1, -1]),
        "layerNormalization: the axes [1, -1] of input of shape [2,3]; expected each axis once, and not the batch"
      ),
      (
        f32([2, 3]), BatchNormalization(axis: 2),
        "batchNormalization: the axis 2 of input of shape [2,3]; expected [batch, ..., features], and an axis that is not the batch"
      ),
      (
        f32([2, 3]), TimeDistributed(Dense(2)),
        "timeDistributed: input of shape [2,3]; expected [batch, time, ...] with at least one step and a further axis"
      ),
      (
        f32([2, 5, 3]), Sequential([Lambda { $0.withMask($0[0] .> 0) }, TimeDistributed(Dense(2))]),
        "timeDistributed: a mask of shape [5,3] for input of shape [2,5,3]; expected [batch, time, ...]"
      ),
      (
        f32([2, 3]), Lambda { x in withTraining { Dropout(0.5, noiseShape: [nil, 2])(x) } },
        "lambda.dropout: noise of shape [2,2] for input of shape [2,3]; expected the extents of the input, or 1"
      ),
    ]
  }

  @Test(arguments: rows.indices)
  func theMessageSaysWhatIsWrong(index: Int) {
    let row = Self.rows[index]
    let traced = #expect(throws: TensorError.self) { try Graph(tracing: [row.input]) { [row.layer($0[0])] } }
    #expect(traced?.description == row.message)
    let run = compiled { (x: Tensor) in row.layer(x) }
    let called = #expect(throws: TensorError.self) {
      try run(Tensor.zeros(row.input.shape, elementType: row.input.elementType))
    }
    #expect(called?.description == row.message)
    #expect(row.layer.parameterCount == 0, "no parameter is made before the error")
  }

  static var merges: [(inputs: [TensorType], layer: any Layer<[Tensor], Tensor>, message: String)] {
    [
      ([], Add(), "add: no inputs; expected at least one input, and one batch axis for all"),
      (
        [f32([2, 3]), f32([4, 3])], Average(),
        "average: inputs of shapes [2,3], [4,3]; expected at least one input, and one batch axis for all"
      ),
      ([f32([2, 3]), f32([2, 3]), f32([2, 3])], Subtract(), "subtract: 3 inputs; expected two"),
      ([], ReelNN.Concatenate(), "concatenate: no operands; expected at least one"),
      (
        [f32([2, 3]), f32([2, 4])], Maximum(),
        "maximum: shapes that do not broadcast (operands: f32[2,3], f32[2,4]); expected extents that agree or are 1, aligned at the last axis"
      ),
    ]
  }

  @Test(arguments: merges.indices)
  func theMessageOfAMergeSaysWhatIsWrong(index: Int) {
    let row = Self.merges[index]
    let error = #expect(throws: TensorError.self) { try Graph(tracing: row.inputs) { [row.layer($0)] } }
    #expect(error?.description == row.message)
  }

  @Test func anIdOutOfRangeIsSaid() {
    let (layer, labels) = (Embedding(4, 2), Tensor([0, 7] as [Int32], shape: [1, 2]))
    expectError("embedding: the id 7 among ids of shape [1,2]; expected ids in 0..<4") {
      try checkGradients(of: layer) { layer(labels) }
    }
    expectError("embedding: the id -1 among ids of shape [1]; expected ids in 0..<4") {
      try checkGradients(of: layer) { layer(-Tensor.iota(2)[1..<2]) }
    }
  }
}

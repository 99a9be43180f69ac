import Reel

/// What a line of a program does: one operation of the public interface, with its attributes.
package enum Action: Hashable, Sendable {
  case map(Map)
  /// An operation with a literal on the right.
  case number(Pairing, Double)
  case pair(Pairing)
  case select
  case matmul(transposingSelf: Bool, transposingOther: Bool)
  case fold(Fold, axes: [Int]?, keepDims: Bool)
  case normalize(Normalization, axis: Int)
  case place(isMax: Bool, axis: Int)
  case cumulativeSum(axis: Int, exclusive: Bool, reverse: Bool)
  case reshape([Int])
  case transpose([Int])
  case broadcast([Int])
  case slice(start: Int, end: Int, axis: Int, step: Int)
  case part(index: Int, axis: Int)
  case reverse(axis: Int)
  case pad(before: Int, after: Int, axis: Int, value: Double)
  case concatenate(axis: Int)
  case stack(axis: Int)
  case split(parts: [Int], axis: Int)
  case gather(axis: Int)
  case scatterAdd(extent: Int, axis: Int)
  case oneHot(depth: Int)
  case windows(size: Int, stride: Int, dilation: Int, axis: Int)
  case overlapAdd(extent: Int, stride: Int, dilation: Int, axis: Int)
  case convert(ElementType)
  case stopGradient
  case indices([Int], shape: [Int])
  case fill(Double, shape: [Int])
  case iota(Int)
  case uniform(seed: Int, shape: [Int])
  case scan(Loop)
  case conditional(then: Program.Block, otherwise: Program.Block)
  case repeatWhile(condition: Program.Block, body: Program.Block)
  /// The gradient of the sum of what a block gives, by its parameter.
  case gradient(Program.Block)

  package enum Map: String, CaseIterable, Sendable {
    case exp, expm1, log, log1p, sqrt, rsqrt, sin, cos, tanh, sigmoid, erf, abs, sign, floor, ceil, round
    case negate, not
  }

  package enum Pairing: String, CaseIterable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case maximum, minimum, power, remainder
    case less = ".<"
    case greaterEqual = ".>="
    case and = ".&"
    case or = ".|"
    case xor = ".^"
  }

  package enum Fold: String, CaseIterable, Sendable {
    case sum, product, max, min, mean, variance, logSumExp, any, all
  }

  package enum Normalization: String, CaseIterable, Sendable {
    case softmax, logSoftmax
  }

  /// A loop: carries and sequences in, final carries and outputs out.
  package struct Loop: Hashable, Sendable {
    var carryCount: Int
    var isReversed: Bool
    /// Whether only the outputs of the last step are given.
    var givesLastOnly: Bool
    var memory = LoopMemory.unlimited
    var body: Program.Block
  }

  /// The bodies, in order.
  var blocks: [Program.Block] {
    get {
      switch self {
      case .scan(let loop): [loop.body]
      case .gradient(let block): [block]
      case .conditional(let then, let otherwise): [then, otherwise]
      case .repeatWhile(let condition, let body): [condition, body]
      default: []
      }
    }
    set {
      switch self {
      case .scan(var loop):
        loop.body = newValue[0]
        self = .scan(loop)
      case .gradient: self = .gradient(newValue[0])
      case .conditional: self = .conditional(then: newValue[0], otherwise: newValue[1])
      case .repeatWhile: self = .repeatWhile(condition: newValue[0], body: newValue[1])
      default: break
      }
    }
  }
}

extension Action {
  /// The operation on some operands; those with bodies are run by ``Run``.
  func apply(_ x: [Tensor], _ elementType: ElementType) -> [Tensor] {
    switch self {
    case .map(let map): [map(x[0])]
    case .number(let pairing, let number): [pairing(x[0], Tensor(floatLiteral: number))]
    case .pair(let pairing): [pairing(x[0], x[1])]
    case .select: [Reel.select(x[0], x[1], x[2])]
    case .matmul(let left, let right): [x[0].matmul(x[1], transposingSelf: left, transposingOther: right)]
    case .fold(let fold, let axes, let keepDims): [fold(x[0], axes, keepDims)]
    case .normalize(.softmax, let axis): [softmax(x[0], along: axis)]
    case .normalize(.logSoftmax, let axis): [logSoftmax(x[0], along: axis)]
    case .place(let isMax, let axis): [isMax ? x[0].argMax(along: axis) : x[0].argMin(along: axis)]
    case .cumulativeSum(let axis, let exclusive, let reverse):
      [x[0].cumulativeSum(along: axis, exclusive: exclusive, reverse: reverse)]
    default: moved(x) ?? source(elementType).map { [$0] } ?? []
    }
  }

  private func moved(_ x: [Tensor]) -> [Tensor]? {
    switch self {
    case .reshape(let shape): [x[0].reshaped(to: Shape(shape))]
    case .transpose(let order): [x[0].transposed(order)]
    case .broadcast(let shape): [x[0].broadcasted(to: Shape(shape))]
    case .slice(let start, let end, let axis, let step):
      [x[0].sliced(start..<Swift.max(start, end), along: axis, step: step)]
    case .part(let index, let axis): [x[0].part(at: index, along: axis)]
    case .reverse(let axis): [x[0].reversed(along: axis)]
    case .pad(let before, let after, let axis, let value):
      [x[0].padded(before: before, after: after, along: axis, with: value)]
    case .concatenate(let axis): [concatenated(x, along: axis)]
    case .stack(let axis): [stacked(x, along: axis)]
    case .split(let parts, let axis): x[0].split(parts, along: axis)
    case .gather(let axis): [x[0].gathered(at: x[1], along: axis)]
    case .scatterAdd(let extent, let axis): [x[0].scatterAdded(at: x[1], extent: extent, along: axis)]
    case .windows(let size, let stride, let dilation, let axis):
      [x[0].windows(of: size, stride: stride, dilation: dilation, along: axis)]
    case .overlapAdd(let extent, let stride, let dilation, let axis):
      [x[0].overlapAdded(extent: extent, stride: stride, dilation: dilation, along: axis)]
    case .convert(let elementType): [x[0].converted(to: elementType)]
    case .stopGradient: [Reel.stopGradient(x[0])]
    case .oneHot(let depth): [x[0].oneHot(depth)]
    default: nil
    }
  }

  private func source(_ elementType: ElementType) -> Tensor? {
    switch self {
    case .indices(let indices, let shape): Tensor(indices.map(Int32.init), shape: Shape(shape))
    case .fill(let value, let shape): Tensor(repeating: value, shape: Shape(shape), elementType: elementType)
    case .iota(let count): Tensor.iota(count).converted(to: elementType)
    case .uniform(let seed, let shape):
      Tensor.randomUniform(Shape(shape), key: RandomKey(seed: UInt64(seed)), elementType: elementType)
    default: nil
    }
  }
}

extension Action.Map {
  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .exp: Reel.exp(x)
    case .expm1: Reel.expm1(x)
    case .log: Reel.log(x)
    case .log1p: Reel.log1p(x)
    case .sqrt: Reel.sqrt(x)
    case .rsqrt: Reel.rsqrt(x)
    case .sin: Reel.sin(x)
    case .cos: Reel.cos(x)
    case .tanh: Reel.tanh(x)
    case .sigmoid: Reel.sigmoid(x)
    case .erf: Reel.erf(x)
    case .abs: Reel.abs(x)
    case .sign: Reel.sign(x)
    case .floor: Reel.floor(x)
    case .ceil: Reel.ceil(x)
    case .round: Reel.round(x)
    case .negate: -x
    case .not: .!x
    }
  }
}

extension Action.Pairing {
  func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: Reel.maximum(a, b)
    case .minimum: Reel.minimum(a, b)
    case .power: Reel.power(a, b)
    case .remainder: Reel.remainder(a, b)
    case .less: a .< b
    case .greaterEqual: a .>= b
    case .and: a .& b
    case .or: a .| b
    case .xor: a .^ b
    }
  }
}

extension Action.Fold {
  func callAsFunction(_ x: Tensor, _ axes: [Int]?, _ keepDims: Bool) -> Tensor {
    switch self {
    case .sum: x.sum(along: axes, keepDims: keepDims)
    case .product: x.product(along: axes, keepDims: keepDims)
    case .max: x.max(along: axes, keepDims: keepDims)
    case .min: x.min(along: axes, keepDims: keepDims)
    case .mean: x.mean(along: axes, keepDims: keepDims)
    case .variance: x.variance(along: axes, keepDims: keepDims)
    case .logSumExp: x.logSumExp(along: axes, keepDims: keepDims)
    case .any: x.any(along: axes, keepDims: keepDims)
    case .all: x.all(along: axes, keepDims: keepDims)
    }
  }
}

import Reel
import ReelTestSupport
import Testing

/// Random programs of what the rules look at: simplified or not, they have the same bits.
@Suite struct SimplifyRandomTests {
  @Test(arguments: 0..<12) func randomProgramsKeepTheirBits(group: Int) throws {
    for seed in group * 40..<(group + 1) * 40 {
      let types = [TensorType([2, 3, 4]), TensorType([3, 4]), TensorType([2, 1, 4]), TensorType([1, 1])]
      var tape = RandomProgram(seed: UInt64(seed))
      let graph = try Graph(tracing: types) { tape.record($0) }
      let arguments = types.enumerated().map { awkward($1, seed: $0 + seed) }
      let expected = graph(arguments)
      let simplified = graph.applying([.simplify])
      check(simplified, arguments, expected, "seed \(seed)\n\(graph)\n\(simplified)")
      let all = graph.applying([.deadCode, .simplify, .commonSubexpressions, .simplify, .deadCode])
      check(all, arguments, expected, "all, seed \(seed)\n\(graph)\n\(all)")
    }
  }

  @Test(arguments: 0..<8) func gradientsOfRandomProgramsAgree(group: Int) throws {
    for seed in group * 20..<(group + 1) * 20 {
      let types = [TensorType([2, 3, 4], .float64), TensorType([3, 4], .float64), TensorType([2, 1, 4], .float64)]
      let graph = try Graph(tracing: types) { inputs in
        let gradients = gradient(at: inputs) { inputs in
          var tape = RandomProgram(seed: UInt64(seed + 1000))
          return tape.record(inputs).map { sigmoid($0 * 0.1).sum() }.reduce(0) { $0 + $1 }
        }
        return gradients
      }
      let arguments = types.enumerated().map { sample($1.shape, seed: UInt64(seed + $0)) }
      let expected = graph(arguments)
      let found = graph.applying([.deadCode, .simplify, .commonSubexpressions, .simplify, .deadCode])
      for (after, before) in zip(found(arguments), expected) {
        expectClose(after, before, relative: 1e-9, absolute: 1e-9, "seed \(seed)\n\(graph)\n\(found)")
      }
    }
  }

  private func check(_ graph: Graph, _ arguments: [Tensor], _ expected: [Tensor], _ what: String) {
    for (after, before) in zip(graph(arguments), expected) { expectSameBits(after, before, what) }
  }
}

/// Applies operations chosen by chance to operands chosen by chance.
private struct RandomProgram {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  private mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 33) % bound
  }

  mutating func record(_ inputs: [Tensor]) -> [Tensor] {
    var values = inputs
    while values.count < inputs.count + 25 {
      let x = values[max(0, values.count - 1 - next(8))]
      if let value = step(x, values), value.shape.count <= 200 { values.append(value) }
    }
    return Array(values.suffix(4))
  }

  private mutating func step(_ x: Tensor, _ values: [Tensor]) -> Tensor? {
    switch next(20) {
    case 0: return -x
    case 1: return x * number(x)
    case 2: return x / number(x)
    case 3: return x + number(x)
    case 4: return x - number(x)
    case 5: return tanh(x)
    case 6: return abs(x)
    case 7: return x.reshaped(to: shape(x.shape))
    case 8: return transposed(x)
    case 9: return x.broadcasted(to: Shape([2] + x.shape.extents))
    case 10: return slice(x)
    case 11: return x.rank == 0 ? nil : x.padded(before: next(3), after: next(3), along: next(x.rank))
    case 12, 13: return joined(x, values)
    case 14: return x.rank == 0 ? nil : fold(x)
    case 15: return x.elementType == .float32 ? x.converted(to: .float64).converted(to: .float32) : stopGradient(x)
    case 16: return select(next(2) == 0 ? x .> 0 : .!(x .> 0), x, -x)
    case 17: return x.rank < 2 ? nil : x.matmul(x, transposingOther: true).transposed()
    case 18: return x.rank == 2 ? concatenated(x.split([1, x.shape[1] - 1], along: 1), along: 1) : nil
    default:
      let y = values[next(values.count)]
      return elementwise(x, y)
    }
  }

  private mutating func elementwise(_ x: Tensor, _ y: Tensor) -> Tensor? {
    let (long, short) = x.rank >= y.rank ? (x.shape.extents, y.shape.extents) : (y.shape.extents, x.shape.extents)
    guard zip(long.suffix(short.count), short).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else { return nil }
    return [x + y, x * y, x - y, maximum(x, y)][next(4)]
  }

  private mutating func number(_ x: Tensor) -> Tensor {
    let value = [0, -0.0, 1, -1, 2][next(5)]
    return Tensor(repeating: value, shape: next(2) == 0 ? .scalar : x.shape, elementType: x.elementType)
  }

  private mutating func shape(_ shape: Shape) -> Shape {
    switch next(4) {
    case 0: return Shape([shape.count])
    case 1: return Shape([1] + shape.extents)
    case 2: return Shape(shape.extents.filter { $0 != 1 })
    default: return shape.rank < 2 ? shape : Shape([shape.extents[0] * shape.extents[1]] + shape.extents[2...])
    }
  }

  private mutating func transposed(_ x: Tensor) -> Tensor {
    var order = Array(0..<x.rank)
    for index in order.indices.dropFirst() { order.swapAt(index, next(index + 1)) }
    return x.transposed(order)
  }

  private mutating func slice(_ x: Tensor) -> Tensor? {
    guard x.rank > 0 else { return nil }
    let axis = next(x.rank)
    let extent = x.shape[axis]
    guard extent > 0 else { return nil }
    let start = next(extent)
    let end = start + 1 + next(extent - start)
    return next(4) == 0 ? x.reversed(along: axis) : x.sliced(start..<end, along: axis, step: 1 + next(2))
  }

  private mutating func joined(_ x: Tensor, _ values: [Tensor]) -> Tensor? {
    guard x.rank > 0 else { return nil }
    let axis = next(x.rank)
    let others = values.suffix(10).filter { other in
      other.rank == x.rank && (0..<x.rank).allSatisfy { $0 == axis || other.shape[$0] == x.shape[$0] }
    }
    return concatenated([x, others[next(others.count)], x.reversed(along: axis)], along: axis)
  }

  private mutating func fold(_ x: Tensor) -> Tensor? {
    let axis = next(x.rank)
    let axes = next(3) == 0 ? Array(Set([axis, next(x.rank)])) : [axis]
    guard axes.allSatisfy({ x.shape[$0] > 0 }) else { return nil }
    return next(2) == 0 ? x.sum(along: axes, keepDims: next(2) == 0) : x.max(along: axes, keepDims: next(2) == 0)
  }
}

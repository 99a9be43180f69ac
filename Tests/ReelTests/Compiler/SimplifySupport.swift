import Reel
import ReelTestSupport
import Testing

/// Numbers that tell rules apart that look right: zeros of both signs, infinities, NaN, denormal and large ones.
func awkward(_ type: TensorType, seed: Int = 0) -> Tensor {
  let numbers: [Double] = [
    -0.0, 1.5, .nan, .infinity, 0, -2.25, -.infinity, 1e-40, -1, 3e38, 0.1, -1e-40, 7, -0.3, 1, 2,
  ]
  let count = type.shape.count
  switch type.elementType {
  case .bool: return Tensor((0..<count).map { ($0 * 7 + seed) % 3 == 0 }, shape: type.shape)
  case .int32: return Tensor((0..<count).map { Int32(($0 * 5 + seed * 3) % 11 - 5) }, shape: type.shape)
  default:
    return Tensor((0..<count).map { numbers[($0 * 5 + seed * 3) % numbers.count] }, shape: type.shape)
      .converted(to: type.elementType)
  }
}

/// Expects a program to be simplified to a printed form, and to have the same bits for awkward arguments.
///
/// - Parameters:
///   - types: The types of the arguments.
///   - expected: The lines between the head and the end of the printed graph.
///   - isReassociated: Whether sums of the reverse sweep were put together in another order, so that bits may differ.
///   - program: The program.
@discardableResult
func expectSimplified(
  _ types: [TensorType], to expected: [String], isReassociated: Bool = false,
  sourceLocation: SourceLocation = #_sourceLocation, _ program: ([Tensor]) throws -> [Tensor]
) throws -> Graph {
  let graph = try Graph(tracing: types, program)
  let found = graph.applying([.simplify])
  let lines = found.description.split(separator: "\n").dropFirst().dropLast().map { $0.drop { $0 == " " } }
  #expect(lines.map(String.init) == expected, "\(graph)\n\(found)", sourceLocation: sourceLocation)
  try found.validate()
  let arguments = types.enumerated().map { isReassociated ? finite($1, seed: $0) : awkward($1, seed: $0) }
  for (after, before) in zip(found(arguments), graph(arguments)) {
    if isReassociated {
      expectClose(after, before, relative: 1e-6, absolute: 1e-7, sourceLocation: sourceLocation)
    } else {
      expectSameBits(after, before, sourceLocation: sourceLocation)
    }
  }
  let again = found.applying([.simplify])
  #expect(again.description == found.description, "a second time changes nothing", sourceLocation: sourceLocation)
  return found
}

private func finite(_ type: TensorType, seed: Int) -> Tensor {
  type.elementType.isFloatingPoint
    ? sample(type.shape, seed: UInt64(seed + 1), elementType: type.elementType) : awkward(type, seed: seed)
}

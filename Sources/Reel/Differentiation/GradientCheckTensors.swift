/// Compares the derivatives of a program at its point with numeric ones, tensor by tensor.
struct GradientChecker {
  /// A derivative that is wrong.
  struct Mismatch: Error {
    /// The element, in row-major order.
    let index: Int
    let analytic, numeric, error: Double
    /// Whether the slopes on both sides of the element differ.
    let isKinked: Bool
  }

  /// The random directions for each tensor. Second derivatives along one direction already involve every element twice.
  private var directionCount: Int { program.order == 1 ? 3 : 2 }
  /// Kinks that are taken out of a direction one by one before elements are looked at instead.
  private static let kinkLimit = 16
  /// The elements looked at where directions do not tell.
  private static let sampleLimit = 1024

  let program: CheckedProgram
  let mode: GradientCheckMode
  let tolerance: Double
  /// The derivatives by reverse mode.
  let derivatives: [[Double]]
  /// Whether a derivative at a kink is accepted although it does not lie between the slopes on both sides. One element can
  /// move several kinks, and their slopes add up with signs, so that what is right for each need not lie between the sums.
  private let excusesKinks: () -> Bool
  private let scales: [[Double]]
  private let center: Double
  private let noise: Double
  private let firstStep: Double

  /// A checker; that the program gives the same finite results twice is checked here.
  init(
    _ program: CheckedProgram, mode: GradientCheckMode, tolerance: Double,
    excusingKinks: @escaping () -> Bool = { false }
  ) throws {
    self.program = program
    self.mode = mode
    self.tolerance = tolerance
    excusesKinks = excusingKinks
    try program.expectFinite(program.results)
    try program.expectSameResultsAgain()
    let derivatives = try program.derivatives()
    try program.expectFinite(zip(program.names, derivatives).map { NamedTensor("the gradient by \($0)", $1) })
    self.derivatives = derivatives.map(\.numbers)
    scales = program.point.map { Self.scale($0.numbers) }
    center = try program.value(at: program.point)
    let recorded = try RecordedProgram(program)
    // Differences in float32 need a larger step: the fifth root of the precision balances round-off and truncation.
    let usesFloat32 = recorded.nodes.contains { $0.results.contains { $0.elementType == .float32 } }
    firstStep = usesFloat32 ? 0x1p-5 : 0x1p-10
    noise = max(try Self.noise(of: program, scales), recorded.roundOff)
  }

  /// What a step of 1 means for each element: its magnitude, but no less than that of a typical element. A power of 2, so
  /// that steps are exact.
  private static func scale(_ x: [Double]) -> [Double] {
    let meanSquare = x.reduce(0) { $0 + $1 * $1 } / Double(max(x.count, 1))
    return x.map { element in
      let size = max(abs(element), meanSquare.squareRoot())
      return size > 0 && size.isFinite ? size.binade : 1
    }
  }

  /// The standard deviation of the rounding of the program's value where it changes from step to step, from second differences along a line so short that the
  /// function is straight on it (Hamming's table of differences; Moré and Wild, "Estimating computational noise", 2011).
  private static func noise(of program: CheckedProgram, _ scales: [[Double]]) throws -> Double {
    let directions = zip(program.point, scales).enumerated().map { index, part in
      Tensor(part.1, shape: part.0.shape) * normal(part.0.shape, seed: UInt64(index))
    }
    // The point itself is left out: the function may jump there.
    let values = try (1...8).map { step in
      let distance = Tensor(Double(step) * 0x1p-44)
      return try program.value(at: zip(program.point, directions).map { $0 + $1 * distance })
    }
    let seconds = (1..<7).map { (step: Int) -> Double in values[step - 1] - 2 * values[step] + values[step + 1] }
    // The variance of a second difference of independent terms is 1 + 4 + 1 times theirs.
    let variance = seconds.reduce(0) { $0 + $1 * $1 } / Double(seconds.count) / 6
    return variance.isFinite ? variance.squareRoot() : 0
  }

  private static func normal(_ shape: Shape, seed: UInt64) -> Tensor {
    .randomNormal(shape, key: RandomKey(seed: seed), elementType: .float64)
  }

  /// Checks the derivatives by one tensor.
  func check(_ tensor: Int) throws -> Result<GradientReport.Entry, Mismatch> {
    var entry = GradientReport.Entry(
      tensor: program.names[tensor], shape: program.point[tensor].shape, order: program.order)
    do {
      if isComplete(entry.shape.count) {
        try checkElements(Array(0..<entry.shape.count), of: tensor, &entry)
      } else {
        try checkDirections(of: tensor, &entry)
      }
      return .success(entry)
    } catch let mismatch as Mismatch {
      return .failure(mismatch)
    }
  }

  private func isComplete(_ count: Int) -> Bool {
    switch mode {
    case .complete: true
    case .directional: false
    case .automatic: count <= (program.order == 1 ? 64 : 8)
    }
  }
}

// MARK: - Elements

extension GradientChecker {
  private func checkElements(_ indices: [Int], of tensor: Int, _ entry: inout GradientReport.Entry) throws {
    for index in indices { try checkElement(index, of: tensor, &entry) }
  }

  /// Checks one element; throws a ``Mismatch`` if its derivative is wrong.
  private func checkElement(_ index: Int, of tensor: Int, _ entry: inout GradientReport.Entry) throws {
    let scale = scales[tensor][index]
    let claim = derivatives[tensor][index]
    let elements = program.point[tensor].numbers
    let shape = program.point[tensor].shape
    let slope = try slope(along: tensor, claim: claim * scale, name: elementName(index, of: tensor)) { distance in
      var moved = elements
      moved[index] += distance * scale
      return Tensor(moved, shape: shape)
    }
    entry.elementCount += 1
    if slope.verdict == .wrong && !(slope.isKinked && excusesKinks()) {
      throw Mismatch(
        index: index, analytic: claim, numeric: slope.numeric / scale, error: slope.error / scale,
        isKinked: slope.isKinked)
    }
    entry.count(slope, claim: claim * scale)
  }

  /// The slope of the program's value along a line.
  private func slope(
    along tensor: Int, claim: Double, name: @autoclosure () -> String, _ moved: @escaping (Double) -> Tensor
  ) throws -> Slope {
    let value: (Double) throws -> Double = { distance in
      var point = program.point
      point[tensor] = moved(distance)
      return try program.value(at: point)
    }
    var estimate = SlopeEstimate(of: value, center: center, noise: noise, claim: claim, tolerance: tolerance)
    guard let slope = try estimate.run(firstStep: firstStep) else {
      throw GradientCheckError.notFinite(
        NonFiniteValue(name: "the value beside \(name())", value: .nan, operation: nil))
    }
    return slope
  }

  private func elementName(_ index: Int, of tensor: Int) -> String {
    WrongGradient.name(program.names[tensor], program.point[tensor].shape.index(of: index))
  }
}

// MARK: - Directions

extension GradientChecker {
  private func checkDirections(of tensor: Int, _ entry: inout GradientReport.Entry) throws {
    let count = program.point[tensor].count
    var kinks: Set<Int> = []
    var direction = 0
    while direction < directionCount {
      let elements = self.direction(direction, of: tensor, without: kinks)
      let slope = try slope(elements, 0..<count, of: tensor)
      if slope.verdict != .wrong && slope.verdict != .kink {
        entry.directionCount += 1
        entry.count(slope, claim: claim(elements, 0..<count, of: tensor))
        direction += 1
        continue
      }
      // A kink is found and taken out before the direction says anything of the others.
      guard kinks.count < Self.kinkLimit, let index = try locate(elements, of: tensor) else {
        return try checkSample(of: tensor, &entry)
      }
      let known = entry.kinks
      try checkElement(index, of: tensor, &entry)
      guard entry.kinks > known else { return try checkSample(of: tensor, &entry) }
      kinks.insert(index)
    }
  }

  /// Looks at elements, of which there may be too many, where directions do not tell.
  private func checkSample(of tensor: Int, _ entry: inout GradientReport.Entry) throws {
    let count = program.point[tensor].count
    let stride = mode == .complete ? 1 : max(1, (count + Self.sampleLimit - 1) / Self.sampleLimit)
    (entry.kinks, entry.directionCount, entry.elementCount) = (0, 0, 0)
    try checkElements(Array(Swift.stride(from: 0, to: count, by: stride)), of: tensor, &entry)
  }

  /// A random direction, scaled to the elements.
  private func direction(_ number: Int, of tensor: Int, without kinks: Set<Int>) -> [Double] {
    let normal = Self.normal(program.point[tensor].shape, seed: UInt64(100 + number)).numbers
    return normal.indices.map { kinks.contains($0) ? 0 : normal[$0] * scales[tensor][$0] }
  }

  private func claim(_ direction: [Double], _ range: Range<Int>, of tensor: Int) -> Double {
    range.reduce(0) { $0 + direction[$1] * derivatives[tensor][$1] }
  }

  /// The slope along a part of a direction.
  private func slope(_ direction: [Double], _ range: Range<Int>, of tensor: Int) throws -> Slope {
    let x = program.point[tensor]
    let part = Tensor(direction.indices.map { range.contains($0) ? direction[$0] : 0 }, shape: x.shape)
    return try slope(along: tensor, claim: claim(direction, range, of: tensor), name: program.names[tensor]) {
      distance in
      x + part * Tensor(distance)
    }
  }

  /// The element that makes a direction disagree, by halving; nil if no half disagrees by itself.
  private func locate(_ direction: [Double], of tensor: Int) throws -> Int? {
    var range = direction.indices
    while range.count > 1 {
      let middle = (range.lowerBound + range.upperBound) / 2
      let halves = [range.lowerBound..<middle, middle..<range.upperBound]
      let found = try halves.first {
        let verdict = try slope(direction, $0, of: tensor).verdict
        return verdict == .wrong || verdict == .kink
      }
      guard let found else { return nil }
      range = found
    }
    return range.lowerBound
  }
}

// MARK: - What must hold before derivatives are compared

extension CheckedProgram {
  /// Throws if a tensor is not finite, with the first operation that gave such a value.
  fileprivate func expectFinite(_ tensors: [NamedTensor]) throws {
    for named in tensors {
      guard let (offset, value) = named.tensor.firstNotFinite else { continue }
      let isResult = results.contains { $0.name == named.name }
      let operation = try RecordedProgram(isResult ? self : gradient()).firstNotFinite
      throw GradientCheckError.notFinite(
        NonFiniteValue(
          name: WrongGradient.name(named.name, named.tensor.shape.index(of: offset)), value: value, operation: operation
        ))
    }
  }

  /// Throws if the function gives other results when it is called again.
  fileprivate func expectSameResultsAgain() throws {
    let again = try Recording.throwingErrors { function(point) }
    for (first, second) in zip(results, again) {
      guard first.tensor.shape == second.tensor.shape else {
        throw GradientCheckError.notDeterministic(
          "\(first.name) had shape \(first.tensor.shape) and then \(second.tensor.shape)")
      }
      let pairs = zip(first.tensor.numbers, second.tensor.numbers).enumerated()
      guard let (offset, pair) = pairs.first(where: { $0.element.0.bitPattern != $0.element.1.bitPattern }) else {
        continue
      }
      let name = WrongGradient.name(first.name, first.tensor.shape.index(of: offset))
      throw GradientCheckError.notDeterministic("\(name) was \(pair.0) and then \(pair.1)")
    }
  }
}

extension GradientChecker {
  /// A mismatch as an error to throw.
  func wrongGradient(_ mismatch: Mismatch, of tensor: Int, operation: SuspectOperation?) -> WrongGradient {
    WrongGradient(
      tensor: program.names[tensor], index: program.point[tensor].shape.index(of: mismatch.index), order: program.order,
      analytic: mismatch.analytic, numeric: mismatch.numeric, estimatedError: mismatch.error, operation: operation)
  }
}

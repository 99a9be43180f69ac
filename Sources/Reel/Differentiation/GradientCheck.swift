/// How many derivatives a gradient check looks at.
public enum GradientCheckMode: Hashable, Sendable {
  /// Every element of small tensors, random directions for the others.
  case automatic
  /// A few random directions for each tensor, whatever its size. A direction that disagrees is halved until the element
  /// is found.
  case directional
  /// Every element of every tensor.
  case complete
}

/// Checks the gradients of a function by numeric differentiation, in `float64`.
///
///     try checkGradients(of: { (x: Tensor) in tanh(x) * x }, at: Tensor.random([3, 4]))
///
/// For every tensor `x` among the arguments, and every floating-point ``Variable`` that the function reads, derivatives
/// by reverse mode are compared with central differences along a line,
///
///     D(t) = (s(x + t·v) - s(x - t·v)) / 2t
///
/// where `v` is one element or a random direction, scaled by max(|xᵢ|, root mean square of x), and `s` is the result of
/// the function if that is one number, else the sum of all results with fixed random weights. `t` starts at 2⁻¹⁰ and is
/// halved, and the differences are extrapolated to `t = 0`. How they change tells the error of the numeric value: from
/// truncation, from round-off (the noise of `s` is measured first), or from a kink, where the slopes on both sides differ.
/// An analytic value is wrong if it differs by more than `tolerance · max(|analytic|, |numeric|)` and by more than
/// 8 times the estimated error of the numeric value.
///
/// The function is called many times; it must give the same result for the same arguments. Variables it reads are
/// converted to `float64`, moved, and given their values back, bit for bit. Arguments of integer type are passed as they
/// are. Whatever is made inside has the element type `float64` unless it says otherwise.
///
/// - Parameters:
///   - function: A function of tensors or structures of tensors.
///   - x: Where to check, converted to `float64`.
///   - order: 1 for the gradient; 2 for the gradient of the gradient too, and so on. 1 by default.
///   - mode: Which derivatives are looked at; ``GradientCheckMode/automatic`` by default: every element of tensors of up
///     to 64 elements and three random directions for larger ones; for orders above 1, of up to 8 and two directions.
///   - tolerance: The relative difference that is no error; 1e-6 by default.
/// - Returns: What was checked, and how well it agrees.
/// - Throws: ``GradientCheckError`` if a gradient is wrong, a value is not finite, or the function gives two results for
///   the same arguments; ``TensorError`` if operands in the function do not fit.
@discardableResult
public func checkGradients<each Input: TensorStructure, Output: TensorStructure>(
  of function: @escaping (repeat each Input) -> Output, at x: repeat each Input, order: Int = 1,
  mode: GradientCheckMode = .automatic, tolerance: Double = 1e-6
) throws -> GradientReport {
  var arguments: [NamedTensor] = []
  var count = 0
  for _ in repeat each x { count += 1 }
  var position = 0
  for argument in repeat each x {
    arguments += NamedTensor.list(argument, as: count == 1 ? "input" : "input\(position)")
    position += 1
  }
  return try GradientCheck(order: order, mode: mode, tolerance: tolerance).run(at: arguments) { tensors in
    var rest = tensors[...]
    return NamedTensor.list(function(repeat (each x).replacingTensors(from: &rest)), as: "output")
  }
}

/// A tensor and what a report calls it.
package struct NamedTensor {
  package let name: String
  package let tensor: Tensor

  package init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }

  /// The tensors of a structure, as parts of something with a name: `state.hidden`.
  package static func list(_ structure: some TensorStructure, as name: String) -> [NamedTensor] {
    zip(structure.tensorPaths, structure.tensors).map { path, tensor in
      NamedTensor(path.isEmpty ? name : "\(name).\(path)", tensor)
    }
  }
}

/// A check with its settings.
package struct GradientCheck {
  let order: Int
  let mode: GradientCheckMode
  let tolerance: Double

  package init(order: Int, mode: GradientCheckMode, tolerance: Double) {
    precondition(order >= 1 && tolerance > 0, "a gradient check has an order of at least 1 and a positive tolerance")
    self.order = order
    self.mode = mode
    self.tolerance = tolerance
  }

  /// Checks a function by its floating-point arguments and the floating-point variables that it reads.
  ///
  /// - Parameters:
  ///   - arguments: Where to check.
  ///   - known: Variables that the function may read, which are converted before it is first called.
  ///   - variableNames: The names of variables, asked for once the function has been called: it may make some.
  ///   - function: From tensors in place of the arguments to named results.
  package func run(
    at arguments: [NamedTensor], known: [Variable] = [],
    variableNames: () -> [(name: String, variable: Variable)] = { [] },
    _ function: @escaping ([Tensor]) -> [NamedTensor]
  ) throws -> GradientReport {
    try ElementType.withDefault(.float64) {
      try Recording.suspended {
        let point = arguments.map { $0.tensor.inFloat64 }
        let variables = ConvertedVariables(known)
        defer { variables.restore() }
        variables.discover { _ = function(point) }
        let leaves = point.indices.filter { point[$0].elementType.isFloatingPoint }
        let read = variables.named(variableNames())
        let program = try CheckedProgram(
          names: leaves.map { arguments[$0].name } + read.map(\.name),
          point: leaves.map { point[$0] } + read.map(\.variable.concrete)
        ) { tensors in
          var all = point
          for (leaf, tensor) in zip(leaves, tensors) { all[leaf] = tensor }
          for (entry, tensor) in zip(read, tensors[leaves.count...]) { entry.variable.value = tensor }
          return function(all).filter { $0.tensor.elementType.isFloatingPoint }
        }
        return try report(on: program)
      }
    }
  }

  /// Checks the derivatives of a program, then those of its gradient, order by order.
  private func report(on program: CheckedProgram) throws -> GradientReport {
    var entries: [GradientReport.Entry] = []
    var differentiated = program
    for order in 1...order {
      let search = CulpritSearch(program: program, order: order, tolerance: tolerance)
      let checker = try GradientChecker(differentiated, mode: mode, tolerance: tolerance) {
        search.culprit.map { $0.hasGradient } != true
      }
      for tensor in program.names.indices {
        switch try checker.check(tensor) {
        case .success(let entry): entries.append(entry)
        case .failure(let mismatch):
          throw GradientCheckError.wrongGradient(checker.wrongGradient(mismatch, of: tensor, operation: search.culprit))
        }
      }
      if order < self.order { differentiated = try differentiated.gradient() }
    }
    return GradientReport(entries: entries)
  }
}

/// The variables that a checked function reads, in `float64` for the time of the check.
private final class ConvertedVariables {
  private var saved: [(variable: Variable, value: Tensor)] = []
  private var read: [Variable] = []

  init(_ known: [Variable]) {
    for variable in known { convert(variable, from: variable.concrete) }
  }

  private func convert(_ variable: Variable, from value: Tensor) {
    if !saved.contains(where: { $0.variable === variable }) { saved.append((variable, value)) }
    variable.concrete = value.inFloat64
  }

  /// Runs the function until it reads no variable that is not converted.
  ///
  /// Errors say nothing yet: a variable of another element type does not fit before it is converted.
  func discover(_ function: () -> Void) {
    while true {
      let differentiation = Differentiation()
      defer { differentiation.finish() }
      var found: [(variable: Variable, leaf: Tensor)] = []
      try? Recording.throwingErrors {
        differentiation.run {
          function()
          let seen = differentiation.tape.state.withLock { $0.scopes.last!.seen.values.map { ($0.variable, $0.leaf) } }
          found = seen.compactMap { variable, leaf in leaf.map { (variable, $0) } }
        }
      }
      found.sort { differentiation.tape.value(of: $0.leaf).node < differentiation.tape.value(of: $1.leaf).node }
      read = found.map(\.variable)
      let known = saved.count
      // The value on entry, whatever the function assigned.
      for (variable, leaf) in found { convert(variable, from: leaf.detached) }
      if saved.count == known { return }
    }
  }

  /// The variables that were read, in the order of a list of names, then the others.
  func named(_ names: [(name: String, variable: Variable)]) -> [(name: String, variable: Variable)] {
    let listed = names.filter { entry in read.contains { $0 === entry.variable } }
    let others = read.filter { variable in !listed.contains { $0.variable === variable } }
    return listed + others.enumerated().map { ($1.name.isEmpty ? "variable\($0)" : $1.name, $1) }
  }

  func restore() {
    for (variable, value) in saved { variable.concrete = value }
  }
}

extension Tensor {
  /// The tensor in `float64` if it is of floating point, recorded nowhere.
  fileprivate var inFloat64: Tensor {
    let tensor = adopting(elementType.isFloatingPoint ? .float64 : elementType).detached
    return tensor.elementType.isFloatingPoint ? tensor.converted(to: .float64) : tensor
  }
}

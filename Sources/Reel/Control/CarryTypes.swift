/// The types of a state that a loop carries.
struct CarryTypes {
  let operation: String
  let paths: [String]

  /// Whether the state leaves a step as it entered; reports every part that does not.
  func areKept(_ carry: [Tensor], _ next: [Tensor]) -> Bool {
    let changes = zip(paths, zip(carry, next)).compactMap { path, types in
      types.0.type == types.1.type
        ? nil : "\(path.isEmpty ? "the state" : "'\(path)'") enters as \(types.0.type) and leaves as \(types.1.type)"
    }
    if changes.isEmpty && carry.count == next.count { return true }
    TensorError(
      operation: operation,
      problem: changes.isEmpty
        ? "a state of \(carry.count) tensors leaves as one of \(next.count)" : changes.joined(separator: ", "),
      expected: "a state of the types that it starts with"
    ).report()
    return false
  }
}

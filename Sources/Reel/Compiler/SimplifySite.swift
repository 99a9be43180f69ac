/// One operation as a rule sees it: its operands, its result types, and what made the operands.
struct RewriteSite {
  let rewriter: Rewriter
  let operands: [Value]
  let types: [TensorType]

  /// The first operand.
  var x: Value { operands[0] }
  /// The second operand.
  var y: Value { operands[1] }
  /// The type of the first result.
  var result: TensorType { types[0] }

  func type(of value: Value) -> TensorType { rewriter.type(of: value) }
  func shape(of value: Value) -> Shape { rewriter.type(of: value).shape }

  /// The operation that made a value, if it is of a type, and its operands.
  func producer<Kind: Operation>(of value: Value, _ kind: Kind.Type) -> (operation: Kind, operands: [Value])? {
    rewriter.producer(of: value, kind)
  }

  /// The operands of the elementwise operation that made a value.
  func operands(of value: Value, _ operation: Elementwise) -> [Value]? {
    guard let (found, operands) = producer(of: value, Elementwise.self), found == operation else { return nil }
    return operands
  }

  /// The operand of the elementwise function that made a value.
  func argument(of value: Value, _ operation: Elementwise) -> Value? { operands(of: value, operation)?[0] }

  /// The elements of a value, if they are known.
  func constant(_ value: Value) -> Storage? { producer(of: value, Constant.self)?.operation.storage }

  /// The number that all elements of a value are, if that is known; truth values are 0 and 1.
  func number(_ value: Value) -> Double? {
    if let scalar = rewriter.scalar(repeatedBy: value) { return constant(scalar).map { Tensor($0).item } }
    if let (_, operands) = producer(of: value, Broadcast.self) { return number(operands[0]) }
    if let (_, operands) = producer(of: value, Reshape.self) { return number(operands[0]) }
    return nil
  }

  // MARK: - What stands in the place

  /// Applies an operation, or what the rules put in its place.
  func emit(_ operation: some Operation, _ operands: Value...) -> Value { rewriter.emit(operation, operands)[0] }
  func emit(_ operation: some Operation, _ operands: [Value]) -> Value { rewriter.emit(operation, operands)[0] }

  func reshape(_ value: Value, to shape: Shape) -> Value {
    self.shape(of: value) == shape ? value : emit(Reshape(shape: shape), value)
  }

  func broadcast(_ value: Value, to shape: Shape) -> Value {
    self.shape(of: value) == shape ? value : emit(Broadcast(shape: shape), value)
  }

  /// An operand of an elementwise operation in the place of its result.
  func asResult(_ value: Value) -> Value { broadcast(value, to: result.shape) }

  /// One number everywhere, of the type of the result unless another one is given.
  func filled(_ number: Double, _ type: TensorType? = nil) -> Value {
    let type = type ?? result
    let literal = type.elementType == .bool ? Literal.truth(number != 0) : .number(number)
    return broadcast(rewriter.constant(literal.storage(type.elementType)), to: type.shape)
  }
}

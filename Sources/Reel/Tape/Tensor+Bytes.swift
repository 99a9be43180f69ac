extension Tensor {
  /// A tensor whose elements `fill` writes: dense, in row-major order, in the machine's byte order.
  package init<Failure: Error>(
    _ type: TensorType, filledBy fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let storage = Storage(type)
    try fill(UnsafeMutableRawBufferPointer(start: storage.base, count: type.byteCount))
    self.init(storage)
  }

  /// The bytes of the elements: dense, in row-major order, in the machine's byte order.
  ///
  /// Reading a tensor that is being staged is a programming error.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let storage else { fatalError(Self.unreadable(type)) }
    defer { withExtendedLifetime(storage) {} }
    return try body(storage.bytes)
  }
}

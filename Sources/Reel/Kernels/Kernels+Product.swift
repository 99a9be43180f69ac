internal import ReelKernels

extension Kernels {
  /// The product of matrices in the last two axes; leading axes broadcast to those of the result. With `accumulates` it
  /// starts from what the result holds; with `descends` it accumulates from the last k to the first.
  static func product(
    _ left: Storage, _ right: Storage, transposesLeft: Bool, transposesRight: Bool, descends: Bool = false,
    accumulates: Bool = false, into result: Storage
  ) {
    let shape = result.type.shape
    if shape.count == 0 { return }
    let (rows, columns) = (shape[-2], shape[-1])
    let inner = left.type.shape[transposesLeft ? -2 : -1]
    var product = reel_product()
    (product.m, product.n, product.k) = (rows, columns, inner)
    (product.a_row, product.a_k) = transposesLeft ? (1, rows) : (inner, 1)
    (product.b_k, product.b_column) = transposesRight ? (1, inner) : (columns, 1)
    product.c_row = columns
    product.accumulate = accumulates

    let batch = Shape(Array(shape.extents.dropLast(2)))
    let leftStrides = Shape(Array(left.type.shape.extents.dropLast(2))).strides(broadcastTo: batch)
    let rightStrides = Shape(Array(right.type.shape.extents.dropLast(2))).strides(broadcastTo: batch)
    let size = result.type.elementType.byteCount
    func offset(_ block: Int, _ strides: [Int], _ matrix: Int) -> Int {
      batch.extents.offset(ofBlock: block, strides) * matrix * size
    }
    for block in 0..<batch.count {
      var product = product
      product.a = UnsafeRawPointer(left.base + offset(block, leftStrides, rows * inner))
      product.b = UnsafeRawPointer(right.base + offset(block, rightStrides, inner * columns))
      product.c = result.base + block * rows * columns * size
      if descends { product.descend(size) }
      ProductRows(product: product, elementType: result.type.elementType).run()
    }
  }

  /// One product, whose rows threads can share.
  private struct ProductRows: PartedWork {
    let product: reel_product
    let elementType: ElementType

    func run() {
      if product.m >= Threads.shared.count && product.m * product.n * product.k >= reel_product.worthSharing {
        Threads.shared.fork(self)
      } else {
        run(part: 0, of: 1)
      }
    }

    func run(part: Int, of count: Int) {
      var product = product
      product.narrow(to: (0..<product.m).part(part, of: count), elementType.byteCount)
      let scratch = table.pointee.product_scratch(elementType.kernel, &product)
      withScratch(scratch) {
        product.scratch = $0
        table.pointee.product(elementType.kernel, &product)
      }
    }
  }
}

extension reel_product {
  /// From how many multiplications on a fork pays.
  static let worthSharing = 1 << 17

  /// Leaves some of the rows.
  ///
  /// - Parameters:
  ///   - rows: Those that are computed.
  ///   - size: The bytes of an element.
  mutating func narrow(to rows: Range<Int>, _ size: Int) {
    m = rows.count
    a += rows.lowerBound * a_row * size
    c += rows.lowerBound * c_row * size
    if addend != nil { addend += rows.lowerBound * addend_row * size }
  }

  /// Turns the order of accumulation round: both operands are read from the end.
  ///
  /// - Parameter size: The bytes of an element.
  mutating func descend(_ size: Int) {
    if k == 0 { return }
    a += (Int(k) - 1) * a_k * size
    b += (Int(k) - 1) * b_k * size
    (a_k, b_k) = (-a_k, -b_k)
  }
}

internal import ReelKernels

// The instructions that operations append.

extension Lowering {
  private mutating func append(_ instruction: Instruction, _ views: View...) {
    memory.advance(using: views.map(\.base))
    instructions.append(instruction)
  }

  /// The view itself if it is dense, else a dense copy.
  mutating func dense(_ view: View) -> View {
    if view.isDense { return view }
    let result = temporary(view.type)
    copy(view, into: result)
    return result
  }

  mutating func copy(_ source: View, into result: View) {
    if source.shape.count == 0 { return }
    let layout: Layout
    if loop != nil, source.shape.rank > 1 {
      // The leading axis stays, so that threads can take some of its rows each.
      layout = Layout(extents: source.shape.extents, strides: [source.strides, result.strides])
    } else {
      layout = Layout(extents: source.shape.extents, strides: [source.strides, result.strides]).collapsed()
    }
    append(
      .copy(
        CopyCall(
          elementType: source.type.elementType, extents: layout.extents, source: Address(source),
          sourceStrides: layout.strides[0], result: Address(result), resultStrides: layout.strides[1])),
      source, result)
  }

  mutating func fill(_ result: View, with value: Double) {
    append(.fill(FillCall(value: value, type: result.type, result: Address(result))), result)
  }

  /// Folds neighbouring axes of a dense operand.
  mutating func reduce(_ kernel: reel_reduction, _ operand: View, axes: Range<Int>, into result: View) {
    let extents = operand.shape.extents
    append(
      .reduce(
        ReduceCall(
          kernel: kernel, elementType: operand.type.elementType, resultType: result.type.elementType,
          outer: extents[..<axes.lowerBound].reduce(1, *), count: extents[axes].reduce(1, *),
          inner: extents[axes.upperBound...].reduce(1, *), operand: Address(operand), result: Address(result))),
      operand, result)
  }

  mutating func elementwise(_ opcode: reel_opcode, _ operands: [View], into result: View) {
    let instruction = reel_instruction(
      opcode: UInt8(opcode.rawValue), type: UInt8(operands[operands.count - 1].type.elementType.kernel.rawValue),
      to: UInt8(result.type.elementType.kernel.rawValue), result: UInt8(operands.count), a: 0,
      b: operands.count > 1 ? 1 : 0, c: operands.count > 2 ? 2 : 0)
    elementwise([instruction], over: result.shape, operands, into: [result])
  }

  /// Appends an elementwise program over a shape. Slots are the operands, then the results.
  ///
  /// - Parameters:
  ///   - code: The program.
  ///   - shape: What its operands and results are broadcast to.
  ///   - registerCount: The number of its registers; 0 by default.
  ///   - rowRegisterCount: The number of registers behind them that hold one value for each row; 0 by default.
  ///   - isByRows: Whether it folds rows; false by default.
  ///   - operands: What it reads.
  ///   - results: What it writes.
  mutating func elementwise(
    _ code: [reel_instruction], over shape: Shape, registerCount: Int = 0, rowRegisterCount: Int = 0,
    isByRows: Bool = false, _ operands: [View], into results: [View]
  ) {
    if shape.count == 0 { return }
    let views = operands + results
    var layout = Layout(extents: shape.extents, strides: views.map { $0.strides(broadcastTo: shape) })
    if isByRows {
      if loop == nil { layout = layout.collapsedBeforeLast() }
    } else {
      layout = loop != nil && shape.rank > 1 ? layout.collapsedAfterLeading() : layout.collapsed()
    }
    let rank = layout.extents.count
    let slots = views.indices.map { index in
      ElementwiseCall.Slot(
        address: Address(views[index]), size: views[index].type.elementType.byteCount,
        rowStride: rank > 1 ? layout.strides[index][rank - 2] : 0,
        columnStride: rank > 0 ? layout.strides[index][rank - 1] : 1,
        outerStrides: rank > 2 ? Array(layout.strides[index].dropLast(2)) : [])
    }
    scratchByteCount = max(scratchByteCount, reel_elementwise_scratch(registerCount + rowRegisterCount))
    memory.advance(using: views.map(\.base))
    instructions.append(
      .elementwise(
        ElementwiseCall(
          code: code, registerCount: registerCount, rowRegisterCount: rowRegisterCount, isByRows: isByRows,
          slots: slots, resultCount: results.count,
          outer: Array(layout.extents.dropLast(2)), rows: rank > 1 ? layout.extents[rank - 2] : 1,
          columns: rank > 0 ? layout.extents[rank - 1] : 1)))
  }

  /// Appends a product. In a loop, a right operand that is the same in every step is packed before the first one.
  mutating func product(
    _ product: MatrixProduct, _ left: View, _ right: View, addend: View? = nil, accumulates: Bool = false,
    into result: View
  ) {
    if result.shape.count == 0 { return }
    // The kernel writes whole rows.
    guard result.strides.last == 1 || result.shape.last == 1 else {
      let whole = temporary(result.type)
      if accumulates { copy(result, into: whole) }
      self.product(product, left, right, addend: addend, accumulates: accumulates, into: whole)
      copy(whole, into: result)
      return
    }
    let batch = Shape(Array(result.shape.extents.dropLast(2)))
    func matrix(_ view: View, transposed: Bool) -> ProductCall.Matrix {
      var leading = view
      leading.type.shape = Shape(Array(view.shape.extents.dropLast(2)))
      leading.strides = Array(view.strides.dropLast(2))
      let last = Array(view.strides.suffix(2))
      return ProductCall.Matrix(
        address: Address(view), rowStride: last[transposed ? 1 : 0], columnStride: last[transposed ? 0 : 1],
        outerStrides: leading.strides(broadcastTo: batch))
    }
    let inner = left.shape[product.transposesLeft ? -2 : -1]
    let columns = result.shape.last
    var right = right
    var isPacked = false
    if !product.descends,
      let packed = packed(right, inner: inner, columns: columns, transposed: product.transposesRight)
    {
      right = packed
      isPacked = true
    }
    let call = ProductCall(
      elementType: result.type.elementType, rows: result.shape[-2], columns: columns, inner: inner,
      a: matrix(left, transposed: product.transposesLeft), b: matrix(right, transposed: product.transposesRight),
      isPacked: isPacked, c: matrix(result, transposed: false),
      addend: addend.map { matrix($0.broadcast(to: result.shape), transposed: false) }, accumulates: accumulates,
      descends: product.descends, outer: batch.extents)
    var shape = call.shape
    scratchByteCount = max(
      scratchByteCount, Kernels.table.pointee.product_scratch(call.elementType.kernel, &shape))
    memory.advance(using: [left.base, right.base, result.base] + (addend.map { [$0.base] } ?? []))
    instructions.append(.product(call))
  }

  /// The packed form of a matrix that does not change in the loop being lowered.
  private mutating func packed(_ view: View, inner: Int, columns: Int, transposed: Bool) -> View? {
    guard view.shape.rank == 2, inner > 0, let open = loop, view.base < open.firstBase else { return nil }
    let source = ProductCall.Matrix(
      address: Address(view), rowStride: view.strides[transposed ? 1 : 0],
      columnStride: view.strides[transposed ? 0 : 1], outerStrides: [])
    if let known = open.packed[source] {
      memory.touch(known.base)
      return known
    }
    let byteCount = Kernels.table.pointee.packed_size(view.type.elementType.kernel, inner, columns)
    let packed = View(base: memory.allocate(byteCount: byteCount, forLoop: true), view.type)
    memory.touch(view.base)
    loop!.prologue.append(
      .pack(
        PackCall(
          elementType: view.type.elementType, inner: inner, columns: columns, source: source, packed: Address(packed))))
    loop!.packed[source] = packed
    owners[packed.base] = RunLog.Origin(name: "packed operand", path: [], byteCount: byteCount)
    return packed
  }
}

extension View {
  /// The view read as a larger shape.
  func broadcast(to target: Shape) -> View {
    View(
      base: base, byteOffset: byteOffset, TensorType(target, type.elementType), strides: strides(broadcastTo: target))
  }
}

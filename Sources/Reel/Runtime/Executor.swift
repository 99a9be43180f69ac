internal import ReelKernels

/// Runs instructions: on all rows, or on the rows that fall to one thread.
struct Executor {
  let bases: Bases
  /// Scratch of one thread.
  let scratch: UnsafeMutableRawPointer
  /// The rows to work on inside a loop that is split; all if nil.
  let rows: Range<Int>?
  /// Scratch and bases for every thread, where work may be split; nil within a split.
  let team: Team?

  /// What the threads of a program have of their own.
  struct Team {
    let scratch: [UnsafeMutableRawPointer]
    let bases: [Bases]
    let baseCount: Int
  }

  func run(_ instructions: [Instruction]) {
    for instruction in instructions {
      switch instruction {
      case .elementwise(let call): run(call)
      case .product(let call): run(call)
      case .pack(let call): run(call)
      case .reduce(let call): run(call)
      case .copy(let call): run(call)
      case .fill(let call): run(call)
      case .operation(let call): run(call)
      case .loop(let call): run(call)
      }
    }
  }

  /// Runs `body` on parts of `count` units of work, over the threads if there is enough of it to share.
  private func split(_ count: Int, work: Int, minimum: Int, _ body: (Range<Int>, UnsafeMutableRawPointer) -> Void) {
    let threads = Threads.shared
    guard let team, threads.count > 1, work >= minimum, count >= threads.count else {
      return body(0..<count, scratch)
    }
    threads.fork { part in
      body(count * part / threads.count..<count * (part + 1) / threads.count, team.scratch[part])
    }
  }
}

// MARK: - Kernels

extension Executor {
  private func run(_ call: ElementwiseCall) {
    let blocks = call.outer.reduce(1, *)
    if let rows { return run(call, block: 0, rows, 0..<call.columns, scratch) }
    let work = call.rows * call.columns * call.code.count
    for block in 0..<blocks {
      if call.rows > 1 {
        split(call.rows, work: work, minimum: 1 << 16) { run(call, block: block, $0, 0..<call.columns, $1) }
      } else {
        split(call.columns, work: work, minimum: 1 << 16) { run(call, block: block, 0..<1, $0, $1) }
      }
    }
  }

  private func run(
    _ call: ElementwiseCall, block: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    withUnsafeTemporaryAllocation(of: reel_slot.self, capacity: call.slots.count) { slots in
      for (index, slot) in call.slots.enumerated() {
        var offset = rows.lowerBound * slot.rowStride + columns.lowerBound * slot.columnStride
        if block > 0 { offset += call.outer.offset(ofBlock: block, slot.outerStrides) }
        slots[index] = reel_slot(
          base: slot.address.resolved(bases) + offset * slot.size, row_stride: slot.rowStride,
          column_stride: slot.columnStride)
      }
      call.code.withUnsafeBufferPointer { code in
        var program = reel_program(
          code: code.baseAddress, code_count: code.count, slots: slots.baseAddress, slot_count: slots.count,
          rows: rows.count, columns: columns.count, scratch: scratch, register_count: call.registerCount)
        Kernels.table.pointee.elementwise(&program)
      }
    }
  }

  private func run(_ call: ProductCall) {
    let element = call.elementType.kernel
    let size = call.elementType.byteCount
    func part(_ block: Int, _ rows: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      var product = call.kernel(bases, scratch, block: block)
      product.m = rows.count
      product.a += rows.lowerBound * product.a_row * size
      product.c += rows.lowerBound * product.c_row * size
      if product.addend != nil { product.addend += rows.lowerBound * product.addend_row * size }
      Kernels.table.pointee.product(element, &product)
    }
    if let rows { return part(0, rows, scratch) }
    let blocks = call.outer.reduce(1, *)
    if blocks >= 4 * Threads.shared.count {
      return split(blocks, work: blocks * call.rows * call.columns * call.inner, minimum: 1 << 17) { blocks, scratch in
        for block in blocks { part(block, 0..<call.rows, scratch) }
      }
    }
    for block in 0..<blocks {
      split(call.rows, work: call.rows * call.columns * call.inner, minimum: 1 << 17) { part(block, $0, $1) }
    }
  }

  private func run(_ call: PackCall) {
    Kernels.table.pointee.pack(
      call.elementType.kernel, call.inner, call.columns, call.source.address.resolved(bases), call.source.rowStride,
      call.source.columnStride, call.packed.resolved(bases))
  }

  private func run(_ call: ReduceCall) {
    let operand = call.operand.resolved(bases)
    let result = call.result.resolved(bases)
    func part(_ outer: Range<Int>) {
      Kernels.table.pointee.reduce(
        call.kernel, call.elementType.kernel,
        operand + outer.lowerBound * call.count * call.inner * call.elementType.byteCount, outer.count, call.count,
        call.inner, result + outer.lowerBound * call.inner * call.resultType.byteCount)
    }
    if let rows { return part(rows) }
    split(call.outer, work: call.outer * call.count * call.inner, minimum: 1 << 16) { outer, _ in part(outer) }
  }

  private func run(_ call: CopyCall) {
    let size = call.elementType.byteCount
    func part(_ rows: Range<Int>) {
      var extents = call.extents
      if !extents.isEmpty { extents[0] = rows.count }
      Kernels.table.pointee.copy(
        call.elementType.kernel, extents.count, extents,
        call.source.resolved(bases) + rows.lowerBound * (call.sourceStrides.first ?? 0) * size, call.sourceStrides,
        call.result.resolved(bases) + rows.lowerBound * (call.resultStrides.first ?? 0) * size, call.resultStrides)
    }
    part(rows ?? 0..<(call.extents.first ?? 1))
  }

  private func run(_ call: FillCall) {
    Kernels.fill(call.result.resolved(bases), call.type, with: call.value)
  }

  private func run(_ call: OperationCall) {
    func storage(_ view: View) -> Storage {
      Storage(view.type, in: Buffer(borrowing: bases[view.base] + view.byteOffset, byteCount: view.type.byteCount))
    }
    call.operation.run(call.operands.map(storage), into: call.results.map(storage))
  }
}

// MARK: - Loops

extension Executor {
  private func run(_ call: LoopCall) {
    run(call.prologue)
    guard let rowCount = call.independentRows, let team, Threads.shared.count > 1,
      rowCount >= 8 * Threads.shared.count
    else { return runSteps(call) }
    let threads = Threads.shared
    for own in team.bases where own != bases { own.update(from: bases, count: team.baseCount) }
    threads.fork { part in
      Executor(
        bases: team.bases[part], scratch: team.scratch[part],
        rows: rowCount * part / threads.count..<rowCount * (part + 1) / threads.count, team: nil
      ).runSteps(call)
    }
  }

  private func runSteps(_ call: LoopCall) {
    for carry in call.carries {
      bases[carry.incoming] = carry.initial.resolved(bases)
      if case .buffers(let base, let even, _) = carry.outgoing { bases[base] = bases[even] }
    }
    for step in 0..<call.length {
      let time = call.isReversed ? call.length - 1 - step : step
      for stepper in call.steppers { bases[stepper.base] = stepper.source.resolved(bases) + time * stepper.byteStride }
      run(call.body)
      for carry in call.carries {
        switch carry.outgoing {
        case .stack(let slot): bases[carry.incoming] = slot.resolved(bases)
        case .buffers(let base, let even, let odd):
          bases[carry.incoming] = bases[base]
          bases[base] = bases[step % 2 == 0 ? odd : even]
        }
      }
    }
  }
}

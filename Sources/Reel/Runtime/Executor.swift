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
  /// The profile that is open; almost always nil.
  var log: RunLog?
  /// The part of a split loop that this thread runs, and how many there are.
  var part = (index: 0, count: 1)

  /// What the threads of a program have of their own.
  struct Team {
    let scratch: [UnsafeMutableRawPointer]
    let bases: [Bases]
    let baseCount: Int
  }

  /// - Parameters:
  ///   - instructions: What runs.
  ///   - origins: What each instruction belongs to, for a profile.
  func run(_ instructions: [Instruction], of origins: [RunLog.Origin]) {
    guard let log else {
      for instruction in instructions { run(instruction) }
      return
    }
    for (instruction, origin) in zip(instructions, origins) {
      log.measure(origin, part: part.index, of: part.count) { run(instruction) }
    }
  }

  @inline(__always) private func run(_ instruction: Instruction) {
    switch instruction {
    case .elementwise(let call): run(call)
    case .product(let call): run(call)
    case .pack(let call): run(call)
    case .reduce(let call): run(call)
    case .copy(let call): run(call)
    case .fill(let call): run(call)
    case .operation(let call): run(call)
    case .loop(let call): run(call)
    case .repeatWhile(let call): run(call)
    case .conditional(let call): run(call)
    }
  }

  /// Does all of a kernel's work, over the threads if there is enough of it to share.
  private func split(_ count: Int, effort: Int, minimum: Int, _ work: some UnitWork) {
    let threads = Threads.shared
    guard let team, threads.count > 1, effort >= minimum, count >= threads.count else {
      return work.run(0..<count, scratch)
    }
    threads.fork(Shared(work: work, units: 0..<count, scratch: team.scratch))
  }
}

/// The work of a kernel, in units that do not depend on each other.
private protocol UnitWork {
  func run(_ units: Range<Int>, _ scratch: UnsafeMutableRawPointer)
}

/// Units of work divided among the threads.
private struct Shared<Work: UnitWork>: PartedWork {
  let work: Work
  let units: Range<Int>
  let scratch: [UnsafeMutableRawPointer]

  func run(part: Int, of count: Int) { work.run(units.part(part, of: count), scratch[part]) }
}

// MARK: - Kernels

extension Executor {
  private func run(_ call: ElementwiseCall) {
    if let rows { return ElementwiseWork(call: call, bases: bases, block: 0, byColumns: false).run(rows, scratch) }
    let blocks = call.outer.reduce(1, *)
    let effort = call.rows * call.columns * call.code.count
    for block in 0..<blocks {
      let byColumns = call.rows == 1 && !call.isByRows
      let work = ElementwiseWork(call: call, bases: bases, block: block, byColumns: byColumns)
      split(byColumns ? call.columns : call.rows, effort: effort, minimum: 1 << 16, work)
    }
  }

  private struct ElementwiseWork: UnitWork {
    let call: ElementwiseCall
    let bases: Bases
    let block: Int
    /// Whether the units are columns of the only row; else they are rows.
    let byColumns: Bool

    func run(_ units: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      let (rows, columns) = byColumns ? (0..<1, units) : (units, 0..<call.columns)
      withUnsafeTemporaryAllocation(of: reel_slot.self, capacity: call.slots.count) { slots in
        for index in call.slots.indices {
          let slot = call.slots[index]
          var offset = rows.lowerBound * slot.rowStride + columns.lowerBound * slot.columnStride
          if block > 0 { offset += call.outer.offset(ofBlock: block, slot.outerStrides) }
          slots[index] = reel_slot(
            base: slot.address.resolved(bases) + offset * slot.size, row_stride: slot.rowStride,
            column_stride: slot.columnStride)
        }
        call.code.withUnsafeBufferPointer { code in
          var program = reel_program(
            code: code.baseAddress, code_count: code.count, slots: slots.baseAddress, slot_count: slots.count,
            rows: rows.count, columns: columns.count, scratch: scratch, register_count: call.registerCount,
            row_register_count: call.rowRegisterCount, by_rows: call.isByRows)
          Kernels.table.pointee.elementwise(&program)
        }
      }
    }
  }

  private func run(_ call: ProductCall) {
    if let rows { return ProductWork(call: call, bases: bases, block: 0).run(rows, scratch) }
    let blocks = call.outer.reduce(1, *)
    if blocks >= 4 * Threads.shared.count {
      // A fork for each of many products costs as much as a small one takes.
      let effort = blocks * call.rows * call.columns * call.inner
      return split(blocks, effort: effort, minimum: reel_product.worthSharing, WholeProducts(call: call, bases: bases))
    }
    for block in 0..<blocks {
      split(
        call.rows, effort: call.rows * call.columns * call.inner, minimum: reel_product.worthSharing,
        ProductWork(call: call, bases: bases, block: block))
    }
  }

  private struct ProductWork: UnitWork {
    let call: ProductCall
    let bases: Bases
    let block: Int

    func run(_ rows: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      var product = call.kernel(bases, scratch, block: block)
      product.narrow(to: rows, call.elementType.byteCount)
      Kernels.table.pointee.product(call.elementType.kernel, &product)
    }
  }

  private struct WholeProducts: UnitWork {
    let call: ProductCall
    let bases: Bases

    func run(_ blocks: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      for block in blocks { ProductWork(call: call, bases: bases, block: block).run(0..<call.rows, scratch) }
    }
  }

  private func run(_ call: PackCall) {
    Kernels.table.pointee.pack(
      call.elementType.kernel, call.inner, call.columns, call.source.address.resolved(bases), call.source.rowStride,
      call.source.columnStride, call.packed.resolved(bases))
  }

  private func run(_ call: ReduceCall) {
    let work = ReduceWork(call: call, bases: bases)
    if let rows { return work.run(rows, scratch) }
    split(call.outer, effort: call.outer * call.count * call.inner, minimum: 1 << 16, work)
  }

  private struct ReduceWork: UnitWork {
    let call: ReduceCall
    let bases: Bases

    func run(_ outer: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      Kernels.table.pointee.reduce(
        call.kernel, call.elementType.kernel,
        call.operand.resolved(bases) + outer.lowerBound * call.count * call.inner * call.elementType.byteCount,
        outer.count, call.count, call.inner,
        call.result.resolved(bases) + outer.lowerBound * call.inner * call.resultType.byteCount)
    }
  }

  private func run(_ call: CopyCall) {
    let work = CopyWork(call: call, bases: bases)
    if let rows { return work.run(rows, scratch) }
    split(call.extents.first ?? 1, effort: call.extents.reduce(1, *), minimum: 1 << 15, work)
  }

  private struct CopyWork: UnitWork {
    let call: CopyCall
    let bases: Bases

    func run(_ rows: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
      let size = call.elementType.byteCount
      withUnsafeTemporaryAllocation(of: Int.self, capacity: call.extents.count + 1) { extents in
        for (axis, extent) in call.extents.enumerated() { extents[axis] = axis == 0 ? rows.count : extent }
        Kernels.table.pointee.copy(
          call.elementType.kernel, call.extents.count, extents.baseAddress!,
          call.source.resolved(bases) + rows.lowerBound * (call.sourceStrides.first ?? 0) * size, call.sourceStrides,
          call.result.resolved(bases) + rows.lowerBound * (call.resultStrides.first ?? 0) * size, call.resultStrides)
      }
    }
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
    run(call.prologue, of: log == nil ? [] : call.prologue.packing)
    guard let rowCount = call.independentRows, let team, Threads.shared.count > 1,
      rowCount >= 8 * Threads.shared.count
    else { return runSteps(call) }
    for own in team.bases where own != bases { own.update(from: bases, count: team.baseCount) }
    Threads.shared.fork(LoopWork(call: call, rows: 0..<rowCount, team: team, log: log))
  }

  /// A loop whose rows are divided among the threads.
  private struct LoopWork: PartedWork {
    let call: LoopCall
    let rows: Range<Int>
    let team: Team
    let log: RunLog?

    func run(part: Int, of count: Int) {
      Executor(
        bases: team.bases[part], scratch: team.scratch[part], rows: rows.part(part, of: count), team: nil, log: log,
        part: (part, count)
      ).runSteps(call)
    }
  }

  private func runSteps(_ call: LoopCall) {
    enter(call.carries)
    for step in 0..<call.length {
      let time = call.isReversed ? call.length - 1 - step : step
      for stepper in call.steppers { bases[stepper.base] = stepper.source.resolved(bases) + time * stepper.byteStride }
      run(call.body, of: call.origins)
      leave(call.carries, step: step)
    }
  }
}

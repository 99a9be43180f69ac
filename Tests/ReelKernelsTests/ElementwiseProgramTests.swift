import ReelKernels
import Testing

/// Layouts: whatever the shape and the strides, an element gets what it gets alone.
@Suite struct ElementwiseProgramTests {
  /// Where the elements of an operand lie in a buffer.
  struct Layout: Sendable {
    var row: Int
    var column: Int
    var origin = 0
    let count: Int

    func slot(_ bytes: UnsafeMutableRawBufferPointer, elementSize: Int) -> reel_slot {
      reel_slot(base: bytes.baseAddress! + origin * elementSize, row_stride: row, column_stride: column)
    }

    func index(_ row: Int, _ column: Int) -> Int { origin + row * self.row + column * self.column }

    /// Any layout of an operand, or of a result (which no two elements may share).
    static func random(rows: Int, columns: Int, forResult: Bool, _ samples: inout Samples) -> Layout {
      let gap = samples.int(0...3)
      let choices = [
        Layout(row: columns, column: 1, count: rows * columns),
        Layout(row: columns + gap, column: 1, count: rows * (columns + gap)),
        Layout(row: 1, column: rows + gap, count: columns * (rows + gap)),
        Layout(row: 2 * columns, column: 2, count: 2 * rows * columns),
        Layout(row: columns, column: -1, origin: columns - 1, count: rows * columns),
        Layout(row: -columns, column: 1, origin: (rows - 1) * columns, count: rows * columns),
        Layout(row: 0, column: 1, count: columns),
        Layout(row: 1, column: 0, count: rows),
        Layout(row: 0, column: 0, count: 1),
        Layout(row: 0, column: 3, count: 3 * columns),
      ]
      return choices[samples.int(0...(forResult ? 5 : 9))]
    }
  }

  static let shapes = [
    (1, 1), (1, 5), (1, 16), (1, 17), (1, 600), (1, 527), (1, 528), (1, 1025), (1, 271), (3, 1), (40, 1), (3, 5),
    (51, 10), (52, 10), (103, 15), (5, 16), (7, 23), (9, 64), (33, 61), (2, 300), (3, 520), (2, 700), (600, 2),
    (16, 32),
  ]

  /// (a + b) < c as a bool, its choice between two registers, and its conversion to float64 and int32: all types meet.
  @Test(arguments: Kernels.all) func mixedProgram(_ kernels: Kernels) {
    var samples = Samples(seed: 31)
    let code = [
      instruction(REEL_OP_ADD, REEL_FLOAT32, result: 7, 0, 1),
      instruction(REEL_OP_LESS, REEL_FLOAT32, to: REEL_BOOL, result: 8, 7, 2),
      instruction(REEL_OP_TANH, REEL_FLOAT32, result: 9, 2),
      instruction(REEL_OP_SELECT, REEL_FLOAT32, result: 3, 8, 7, 9),
      instruction(REEL_OP_NOT, REEL_BOOL, result: 4, 8),
      instruction(REEL_OP_CONVERT, REEL_FLOAT32, to: REEL_FLOAT64, result: 10, 9),
      instruction(REEL_OP_EXP, REEL_FLOAT64, result: 5, 10),
      instruction(REEL_OP_CONVERT, REEL_BOOL, to: REEL_INT32, result: 6, 8),
    ]
    for (rows, columns) in Self.shapes {
      for _ in 0..<12 {
        let layouts = (0..<7).map { Layout.random(rows: rows, columns: columns, forResult: $0 >= 3, &samples) }
        var a: [Float] = samples.reals(layouts[0].count)
        var b: [Float] = samples.reals(layouts[1].count)
        var c: [Float] = samples.reals(layouts[2].count)
        var chosen = [Float](repeating: 7, count: layouts[3].count)
        var negated = [UInt8](repeating: 7, count: layouts[4].count)
        var exponential = [Double](repeating: 7, count: layouts[5].count)
        var number = [Int32](repeating: 7, count: layouts[6].count)

        // The same, element by element, through contiguous single instructions.
        func gathered<T>(_ values: [T], _ layout: Layout) -> [T] {
          (0..<rows).flatMap { row in (0..<columns).map { values[layout.index(row, $0)] } }
        }
        let (flatA, flatB, flatC) = (gathered(a, layouts[0]), gathered(b, layouts[1]), gathered(c, layouts[2]))
        let sum = kernels.apply(REEL_OP_ADD, flatA, flatB, to: Float.self)
        let less = kernels.apply(REEL_OP_LESS, sum, flatC, to: UInt8.self)
        let tanh = kernels.apply(REEL_OP_TANH, flatC, to: Float.self)
        let wide = kernels.apply(REEL_OP_CONVERT, tanh, to: Double.self)

        var touched = chosen
        a.withUnsafeMutableBytes { a in
          b.withUnsafeMutableBytes { b in
            c.withUnsafeMutableBytes { c in
              chosen.withUnsafeMutableBytes { chosen in
                negated.withUnsafeMutableBytes { negated in
                  exponential.withUnsafeMutableBytes { exponential in
                    number.withUnsafeMutableBytes { number in
                      let slots = [
                        layouts[0].slot(a, elementSize: 4), layouts[1].slot(b, elementSize: 4),
                        layouts[2].slot(c, elementSize: 4), layouts[3].slot(chosen, elementSize: 4),
                        layouts[4].slot(negated, elementSize: 1), layouts[5].slot(exponential, elementSize: 8),
                        layouts[6].slot(number, elementSize: 4),
                      ]
                      kernels.run(code, slots: slots, rows: rows, columns: columns, registers: 4)
                    }
                  }
                }
              }
            }
          }
        }
        #expect(gathered(chosen, layouts[3]) == kernels.select(less, sum, tanh), "\(rows) x \(columns)")
        #expect(gathered(negated, layouts[4]) == less.map { 1 - $0 }, "\(rows) x \(columns)")
        #expect(
          gathered(exponential, layouts[5]) == kernels.apply(REEL_OP_EXP, wide, to: Double.self), "\(rows) x \(columns)"
        )
        #expect(gathered(number, layouts[6]) == less.map(Int32.init), "\(rows) x \(columns)")

        // Between the elements of a result nothing is written.
        for row in 0..<rows {
          for column in 0..<columns {
            let index = layouts[3].index(row, column)
            touched[index] = chosen[index]
          }
        }
        #expect(touched == chosen, "\(rows) x \(columns)")
      }
    }
  }

  /// Single instructions of every size of element, in place or not.
  @Test(arguments: Kernels.all) func singleInstructions(_ kernels: Kernels) {
    var samples = Samples(seed: 32)
    for (rows, columns) in Self.shapes {
      let real: [Double] = samples.reals(rows * columns)
      singleInstruction(kernels, REEL_OP_SUBTRACT, real.map(Float.init), rows: rows, columns: columns, &samples)
      singleInstruction(kernels, REEL_OP_SUBTRACT, real, rows: rows, columns: columns, &samples)
      singleInstruction(kernels, REEL_OP_SUBTRACT, samples.ints(rows * columns), rows: rows, columns: columns, &samples)
      singleInstruction(kernels, REEL_OP_XOR, samples.bools(rows * columns), rows: rows, columns: columns, &samples)
    }
  }

  private func singleInstruction<T: KernelElement>(
    _ kernels: Kernels, _ opcode: reel_opcode, _ values: [T], rows: Int, columns: Int, _ samples: inout Samples
  ) {
    for inPlace in [false, true] {
      let resultLayout = Layout.random(rows: rows, columns: columns, forResult: true, &samples)
      let otherLayout = Layout.random(rows: rows, columns: columns, forResult: false, &samples)
      var other = (0..<otherLayout.count).map { values[$0 % values.count] }
      var result = [T](repeating: .zero, count: resultLayout.count)
      var first: [T] = []
      var second: [T] = []
      for row in 0..<rows {
        for column in 0..<columns {
          result[resultLayout.index(row, column)] = values[row * columns + column]
          first.append(values[row * columns + column])
          second.append(other[otherLayout.index(row, column)])
        }
      }
      let size = MemoryLayout<T>.size
      other.withUnsafeMutableBytes { other in
        result.withUnsafeMutableBytes { result in
          var copy = Array(result)
          copy.withUnsafeMutableBytes { copy in
            let slots = [
              resultLayout.slot(inPlace ? result : copy, elementSize: size), otherLayout.slot(other, elementSize: size),
              resultLayout.slot(result, elementSize: size),
            ]
            kernels.run(
              [instruction(opcode, T.type, result: 2, 0, 1)], slots: slots, rows: rows, columns: columns)
          }
        }
      }
      let expected = kernels.apply(opcode, first, second, to: T.self)
      let results = (0..<rows).flatMap { row in (0..<columns).map { result[resultLayout.index(row, $0)] } }
      #expect(results == expected, "\(T.self), \(rows) x \(columns), in place: \(inPlace)")
    }
  }

  /// Tiles that follow each other use the addresses of the one before: with operands of every layout, with results in the
  /// place of operands, and with more numbers for all elements than have a place of their own.
  @Test(arguments: Kernels.all) func programOfManyOperands(_ kernels: Kernels) {
    var samples = Samples(seed: 33)
    for (rows, columns) in Self.shapes {
      let count = 70
      let layouts = (0..<count).map { index in
        index % 4 == 0
          ? Layout.random(rows: rows, columns: columns, forResult: false, &samples)
          : Layout(row: 0, column: 0, count: 1)
      }
      var operands: [[Float]] = layouts.map { samples.reals($0.count) }
      var sum: [Float] = samples.reals(rows * columns)
      var expected = sum
      for (layout, operand) in zip(layouts, operands) {
        for index in expected.indices {
          expected[index] = expected[index] * 0.5 + operand[layout.index(index / columns, index % columns)]
        }
      }
      // sum = sum * 0.5 + operand, for each operand: the sum is read and written in its place.
      var half: [Float] = [0.5]
      let code = (0..<count).map {
        instruction(REEL_OP_MULTIPLY_ADD, REEL_FLOAT32, result: count + 1, count + 1, count, $0)
      }
      half.withUnsafeMutableBytes { half in
        sum.withUnsafeMutableBytes { sum in
          let buffers = operands.indices.map { index in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: operands[index].count * 4, alignment: 4)
            operands[index].withUnsafeMutableBytes { buffer.copyMemory(from: UnsafeRawBufferPointer($0)) }
            return buffer
          }
          defer { for buffer in buffers { buffer.deallocate() } }
          let slots =
            zip(layouts, buffers).map { $0.slot($1, elementSize: 4) }
            + [Layout(row: 0, column: 0, count: 1), Layout(row: columns, column: 1, count: rows * columns)]
            .enumerated().map { $1.slot($0 == 0 ? half : sum, elementSize: 4) }
          kernels.run(code, slots: slots, rows: rows, columns: columns)
        }
      }
      #expect(sum == expected, "\(rows) x \(columns)")
    }
  }

  @Test(arguments: Kernels.all) func nothingToDo(_ kernels: Kernels) {
    let slot = reel_slot(base: nil, row_stride: 0, column_stride: 1)
    kernels.run([instruction(REEL_OP_NEGATE, REEL_FLOAT32, result: 1, 0)], slots: [slot, slot], rows: 0, columns: 5)
    kernels.run([instruction(REEL_OP_NEGATE, REEL_FLOAT32, result: 1, 0)], slots: [slot, slot], rows: 5, columns: 0)
  }
}

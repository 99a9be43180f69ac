import Reel

extension Initializer {
  /// Rows or columns, whichever are fewer, orthonormal: the Q of the QR factors of a normal matrix, with the signs that
  /// make the diagonal of R positive (Saxe et al., "Exact solutions to the nonlinear dynamics of learning", 2013). Leading
  /// axes count as rows.
  public static let orthogonal = orthogonal(gain: 1)

  /// As ``orthogonal``, times a factor.
  public static func orthogonal(gain: Double) -> Initializer {
    Initializer(drawing: { shape, key in
      guard shape.rank >= 2 else {
        TensorError(
          operation: "initializer", problem: "an orthogonal matrix of shape \(shape)", expected: "two axes or more"
        ).report()
        return .zeros(shape)
      }
      let (rows, columns) = (shape.extents.dropLast().reduce(1, *), shape.last)
      let normal = Tensor.randomNormal([min(rows, columns), max(rows, columns)], key: key, elementType: .float64)
      let vectors = orthonormalizedRows(of: normal)
      let matrix = rows <= columns ? vectors : vectors.transposed()
      return (matrix * Tensor(gain)).reshaped(to: shape).converted(to: .default)
    })
  }
}

/// Q of A = L·Q, with orthonormal rows and L lower triangular with a positive diagonal: the rows of A made orthonormal one
/// after another, as the method of Gram and Schmidt does.
///
/// L is the factor of Cholesky of A·Aᵀ, so that nearly all of the work is in products of matrices. Squaring costs digits,
/// the more the less orthogonal the rows are, so that it is done again until they were nearly orthonormal before: Fukaya et
/// al., "CholeskyQR2: a simple and communication-avoiding algorithm" (2014).
private func orthonormalizedRows(of matrix: Tensor) -> Tensor {
  let count = matrix.shape[0]
  guard count > 0 else { return matrix }
  var rows = matrix
  for _ in 0..<8 {
    var factor = SquareMatrix(rows.matmul(rows, transposingOther: true).numbers, size: count)
    let distance = factor.distanceFromIdentity
    if distance < 1e-14 { break }
    factor.factorizeByCholesky()
    factor.invertLowerTriangle()
    rows = Tensor(factor.elements, shape: [count, count]).matmul(rows)
    // Where the largest eigenvalue of the difference is below ½ nothing is left to mend.
    if distance * Double(count) < 0.5 { break }
  }
  return rows
}

/// A square matrix in row-major order.
private struct SquareMatrix {
  var elements: [Double]
  let size: Int

  init(_ elements: [Double], size: Int) {
    self.elements = elements
    self.size = size
  }

  /// The largest difference from the identity.
  var distanceFromIdentity: Double {
    var largest = 0.0
    for row in 0..<size {
      for column in 0..<size {
        largest = max(largest, abs(elements[row * size + column] - (row == column ? 1 : 0)))
      }
    }
    return largest
  }

  /// Replaces a symmetric matrix G by the lower triangle L with L·Lᵀ = G, and 0 above.
  mutating func factorizeByCholesky() {
    let size = size
    elements.withUnsafeMutableBufferPointer { elements in
      // Rounding may leave nothing of a pivot, or less; then the next round finds a short row and mends it.
      let trace = (0..<size).reduce(0) { $0 + elements[$1 * size + $1] }
      let smallest = trace * 11 * Double(size) * Double.ulpOfOne
      for row in 0..<size {
        let target = elements.baseAddress! + row * size
        for column in 0..<row {
          let other = elements.baseAddress! + column * size
          target[column] = (target[column] - dot(target, other, count: column)) / other[column]
        }
        target[row] = max(target[row] - dot(target, target, count: row), smallest).squareRoot()
        for column in row + 1..<max(size, row + 1) { target[column] = 0 }
      }
    }
  }

  /// Replaces a lower triangle by its inverse.
  mutating func invertLowerTriangle() {
    let size = size
    elements.withUnsafeMutableBufferPointer { elements in
      var inverse = [Double](repeating: 0, count: size)
      for row in 0..<size {
        let target = elements.baseAddress! + row * size
        // Row i of the inverse is (eᵢ - Σ Lᵢₖ · row k of the inverse) / Lᵢᵢ over k < i.
        for column in 0...row { inverse[column] = column == row ? 1 : 0 }
        for earlier in 0..<row {
          let (factor, other) = (target[earlier], elements.baseAddress! + earlier * size)
          for column in 0...earlier { inverse[column] -= factor * other[column] }
        }
        let scale = 1 / target[row]
        for column in 0...row { target[column] = inverse[column] * scale }
      }
    }
  }
}

/// Σ aᵢ·bᵢ in eight sums side by side.
private func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, count: Int) -> Double {
  var sums = SIMD8<Double>()
  var index = 0
  while index + 8 <= count {
    let left = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Double>.self)
    let right = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Double>.self)
    sums += left * right
    index += 8
  }
  var sum = 0.0
  for lane in 0..<8 { sum += sums[lane] }
  while index < count {
    sum += a[index] * b[index]
    index += 1
  }
  return sum
}

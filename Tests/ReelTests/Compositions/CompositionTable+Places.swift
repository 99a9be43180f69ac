import Reel
import ReelTestSupport

// Compositions that say where elements are.
extension CompositionTable {
  static let shapes: [Row] = [
    Row("subscript", [.real([4, 3])], variant: "index") {
      $0[0][2]
    } reference: { x in
      Numbers([3]) { x[0][[2] + $0] }
    },
    Row("subscript", [.real([4, 3])], variant: "from the end") {
      $0[0][-1]
    } reference: { x in
      Numbers([3]) { x[0][[3] + $0] }
    },
    Row("subscript", [.real([4, 3])], variant: "range") {
      $0[0][1..<3]
    } reference: { x in
      Numbers([2, 3]) { x[0][[$0[0] + 1, $0[1]]] }
    },
    Row("part", [.real([2, 3, 4])]) {
      $0[0].part(at: -2, along: -2)
    } reference: { x in
      Numbers([2, 4]) { x[0][[$0[0], 1, $0[1]]] }
    },
    Row("expanded", [.real([2, 3])]) {
      $0[0].expanded(at: -1)
    } reference: {
      $0[0].reshaped([2, 3, 1])
    },
    Row("expanded", [.real([2, 3])], variant: "0") {
      $0[0].expanded(at: 0)
    } reference: {
      $0[0].reshaped([1, 2, 3])
    },
    Row("squeezed", [.real([2, 1, 3])]) {
      $0[0].squeezed(at: -2)
    } reference: {
      $0[0].reshaped([2, 3])
    },
    Row("flattened", [.real([2, 3, 4])]) {
      $0[0].flattened(from: 1)
    } reference: {
      $0[0].reshaped([2, 12])
    },
    Row("flattened", [.real([])], variant: "scalar") {
      $0[0].flattened()
    } reference: {
      $0[0].reshaped([1])
    },
    Row("transposed", [.real([2, 3, 4])]) {
      $0[0].transposed()
    } reference: { x in
      Numbers([4, 3, 2]) { x[0][$0.reversed()] }
    },
    Row("transposed", [.real([2, 3, 4])], variant: "axes from the end") {
      $0[0].transposed([0, -1, -2])
    } reference: { x in
      Numbers([2, 4, 3]) { x[0][[$0[0], $0[2], $0[1]]] }
    },
    Row("movingAxis", [.real([2, 3, 4])], variant: "0 to -1") {
      $0[0].movingAxis(0, to: -1)
    } reference: { x in
      Numbers([3, 4, 2]) { x[0][[$0[2], $0[0], $0[1]]] }
    },
    Row("movingAxis", [.real([2, 3, 4])], variant: "-1 to 1") {
      $0[0].movingAxis(-1, to: 1)
    } reference: { x in
      Numbers([2, 4, 3]) { x[0][[$0[0], $0[2], $0[1]]] }
    },
    Row("in place", [.real([2, 3]), .real([3])]) { operands in
      var x = operands[0]
      x += operands[1]
      x *= operands[0]
      x -= 1
      x /= 2
      return x
    } reference: {
      Numbers.elementwise { (($0[0] + $0[1]) * $0[0] - 1) / 2 }($0)
    },
  ]

  static let gathering: [Row] = [
    Row("gathered", [.real([2, 4, 3]), .int([2, 2], of: [3, 0, 1, 1])], variant: "rank 2 along 1") {
      $0[0].gathered(at: $0[1], along: 1)
    } reference: { x in
      Numbers([2, 2, 2, 3]) { x[0][[$0[0], Int(x[1][[$0[1], $0[2]]]), $0[3]]] }
    },
    Row("gathered", [.real([4, 3]), .int([1, 2, 2], of: [3, 0, 1, 1])], variant: "rank 3 along -1") {
      $0[0].gathered(at: $0[1], along: -1)
    } reference: { x in
      Numbers([4, 1, 2, 2]) { x[0][[$0[0], min(Int(x[1][Array($0[1...])]), 2)]] }
    },
    Row("oneHot", [.int([2, 4], of: [0, 1, 2, 3, -1])], gives: .float32) {
      $0[0].oneHot(3, elementType: .float32)
    } reference: { x in
      Numbers([2, 4, 3]) { x[0][[$0[0], $0[1]]] == Double($0[2]) ? 1 : 0 }
    },
    Row("identity matrix", [.real([2, 3])]) {
      $0[0].matmul(.identity(3, elementType: $0[0].elementType))
    } reference: {
      $0[0]
    },
    Row("iota", [.real([4])]) {
      $0[0] * .iota(4, from: 2, elementType: $0[0].elementType)
    } reference: { x in
      Numbers([4]) { x[0][$0] * Double($0[0] + 2) }
    },
    Row("convolution", [.real([2, 6, 3]), .real([6, 4])], variant: "windows and a product") {
      $0[0].windows(of: 2, along: 1).flattened(from: 2).matmul($0[1])
    } reference: { x in
      Numbers([2, 5, 4]) { index in
        (0..<6).reduce(0) { $0 + x[0][[index[0], index[1] + $1 / 3, $1 % 3]] * x[1][[$1, index[2]]] }
      }
    },
  ]
}

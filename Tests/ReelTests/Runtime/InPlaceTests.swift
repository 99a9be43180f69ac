import Foundation
import Reel
import Testing

@testable import Reel

/// A variable that a compiled function assigns gets its new value where the old one was, if nobody else can tell.
@Suite struct InPlaceTests {
  /// A function of two variables that assigns them.
  struct Update: CustomTestStringConvertible, Sendable {
    let name: String
    /// Whether the first variable can keep its place.
    let keepsPlace: Bool
    let body: @Sendable (Variable, Variable) -> [Tensor]
    var testDescription: String { name }
  }

  static let updates: [Update] = [
    Update(name: "elementwise", keepsPlace: true) { a, _ in
      a.value = a.value * 0.5 + 1
      return []
    },
    Update(name: "a moment and a step along it", keepsPlace: true) { a, b in
      b.value = b.value * 0.9 + a.value * 0.1
      a.value = a.value - 0.1 * b.value / (sqrt(b.value * b.value) + 1)
      return []
    },
    Update(name: "the old value is returned", keepsPlace: false) { a, _ in
      let old = a.value
      a.value = old + 1
      return [old]
    },
    Update(name: "the new value is returned", keepsPlace: true) { a, _ in
      a.value = tanh(a.value)
      return [a.value]
    },
    Update(name: "the old value is read again later", keepsPlace: false) { a, b in
      let old = a.value
      a.value = old * 2 + b.value
      return [old.matmul(a.value), a.value.matmul(old)]
    },
    Update(name: "each element depends on others", keepsPlace: false) { a, _ in
      a.value = a.value.transposed() + a.value
      return []
    },
    Update(name: "a function of a product with itself", keepsPlace: true) { a, _ in
      a.value = tanh(a.value.matmul(a.value))
      return []
    },
    Update(name: "a product with another", keepsPlace: false) { a, b in
      a.value = a.value.matmul(b.value)
      return []
    },
    Update(name: "swapped", keepsPlace: false) { a, b in
      let old = a.value
      a.value = b.value
      b.value = old
      return []
    },
    Update(name: "shifted on", keepsPlace: false) { a, b in
      let old = a.value
      a.value = b.value
      b.value = b.value + old
      return []
    },
    Update(name: "carried through a loop", keepsPlace: true) { a, b in
      let xs = Tensor.iota(3).converted(to: .float32)
      a.value = scan(over: xs, from: a.value) { state, x in (sin(state.matmul(b.value) + x), state) }.0
      return []
    },
  ]

  static func variables() -> (Variable, Variable) {
    (
      Variable(Tensor.randomNormal([5, 5], key: RandomKey(seed: 1))),
      Variable(Tensor.randomNormal([5, 5], key: RandomKey(seed: 2)))
    )
  }

  @Test(arguments: updates) func valuesAreThoseOfEagerCode(update: Update) throws {
    let (a, b) = Self.variables()
    let (c, d) = Self.variables()
    let step = compiled { () -> [Tensor] in update.body(a, b) }
    for _ in 0..<4 {
      let found = try step()
      let expected = update.body(c, d)
      #expect(found.map(\.numbers) == expected.map(\.numbers))
      #expect(a.value.numbers == c.value.numbers && b.value.numbers == d.value.numbers)
    }
  }

  @Test(arguments: updates) func aValueThatNobodyHoldsIsWrittenOver(update: Update) throws {
    let (a, b) = Self.variables()
    let step = compiled { () -> [Tensor] in update.body(a, b) }
    var places: [UnsafeMutableRawPointer] = []
    for _ in 0..<3 {
      _ = try step()
      places.append(a.concrete.storage!.base)
    }
    #expect((Set(places).count == 1) == update.keepsPlace)
  }

  @Test(arguments: updates) func valuesThatAreHeldStay(update: Update) throws {
    let (a, b) = Self.variables()
    let step = compiled { () -> [Tensor] in update.body(a, b) }
    var held: [(tensors: [Tensor], numbers: [[Double]])] = []
    for _ in 0..<4 {
      let tensors = [a.value, b.value] + (try step())
      held.append((tensors, tensors.map(\.numbers)))
    }
    for (tensors, numbers) in held { #expect(tensors.map(\.numbers) == numbers) }
  }

  /// A variable of equal elements is counted up by one thread and read by another, which never sees two numbers.
  @Test func whoeverReadsInBetweenSeesWholeValues() async throws {
    let variable = Variable(Tensor.zeros([20_000]))
    let reader = Task.detached {
      var last = 0.0
      while last < 200 {
        let numbers = variable.value.numbers
        guard Set(numbers).count == 1, numbers[0] >= last else { return false }
        last = numbers[0]
      }
      return true
    }
    let step = compiled { () -> [Tensor] in
      variable.value = variable.value + 1
      return []
    }
    for _ in 0..<200 { _ = try step() }
    #expect(await reader.value)
  }

  /// Two programs that take the same variables come to an end, and no step of either is lost.
  @Test func programsTakeVariablesInTurn() async throws {
    let (a, b) = (Variable(Tensor.zeros([100])), Variable(Tensor.zeros([100])))
    func steps(_ first: Variable, _ second: Variable) -> Task<Void, any Error> {
      Task.detached {
        let step = compiled { () -> [Tensor] in
          first.value = first.value + 1
          second.value = second.value + 1
          return []
        }
        for _ in 0..<100 { _ = try step() }
      }
    }
    let tasks = [steps(a, b), steps(b, a)]
    for task in tasks { try await task.value }
    #expect(a.value.numbers == [Double](repeating: 200, count: 100))
    #expect(b.value.numbers == [Double](repeating: 200, count: 100))
  }
}

import Reel
import ReelTestSupport
import Testing

/// Bad text: a typed error with its place, and never a crash.
@Suite struct GraphSyntaxTests {
  static let rows: [(text: String, message: String)] = [
    ("", "line 1, column 1: the end of the text; expected graph"),
    ("grph (", "line 1, column 1: 'grph'; expected graph"),
    ("graph (%0: f32[2]) {\n  return %1\n}", "line 2, column 10: %1, which nothing before it gives"),
    ("graph (%0: f16[2]) { return %0 }", "line 1, column 12: 'f16[2])'; expected a type such as f32[2,3]"),
    ("graph (%0: f32[2], %0: f32[2]) { return %0 }", "line 1, column 20: a second %0"),
    (
      "graph (%0: f32[2]) {\n  %1: f32[2] = tanhh %0\n  return %1\n}",
      "line 2, column 16: no operation is called 'tanhh'"
    ),
    (
      "graph (%0: f32[2]) {\n  %1: f32[3] = tanh %0\n  return %1\n}",
      "line 2, column 16: 'tanh' that gives f32[3]; expected f32[2]"
    ),
    ("graph (%0: f32[2]) { %1: f32[2] = add %0 return %1 }", "line 1, column 35: 'add' with 1 operands; expected 2"),
    (
      "graph (%0: f32[2]) { %1: f32[] = sum %0 {keepDims} return %1 }",
      "line 1, column 34: 'sum' without the attribute 'axes'; expected axes=a list of whole numbers"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[] = sum %0 {axes=[x]} return %1 }",
      "line 1, column 42: 'axes=[x]'; expected axes=a list of whole numbers"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = tanh %0 {fast} return %1 }",
      "line 1, column 44: 'tanh' has no attribute 'fast'"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = slice %0 {axis=-1, axis=-1, start=0, step=1, count=2} return %1 }",
      "line 1, column 54: 'slice' has no second 'axis'"
    ),
    (
      "graph (%0: f32[2,3], %1: f32[4,5]) { %2: f32[2,5] = matmul %0 %1 return %2 }",
      "line 1, column 53: matmul: the last axis of the left operand is 3, the matching axis of the right one 4 (operands: f32[2,3], f32[4,5]); expected extents that agree"
    ),
    (
      "graph (%0: f32[3000000000]) { return %0 }",
      "line 1, column 16: the number 3000000000; expected at most 2147483648"
    ),
    (
      "graph (%0: f32[100000,100000]) { return %0 }",
      "line 1, column 12: a tensor of more than 2147483648 elements"
    ),
    (
      "graph (%0: f32[65536,1], %1: f32[1,65536]) { %2: f32[2] = add %0 %1 return %2 }",
      "line 1, column 59: operands that broadcast to more than 2147483648 elements"
    ),
    ("graph () { return } x", "line 1, column 21: 'x'; expected the end of the text"),
    ("graph (%0 \"a: f32[2]) { return %0 }", "line 1, column 11: a name in quotes without an end"),
    ("graph (%0 \"ä\": x) { return %0 }", "line 1, column 16: 'x)'; expected a type such as f32[2,3]"),
    (
      "graph () { %0: f32[2] = constant {values=[1, 2, 3]} return %0 }",
      "line 1, column 25: 'constant' with values that do not fit f32[2]; expected 2 elements of type f32"
    ),
    (
      "graph () { %0: bool[4] = constant {bytes=AAECAw==} return %0 }",
      "line 1, column 36: 'bytes=AAECAw=='; expected bytes=4 elements of type bool in Base64"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = fused %0 {registers=0, steps=[1 = exp i32 0]} return %1 }",
      "line 1, column 58: 'steps=[1 = exp i32 0]'; expected steps=a list of steps such as 2 = add f32 0 1, with slots below 2"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = fused %0 {registers=1, steps=[1 = add f32 0 2]} return %1 }",
      "line 1, column 35: step '1 = add f32 0 2' reads slot 2; expected a slot that holds f32"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = scan %0 {length=2, captured=0, carries=0} return %1 }",
      "line 1, column 35: 'scan' with 0 bodies; expected 1"
    ),
    (
      "graph (%0: f32[2]) { %1: f32[2] = scan %0 {length=2, captured=5, carries=0} (%0: f32[]) { return %0 } return %1 }",
      "line 1, column 35: 5 captured values and 0 carries in a body of 1 inputs and 1 outputs; expected an input for each of them and for each sequence, and an output for each carry"
    ),
    (
      "graph () { " + String(repeating: "%0: f32[] = scan () { ", count: 100),
      "line 1, column 1415: more than 64 bodies in each other"
    ),
  ]

  @Test(arguments: rows.indices)
  func theErrorSaysWhereAndWhat(row: Int) throws {
    let (text, message) = Self.rows[row]
    let error = try #require(throws: GraphSyntaxError.self) { try Graph(parsing: text) }
    #expect(error.description == message)
  }

  /// Texts to change: the programs of the operation table, and programs of every kind as traced and as compiled.
  static let seeds: [String] = {
    let table = OperationTable.rows.compactMap { try? $0.programWithOperation() }
    let others = GraphCorpus.all.compactMap { try? $0.graph() } + [try? GraphTextTests.nested.get()].compactMap { $0 }
    return (table + others + others.map { $0.applying(Pass.pipeline) }).map(\.description)
  }()

  @Test(arguments: 0..<12)
  func changedTextGivesAGraphOrATypedError(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    var (good, bad) = (0, 0)
    for _ in 0..<250 {
      var change = TextChange(generator)
      let text = change(Self.seeds.randomElement(using: &generator)!)
      generator = change.generator
      do throws(GraphSyntaxError) {
        let graph = try Graph(parsing: text)
        #expect(throws: Never.self) { try graph.validate() }
        #expect(try Graph(parsing: graph.description).description == graph.description)
        good += 1
      } catch {
        bad += 1
        #expect(error.line >= 1 && error.column >= 1)
      }
    }
    #expect(good > 10 && bad > 100, "\(good) read, \(bad) refused")
  }
}

/// Changes a text in one to three places: half of all texts byte by byte, which breaks its grammar, the others word by word,
/// which keeps it and breaks what the words mean.
private struct TextChange {
  var generator: SplitMix

  init(_ generator: SplitMix) { self.generator = generator }

  private static let marks = Array("%[]{}(),:=@\"\\ \n0123456789-abfinst".utf8)
  /// Where sizes and axes go wrong.
  private static let numbers = ["-1", "0", "1", "2", "2147483647", "2147483648", "9999999999999999999"]

  mutating func callAsFunction(_ text: String) -> String {
    let isByWord = Bool.random(using: &generator)
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
      if isByWord { changeWord(&bytes) } else { changeBytes(&bytes) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func changeBytes(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes.remove(at: place)
    case 1: bytes.insert(Self.marks.randomElement(using: &generator)!, at: place)
    case 2: bytes[place] = Self.marks.randomElement(using: &generator)!
    case 3: bytes[place] = UInt8.random(in: 0...255, using: &generator)
    default: bytes.removeSubrange(place..<min(place + Int.random(in: 1...30, using: &generator), bytes.count))
    }
  }

  /// Puts another word of the same kind in place of one: a number for a number, a name for a name. A third of the numbers
  /// is of those that are likely to do harm.
  private mutating func changeWord(_ bytes: inout [UInt8]) {
    func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let wantsNumber = Int.random(in: 0..<3, using: &generator) > 0
    let fits = wantsNumber ? isDigit : isLetter
    let starts = bytes.indices.filter { fits(bytes[$0]) && ($0 == 0 || !fits(bytes[$0 - 1])) }
    let words = starts.map { start in start..<(bytes[start...].firstIndex { !fits($0) } ?? bytes.count) }
    guard let place = words.randomElement(using: &generator), let other = words.randomElement(using: &generator) else {
      return
    }
    let isHarmful = wantsNumber && Int.random(in: 0..<3, using: &generator) == 0
    let word = isHarmful ? Array(Self.numbers.randomElement(using: &generator)!.utf8) : Array(bytes[other])
    bytes.replaceSubrange(place, with: word)
  }
}

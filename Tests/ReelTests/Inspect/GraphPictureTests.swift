import Foundation
@testable import Reel
import ReelTestSupport
import Testing

/// Pictures of graphs: whole documents, with everything in its place.
@Suite struct GraphPictureTests {
  static func program() throws -> Graph {
    try Graph(tracing: [TensorType([3, 4]), TensorType([5, 2, 3])]) { x in
      [
        gradient(at: x[0]) { w in
          Recording.inScope("cell <&>") {
            scan(over: x[1], from: Tensor.zeros([2, 4])) { h, x in
              let next = tanh(x.matmul(w) + h)
              return (next, next)
            }.state.sum()
          }
        }
      ]
    }
  }

  @Test func everyOperationIsDrawn() throws {
    let graph = try Self.program()
    let svg = graph.svg(title: "a < b & \"c\"").text
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" "))
    #expect(svg.contains("a &lt; b &amp; &quot;c&quot;") && svg.contains("cell &lt;&amp;&gt;"))
    #expect(svg.contains("prefers-color-scheme:dark"))
    #expect(!svg.contains("nan") && !svg.contains("inf\""))
    for name in ["scan", "matmul", "tanh", "captured 0", "carry 0", "element 0"] {
      #expect(svg.contains(">\(name)</text>"), "\(name)")
    }
    // The loop of the reverse sweep is orange, the loop itself is blue.
    #expect(svg.contains("class=\"reverse\"") && svg.contains("class=\"forward\""))
    #expect(try XMLChecker.failure(svg) == nil)
  }

  @Test func boxesDoNotOverlapAndArrowsPointDown() throws {
    var generator = SplitMix(seed: 5)
    for _ in 0..<20 {
      let count = Int.random(in: 1...40, using: &generator)
      let sizes = (0..<count).map { _ in
        LayeredLayout.Size(
          width: Double(Int.random(in: 10...90, using: &generator)),
          height: Double(Int.random(in: 10...60, using: &generator)))
      }
      let edges = (0..<count * 2).compactMap { _ -> (from: Int, to: Int)? in
        let ends = (Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator))
        return ends.0 == ends.1 ? nil : (min(ends.0, ends.1), max(ends.0, ends.1))
      }
      let isSource = (0..<count).map { index in !edges.contains { $0.to == index } }
      let layout = LayeredLayout(sizes, edges: edges, isSource: isSource)
      let boxes = zip(layout.corners, sizes).map {
        (left: $0.x, top: $0.y, right: $0.x + $1.width, bottom: $0.y + $1.height)
      }
      for first in boxes.indices {
        let one = boxes[first]
        #expect(one.left >= -0.01 && one.right <= layout.size.width + 0.01 && one.bottom <= layout.size.height + 0.01)
        for other in boxes[(first + 1)...] {
          let apart =
            one.right <= other.left + 0.01 || other.right <= one.left + 0.01 || one.bottom <= other.top + 0.01
            || other.bottom <= one.top + 0.01
          #expect(apart)
        }
      }
      for (edge, route) in zip(edges, layout.routes) {
        #expect(zip(route, route.dropFirst()).allSatisfy { $0.y <= $1.y + 0.01 })
        #expect(boxes[edge.from].bottom < boxes[edge.to].top)
      }
    }
  }

  @Test func graphvizGetsEveryBoxAndArrow() throws {
    let dot = try Self.program().dot()
    #expect(dot.hasPrefix("digraph") && dot.contains("subgraph cluster_") && dot.contains("lhead=cluster_"))
    #expect(dot.count { $0 == "{" } == dot.count { $0 == "}" })
    let named = Set(dot.matches(of: /\b(n\d+) \[label/).map { String($0.output.1) })
    for match in dot.matches(of: /(n\d+) -> (n\d+)/) {
      #expect(named.contains(String(match.output.1)) && named.contains(String(match.output.2)))
    }
  }

  @Test func anEmptyGraphIsAPictureToo() throws {
    let graph = try Graph(parsing: "graph () { return }")
    #expect(try XMLChecker.failure(graph.svg().text) == nil)
    #expect(graph.svg().text.contains("0 operations"))
    #expect(graph.dot().contains("digraph"))
  }

  @Test func aFileIsReplacedAtOnceOrNotAtAll() throws {
    let picture = try Self.program().svg()
    try TemporaryFolder.with { folder in
      let path = folder + "/graph.svg"
      try picture.write(to: path)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == picture.text)
      let missing = #expect(throws: WritingError.self) { try picture.write(to: folder + "/none/graph.svg") }
      #expect(
        missing?.description == "\(folder)/none/graph.svg: cannot be written, for there is no folder \(folder)/none")
      let isFolder = #expect(throws: WritingError.self) { try picture.write(to: folder) }
      #expect(isFolder?.problem == "cannot be written, for it is a folder")
    }
  }
}

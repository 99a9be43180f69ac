/// A network with capacities, for minimum cuts: the algorithm of Dinitz (1970).
struct FlowNetwork {
  private struct Edge {
    let target: Int
    var capacity: Int
  }

  /// Edges in pairs: edge `2i + 1` is the way back of edge `2i`.
  private var edges: [Edge] = []
  private var outgoing: [[Int]] = []

  mutating func addVertex() -> Int {
    outgoing.append([])
    return outgoing.count - 1
  }

  /// Adds an edge; `.max` is a capacity that no cut can pay.
  mutating func connect(_ from: Int, _ to: Int, capacity: Int) {
    outgoing[from].append(edges.count)
    edges.append(Edge(target: to, capacity: min(capacity, Self.unlimited)))
    outgoing[to].append(edges.count)
    edges.append(Edge(target: from, capacity: 0))
  }

  private static let unlimited = Int.max / 4

  /// Sends as much flow as there is, and gives the vertices that still reach the sink: the side of a minimum cut that
  /// lies next to it, the smallest of them.
  mutating func verticesReachingSink(from source: Int, to sink: Int) -> [Bool] {
    while true {
      let levels = levels(from: source)
      guard levels[sink] >= 0 else { break }
      var next = [Int](repeating: 0, count: outgoing.count)
      while push(source, sink, Self.unlimited, levels, &next) > 0 {}
    }
    var reaches = [Bool](repeating: false, count: outgoing.count)
    reaches[sink] = true
    var queue = [sink]
    while let vertex = queue.popLast() {
      for edge in outgoing[vertex] where edges[edge ^ 1].capacity > 0 && !reaches[edges[edge].target] {
        reaches[edges[edge].target] = true
        queue.append(edges[edge].target)
      }
    }
    return reaches
  }

  private func levels(from source: Int) -> [Int] {
    var levels = [Int](repeating: -1, count: outgoing.count)
    levels[source] = 0
    var queue = [source]
    var head = 0
    while head < queue.count {
      let vertex = queue[head]
      head += 1
      for edge in outgoing[vertex] where edges[edge].capacity > 0 && levels[edges[edge].target] < 0 {
        levels[edges[edge].target] = levels[vertex] + 1
        queue.append(edges[edge].target)
      }
    }
    return levels
  }

  /// Sends flow along one path of rising levels, without recursion: bodies of loops may be deep.
  private mutating func push(
    _ source: Int, _ sink: Int, _ limit: Int, _ levels: [Int], _ next: inout [Int]
  ) -> Int {
    var path: [Int] = []
    var vertex = source
    while vertex != sink {
      if next[vertex] < outgoing[vertex].count {
        let edge = outgoing[vertex][next[vertex]]
        if edges[edge].capacity > 0, levels[edges[edge].target] == levels[vertex] + 1 {
          path.append(edge)
          vertex = edges[edge].target
        } else {
          next[vertex] += 1
        }
      } else {
        guard let edge = path.popLast() else { return 0 }
        vertex = edges[edge ^ 1].target
        next[vertex] += 1
      }
    }
    let amount = path.reduce(limit) { min($0, edges[$1].capacity) }
    for edge in path {
      edges[edge].capacity -= amount
      edges[edge ^ 1].capacity += amount
    }
    return amount
  }
}
